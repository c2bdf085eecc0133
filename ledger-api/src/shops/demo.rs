//! The shops of the demonstration.

/// A shop of the demonstration. Who works there logs in with the password of all demo people.
#[derive(Debug, Clone, Copy)]
pub struct DemoShop {
    /// The part before the @ of its address for payments.
    pub handle: &'static str,
    /// The name on its papers.
    pub legal_name: &'static str,
    /// The name over its door.
    pub display_name: &'static str,
    /// What kind of shop it is.
    pub category: &'static str,
    /// Who owns it: name and handle. By `{handle}@example.com` they log in.
    pub owner: (&'static str, &'static str),
    /// Who stands at its till.
    pub cashier: (&'static str, &'static str),
    /// Who keeps its books.
    pub accountant: (&'static str, &'static str),
    /// Where it sells.
    pub stores: &'static [&'static str],
}

/// All of them.
pub const DEMO_SHOPS: [DemoShop; 3] = [
    DemoShop {
        handle: "chai",
        legal_name: "Kamala Foods LLP",
        display_name: "Chai Point",
        category: "5814",
        owner: ("Kamala Menon", "kamala"),
        cashier: ("Suresh Babu", "suresh"),
        accountant: ("Deepa Pillai", "deepa"),
        stores: &["MG Road", "Station"],
    },
    DemoShop {
        handle: "books",
        legal_name: "Harish Book Stall",
        display_name: "Harish Books",
        category: "5942",
        owner: ("Harish Shetty", "harish"),
        cashier: ("Pooja Rai", "pooja"),
        accountant: ("Nitin Joshi", "nitin"),
        stores: &["Church Street"],
    },
    DemoShop {
        handle: "kirana",
        legal_name: "Zoya Provision Store",
        display_name: "Zoya Kirana",
        category: "5411",
        owner: ("Zoya Ansari", "zoya"),
        cashier: ("Manoj Yadav", "manoj"),
        accountant: ("Rekha Jain", "rekha"),
        stores: &["Main Bazaar"],
    },
];
