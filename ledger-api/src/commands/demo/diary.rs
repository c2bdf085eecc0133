//! Ninety days of the demo's people: what they do, and when.
//!
//! Pure: the same first day gives the same diary, whatever happens meanwhile, so that a story that
//! was broken off goes on where it was. A step is known by its key and is never changed, only
//! added: what has been done stays done under its key. Nobody spends what they have not got.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, TimeDelta, Utc, Weekday};

use super::{
    cast::{CAST, HABITS, RENTS, TABLES},
    sales::SALES,
};

/// How many days the story has.
pub(super) const DAYS: u32 = 90;
/// The people's day begins so many minutes before the one in UTC.
pub(super) const AHEAD_OF_UTC: TimeDelta = TimeDelta::minutes(330);
/// What a withdrawal costs, in rupees.
const FEE: u32 = 10;
/// The most that somebody has on their wallet, in rupees: less than the cap.
const MOST: u32 = 180_000;
/// The number that nobody has proved.
pub(super) const NEW_PHONE: &str = "+919000009901";
/// The number that nobody proved in time.
pub(super) const OLD_PHONE: &str = "+919000009902";

/// Rupees and paise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rupees(pub(super) u32, pub(super) u32);

impl std::fmt::Display for Rupees {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0, self.1)
    }
}

