//! The people of the demo: who they are, and what they live on.
//!
//! All of it is made up. Numbers and addresses lead nowhere: the domain is reserved for examples.

/// Somebody who lives in the demo.
#[derive(Debug)]
pub(super) struct Character {
    /// What they are found by; also what the story calls them.
    pub(super) handle: &'static str,
    pub(super) name: &'static str,
    pub(super) phone: &'static str,
    /// The number of their bank account.
    pub(super) bank_account: &'static str,
    /// In rupees: what their employer pays on the first of a month; zero for who has none.
    pub(super) salary: u32,
    /// In rupees: what somebody pays them every Monday.
    pub(super) allowance: u32,
    /// Their bank.
    pub(super) bank: &'static str,
}

impl Character {
    /// Where mail would reach them.
    pub(super) fn email(&self) -> String {
        format!("{}@demo.example", self.handle)
    }
}

const fn character(
    (handle, name): (&'static str, &'static str),
    (phone, bank_account): (&'static str, &'static str),
    (salary, allowance): (u32, u32),
    bank: &'static str,
) -> Character {
    Character { handle, name, phone, bank_account, salary, allowance, bank }
}

/// The twelve.
pub(super) const CAST: [Character; 12] = [
    character(("asha", "Asha Rao"), ("+919000000001", "400100000011"), (85_000, 0), "hdfc"),
    character(("ravi", "Ravi Kumar"), ("+919000000002", "400100000012"), (62_000, 0), "axis"),
    character(("meera", "Meera Nair"), ("+919000000003", "400100000013"), (71_000, 0), "hdfc"),
    character(
        ("joseph", "Joseph Fernandes"),
        ("+919000000004", "400100000014"),
        (54_000, 0),
        "hdfc",
    ),
    character(("ananya", "Ananya Das"), ("+919000000005", "400100000015"), (48_500, 0), "axis"),
    character(("arjun", "Arjun Singh"), ("+919000000006", "400100000016"), (66_000, 0), "hdfc"),
    character(("fatima", "Fatima Sheikh"), ("+919000000007", "400100000017"), (0, 2_500), "hdfc"),
    character(("imran", "Imran Khan"), ("+919000000008", "400100000018"), (0, 1_800), "axis"),
    character(("lakshmi", "Lakshmi Iyer"), ("+919000000021", "400100000021"), (59_000, 0), "hdfc"),
    character(("vikram", "Vikram Patel"), ("+919000000010", "400100000022"), (44_000, 0), "axis"),
    character(
        ("gurpreet", "Gurpreet Kaur"),
        ("+919000000011", "400100000023"),
        (38_000, 0),
        "hdfc",
    ),
    character(("neha", "Neha Gupta"), ("+919000000012", "400100000024"), (41_000, 0), "hdfc"),
];

/// Who gives whom what on most days, what for, and from how many rupees to how many.
pub(super) const HABITS: [(&str, &str, &str, u32, u32); 18] = [
    ("asha", "ravi", "Tea", 20, 60),
    ("ravi", "asha", "Auto to the office", 60, 180),
    ("asha", "meera", "Vegetables", 80, 320),
    ("meera", "ananya", "Lunch", 120, 450),
    ("ananya", "meera", "Half of the cab", 90, 260),
    ("joseph", "imran", "Cricket turf", 150, 400),
    ("imran", "joseph", "Snacks", 30, 120),
    ("fatima", "lakshmi", "Books", 150, 700),
    ("lakshmi", "fatima", "Tuition", 400, 900),
    ("arjun", "asha", "Movie tickets", 250, 600),
    ("asha", "arjun", "Filter coffee", 40, 120),
    ("vikram", "gurpreet", "Milk", 60, 140),
    ("gurpreet", "neha", "Tailoring", 200, 800),
    ("neha", "vikram", "Repairs", 150, 900),
    ("arjun", "joseph", "Petrol", 200, 500),
    ("lakshmi", "ananya", "Concert", 300, 1_200),
    ("ravi", "fatima", "Groceries", 180, 650),
    ("ananya", "asha", "Flowers", 60, 250),
];

/// Who pays whom rent on the second of a month, and how many rupees.
pub(super) const RENTS: [(&str, &str, u32); 5] = [
    ("asha", "gurpreet", 18_000),
    ("ravi", "gurpreet", 15_500),
    ("joseph", "vikram", 14_000),
    ("ananya", "vikram", 12_500),
    ("arjun", "lakshmi", 16_000),
];

/// Who eats together on Saturdays; the first of them pays.
pub(super) const TABLES: [[&str; 4]; 3] = [
    ["asha", "ravi", "meera", "arjun"],
    ["joseph", "imran", "ananya", "lakshmi"],
    ["vikram", "gurpreet", "neha", "fatima"],
];

#[cfg(test)]
mod tests {
    use ledger_api::people::DEMO_PEOPLE;

    use super::*;

    #[test]
    fn the_cast_is_who_the_login_page_offers() {
        let mut cast = CAST.map(|one| (one.handle, one.name));
        let mut offered = DEMO_PEOPLE;
        cast.sort_unstable();
        offered.sort_unstable();
        assert_eq!(cast, offered);
    }
}