/// One thing that somebody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    /// Sends money to one of the others.
    Send { to: &'static str, note: &'static str },
    /// Asks to put money in, and pays at once.
    Deposit { bank: &'static str },
    /// Asks to put money in, and pays so much later, or never.
    DepositLate { bank: &'static str, paid_after: Option<TimeDelta> },
    /// Has a stranger pay for them.
    DepositOfStranger { bank: &'static str },
    /// Takes money out; what becomes of it is known when the day is over.
    Withdraw { bank: &'static str },
    /// Takes money out of which nobody knows for long.
    WithdrawUnknown { bank: &'static str },
    /// Takes money out that waits for its bank.
    WithdrawWaiting { bank: &'static str },
    /// Takes money out to a bank account that was never used: a person looks at it.
    WithdrawToNewAccount { bank: &'static str },
    /// Takes money out that waits, and gives it up.
    WithdrawCancelled { bank: &'static str },
    /// Sends money to a number that nobody has proved.
    SendToPhone { phone: &'static str, note: &'static str },
    /// Pays a shop.
    Pay { shop: &'static str },
    /// Pays a shop, which gives so many rupees back, or owes them.
    PayAndGetBack { shop: &'static str, back: u32 },
    /// Pays a shop and disputes it; who has won that, if it was decided.
    PayAndDispute { shop: &'static str, won_by: Option<&'static str> },
    /// Nobody's deed: a shop takes all that it has to its bank.
    PayOut { shop: &'static str },
    /// May not spend any more, by an order.
    Frozen,
    /// Nobody's deed: a bank is paused.
    Pause { bank: &'static str },
}

/// What somebody does at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) at: DateTime<Utc>,
    pub(super) who: &'static str,
    pub(super) amount: Rupees,
    pub(super) deed: Deed,
}

impl Step {
    /// What makes it once.
    pub(super) fn key(&self) -> String {
        let at = self.at.format("%Y%m%dT%H%M");
        let deed = match &self.deed {
            Deed::Send { to, .. } => format!("send-{to}"),
            Deed::Deposit { .. } | Deed::DepositLate { .. } | Deed::DepositOfStranger { .. } => {
                "deposit".to_owned()
            }
            Deed::Withdraw { .. }
            | Deed::WithdrawUnknown { .. }
            | Deed::WithdrawWaiting { .. }
            | Deed::WithdrawToNewAccount { .. }
            | Deed::WithdrawCancelled { .. } => "withdraw".to_owned(),
            Deed::SendToPhone { .. } => "send-phone".to_owned(),
            Deed::Pay { shop }
            | Deed::PayAndGetBack { shop, .. }
            | Deed::PayAndDispute { shop, .. } => format!("pay-{shop}"),
            Deed::PayOut { shop } => format!("pay-out-{shop}"),
            Deed::Frozen => "freeze".to_owned(),
            Deed::Pause { bank } => format!("pause-{bank}"),
        };
        format!("demo-{at}-{}-{deed}", self.who)
    }
}

/// The diary that begins on this day, in the order in which it happens.
pub(super) fn diary(first: NaiveDate) -> Vec<Step> {
    let mut writer =
        Writer { first, steps: Vec::new(), has: BTreeMap::new(), frozen: BTreeSet::new() };
    for day in 0..DAYS {
        writer.everyday(day);
        writer.special(day);
    }
    writer.steps.sort_by_key(|step| step.at);
    writer.steps
}

struct Writer {
    first: NaiveDate,
    steps: Vec<Step>,
    /// What everybody has, in whole rupees, rounded down.
    has: BTreeMap<&'static str, u32>,
    /// Who may not spend any more.
    frozen: BTreeSet<&'static str>,
}

impl Writer {
    fn everyday(&mut self, day: u32) {
        let date = self.first + Days::new(day.into());
        for (index, person) in (0..).zip(&CAST) {
            let deposit = Deed::Deposit { bank: person.bank };
            if day == 0 {
                let amount = 4_000 + 1_500 * index;
                self.write(day, 400, (person.handle, amount, 0), deposit.clone());
            }
            if date.day() == 1 {
                self.write(day, 405, (person.handle, person.salary, 0), deposit.clone());
            }
            if date.weekday() == Weekday::Mon {
                self.write(day, 410, (person.handle, person.allowance, 0), deposit);
            }
        }
        if date.day() == 2 {
            for (who, to, rent) in RENTS {
                self.write(day, 460, (who, rent, 0), Deed::Send { to, note: "Rent" });
            }
        }
        for (index, (who, to, note, least, most)) in (0..).zip(HABITS) {
            if chance(day, index).is_multiple_of(4) {
                let amount = least + chance(day, index + 100) % (most - least + 1);
                let minute = 480 + index * 37 + chance(day, index + 200) % 30;
                self.write(day, minute, (who, amount, 0), Deed::Send { to, note });
            }
        }
        for (index, (who, shop, least, most)) in (0..).zip(SALES) {
            if chance(day, index + 400).is_multiple_of(4) {
                let amount = least + chance(day, index + 500) % (most - least + 1);
                let minute = 530 + index * 41 + chance(day, index + 600) % 37;
                self.write(day, minute, (who, amount, 0), Deed::Pay { shop });
            }
        }
        if date.weekday() == Weekday::Sat {
            for (index, [paid, friends @ ..]) in (0..).zip(TABLES) {
                let share = 250 + chance(day, index + 300) % 400;
                for (late, who) in (0..).zip(friends) {
                    let dinner = Deed::Send { to: paid, note: "Dinner on Saturday" };
                    self.write(day, 1_290 + late * 9, (who, share, 0), dinner);
                }
            }
        }
        if date.day() == 15 {
            self.write(day, 700, ("", 0, 0), Deed::PayOut { shop: "books" });
            for person in &CAST {
                // Meera saves for something.
                let spare = self.has(person.handle).saturating_sub(25_000) / 1_000 * 1_000;
                if person.handle != "meera" {
                    let withdraw = Deed::Withdraw { bank: person.bank };
                    self.write(day, 720, (person.handle, spare, 0), withdraw);
                }
            }
        }
    }

    /// One of each thing that a page should have an answer for.
    fn special(&mut self, day: u32) {
        let (hdfc, axis) = ("hdfc", "axis");
        match DAYS - day {
            75 => self.write(day, 900, ("asha", 2_000, 21), Deed::Withdraw { bank: hdfc }),
            62 => {
                let deed = Deed::PayAndDispute { shop: "books", won_by: Some("merchant") };
                self.write(day, 901, ("meera", 640, 0), deed);
            }
            60 => {
                let paid_after = Some(TimeDelta::hours(20));
                let deed = Deed::DepositLate { bank: hdfc, paid_after };
                self.write(day, 905, ("asha", 3_000, 0), deed);
            }
            41 => self.write(day, 910, ("asha", 1_500, 31), Deed::Withdraw { bank: hdfc }),
            33 => {
                let deed = Deed::DepositLate { bank: axis, paid_after: None };
                self.write(day, 915, ("arjun", 1_200, 0), deed);
            }
            21 => {
                let deed = Deed::SendToPhone { phone: OLD_PHONE, note: "For the trip" };
                self.write(day, 920, ("asha", 450, 0), deed);
            }
            12 => {
                let deed = Deed::PayAndGetBack { shop: "chai", back: 90 };
                self.write(day, 918, ("meera", 180, 0), deed);
            }
            8 => self.write(day, 925, ("neha", 0, 0), Deed::Frozen),
            5 => {
                let deed = Deed::PayAndDispute { shop: "chai", won_by: None };
                self.write(day, 927, ("meera", 320, 0), deed);
            }
            4 => self.write(day, 930, ("ananya", 750, 0), Deed::DepositOfStranger { bank: hdfc }),
            2 => {
                let deed = Deed::SendToPhone { phone: NEW_PHONE, note: "Birthday present" };
                self.write(day, 935, ("asha", 500, 0), deed);
            }
            1 => {
                // More goes back than the shop has: what was paid less the fee, and little else.
                self.write(day, 475, ("", 0, 0), Deed::PayOut { shop: "books" });
                let deed = Deed::PayAndGetBack { shop: "books", back: 9_500 };
                self.write(day, 480, ("gurpreet", 9_500, 0), deed);
                self.write(day, 540, ("", 0, 0), Deed::Pause { bank: axis });
                self.write(day, 550, ("asha", 1_000, 0), Deed::WithdrawWaiting { bank: axis });
                self.write(day, 560, ("ravi", 800, 0), Deed::WithdrawCancelled { bank: axis });
                // To an account that is new: more than that is looked at by a person.
                let new_payee = Deed::WithdrawToNewAccount { bank: hdfc };
                self.write(day, 570, ("meera", 60_000, 0), new_payee);
                self.write(day, 580, ("asha", 2_500, 14), Deed::WithdrawUnknown { bank: hdfc });
            }
            _ => {}
        }
    }

    fn has(&self, who: &str) -> u32 {
        self.has.get(who).copied().unwrap_or_default()
    }

    /// Writes a step down, if it is about anything and whoever does it has the money.
    fn write(
        &mut self,
        day: u32,
        minute: u32,
        (who, rupees, paise): (&'static str, u32, u32),
        deed: Deed,
    ) {
        let spent = rupees + u32::from(paise > 0);
        let has = self.has(who);
        let (after, other) = match &deed {
            Deed::Send { to, .. } => (has.checked_sub(spent), Some(*to)),
            Deed::Deposit { .. } | Deed::DepositLate { paid_after: Some(_), .. } => {
                (has.checked_add(rupees), None)
            }
            Deed::Withdraw { .. }
            | Deed::WithdrawUnknown { .. }
            | Deed::WithdrawWaiting { .. }
            | Deed::WithdrawToNewAccount { .. }
            | Deed::WithdrawCancelled { .. }
            | Deed::SendToPhone { .. } => (has.checked_sub(spent + FEE), None),
            // What comes back is not counted on.
            Deed::Pay { .. } | Deed::PayAndGetBack { .. } | Deed::PayAndDispute { .. } => {
                (has.checked_sub(spent), None)
            }
            Deed::DepositLate { paid_after: None, .. }
            | Deed::DepositOfStranger { .. }
            | Deed::PayOut { .. }
            | Deed::Frozen
            | Deed::Pause { .. } => (Some(has), None),
        };
        let is_about_money =
            !matches!(deed, Deed::PayOut { .. } | Deed::Frozen | Deed::Pause { .. });
        let Some(after) = after.filter(|after| *after <= MOST) else { return };
        let may_not = self.frozen.contains(who) && !matches!(deed, Deed::Deposit { .. });
        if is_about_money && (rupees == 0 || may_not) {
            return;
        }
        if deed == Deed::Frozen {
            self.frozen.insert(who);
        }
        if let Some(other) = other {
            let gets = self.has(other) + rupees;
            if gets > MOST {
                return;
            }
            self.has.insert(other, gets);
        }
        self.has.insert(who, after);
        let midnight = (self.first + Days::new(day.into())).and_time(chrono::NaiveTime::MIN);
        let at = midnight.and_utc() - AHEAD_OF_UTC + TimeDelta::minutes(minute.into());
        self.steps.push(Step { at, who, amount: Rupees(rupees, paise), deed });
    }
}

/// A number that is the same every time, and looks like none in particular.
fn chance(day: u32, of: u32) -> u32 {
    let mut mixed = day.wrapping_mul(0x9E37_79B9) ^ of.wrapping_mul(0x85EB_CA6B);
    for shift in [16, 13, 16] {
        mixed = (mixed ^ (mixed >> shift)).wrapping_mul(0xC2B2_AE35);
    }
    mixed >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_start_has_every_interesting_step_once_and_in_order() {
        let first: NaiveDate = "2026-01-01".parse().unwrap();
        for start in 0..40 {
            let steps = diary(first + Days::new(start));
            assert!(steps.is_sorted_by_key(|step| step.at));
            let keys: BTreeSet<String> = steps.iter().map(Step::key).collect();
            assert_eq!(keys.len(), steps.len(), "a key stands for one step");
            let count =
                |wanted: fn(&Deed) -> bool| steps.iter().filter(|step| wanted(&step.deed)).count();
            assert_eq!(count(|deed| matches!(deed, Deed::Frozen)), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::Pause { .. })), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::DepositLate { .. })), 2);
            assert_eq!(count(|deed| matches!(deed, Deed::DepositOfStranger { .. })), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::WithdrawUnknown { .. })), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::WithdrawWaiting { .. })), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::WithdrawToNewAccount { .. })), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::WithdrawCancelled { .. })), 1);
            assert_eq!(count(|deed| matches!(deed, Deed::SendToPhone { .. })), 2);
            assert!(count(|deed| matches!(deed, Deed::Send { .. })) > 300);
            assert!(count(|deed| matches!(deed, Deed::Pay { .. })) > 250);
            assert_eq!(count(|deed| matches!(deed, Deed::PayAndGetBack { .. })), 2, "{start}");
            assert_eq!(count(|deed| matches!(deed, Deed::PayAndDispute { .. })), 2, "{start}");
            for paise in [21, 31] {
                assert!(steps.iter().any(|step| step.amount.1 == paise), "{paise}: {start}");
            }
        }
    }

    #[test]
    fn in_the_order_in_which_it_happens_nobody_spends_what_they_have_not_got() {
        for start in 0..40 {
            let mut has: BTreeMap<&str, i64> = BTreeMap::new();
            for step in diary(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(start)) {
                let amount = i64::from(step.amount.0) + i64::from(step.amount.1 > 0);
                let own = has.entry(step.who).or_default();
                match &step.deed {
                    Deed::Send { to, .. } => {
                        *own -= amount;
                        assert!(*own >= 0, "{step:?}");
                        *has.entry(to).or_default() += amount;
                    }
                    Deed::Pay { .. } | Deed::PayAndGetBack { .. } | Deed::PayAndDispute { .. } => {
                        *own -= amount;
                    }
                    // The late one is paid the day after.
                    Deed::Deposit { .. } => *own += amount,
                    Deed::DepositLate { .. }
                    | Deed::DepositOfStranger { .. }
                    | Deed::PayOut { .. }
                    | Deed::Frozen
                    | Deed::Pause { .. } => {}
                    Deed::Withdraw { .. }
                    | Deed::WithdrawUnknown { .. }
                    | Deed::WithdrawWaiting { .. }
                    | Deed::WithdrawToNewAccount { .. }
                    | Deed::WithdrawCancelled { .. }
                    | Deed::SendToPhone { .. } => *own -= amount + i64::from(FEE),
                }
                assert!(has.values().all(|has| (0..=200_000).contains(has)), "{step:?}");
            }
        }
    }

    #[test]
    fn a_step_keeps_its_key_when_others_are_added() {
        let steps = diary("2026-08-25".parse().unwrap());
        let rent = steps.iter().find(|step| {
            step.deed == Deed::Send { to: "gurpreet", note: "Rent" } && step.who == "asha"
        });
        assert_eq!(rent.unwrap().key(), "demo-20260902T0210-asha-send-gurpreet");
    }
}
