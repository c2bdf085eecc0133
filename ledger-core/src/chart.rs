//! The chart of accounts: which codes there are, what type they have, and who may move them.
//!
//! A code that starts like one of the chart's entries gets that entry's type, posting class and
//! itemisation, and must not contradict them. Other codes are the book keeper's own: of class
//! `open`, with the type that is stated when they are opened.

use serde::{Deserialize, Serialize};

use crate::ids::AccountCode;

/// The two sides of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Left: raises assets and expenses.
    Debit,
    /// Right: raises liabilities, income and equity.
    Credit,
}

impl Direction {
    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Debit => Self::Credit,
            Self::Credit => Self::Debit,
        }
    }
}

/// The five types of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// What we have: money at a bank, what somebody owes us.
    Asset,
    /// What we owe: every wallet.
    Liability,
    /// What we earned.
    Income,
    /// What it cost.
    Expense,
    /// What belongs to the owners of the company.
    Equity,
}

impl AccountType {
    /// All types, in the order of a balance sheet and then of a profit and loss account.
    pub const ALL: [Self; 5] =
        [Self::Asset, Self::Liability, Self::Equity, Self::Income, Self::Expense];

    /// The side on which the account's balance grows.
    pub const fn normal_side(self) -> Direction {
        match self {
            Self::Asset | Self::Expense => Direction::Debit,
            Self::Liability | Self::Income | Self::Equity => Direction::Credit,
        }
    }

    /// The type as it stands in events and read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Income => "income",
            Self::Expense => "expense",
            Self::Equity => "equity",
        }
    }
}

/// Who may move an account. A service's key posts only between accounts of class [`Self::Open`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PostingClass {
    /// Wallets, shops, and the book keeper's own accounts.
    Open,
    /// Money at a bank: moved by the bank's statement only.
    Bank,
    /// Between a bank's word and its statement: moved by deposits and withdrawals.
    Clearing,
    /// Money promised to a bank transfer, and its fee.
    Withdrawal,
    /// Money that nobody could match yet.
    Suspense,
    /// Fees earned, interest.
    Income,
    /// Taxes collected or paid.
    Tax,
    /// Costs.
    Expense,
    /// Money on its way between our own accounts.
    Treasury,
    /// What somebody owes us.
    Receivable,
    /// Capital, retained earnings, opening balances.
    Equity,
    /// Money that payer and shop both say is theirs.
    Dispute,
}

impl PostingClass {
    /// All classes.
    pub const ALL: [Self; 12] = [
        Self::Open,
        Self::Bank,
        Self::Clearing,
        Self::Withdrawal,
        Self::Suspense,
        Self::Income,
        Self::Tax,
        Self::Expense,
        Self::Treasury,
        Self::Receivable,
        Self::Equity,
        Self::Dispute,
    ];

    /// The class as it stands in events and read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Bank => "bank",
            Self::Clearing => "clearing",
            Self::Withdrawal => "withdrawal",
            Self::Suspense => "suspense",
            Self::Income => "income",
            Self::Tax => "tax",
            Self::Expense => "expense",
            Self::Treasury => "treasury",
            Self::Receivable => "receivable",
            Self::Equity => "equity",
            Self::Dispute => "dispute",
        }
    }

    const fn bit(self) -> u16 {
        match self {
            Self::Open => 1,
            Self::Bank => 1 << 1,
            Self::Clearing => 1 << 2,
            Self::Withdrawal => 1 << 3,
            Self::Suspense => 1 << 4,
            Self::Income => 1 << 5,
            Self::Tax => 1 << 6,
            Self::Expense => 1 << 7,
            Self::Treasury => 1 << 8,
            Self::Receivable => 1 << 9,
            Self::Equity => 1 << 10,
            Self::Dispute => 1 << 11,
        }
    }
}

/// The classes that a command may move: what its principal, or its machine, is allowed to touch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Authority(u16);

impl Authority {
    /// May move nothing.
    pub const NONE: Self = Self(0);

    /// May move accounts of these classes.
    pub fn of(classes: &[PostingClass]) -> Self {
        Self(classes.iter().fold(0, |bits, class| bits | class.bit()))
    }

    /// May move every class.
    pub fn all() -> Self {
        Self::of(&PostingClass::ALL)
    }

    /// What a withdrawal moves, in all that can become of it. The withdrawal accounts themselves
    /// are moved by nothing else, adjustments aside.
    pub fn of_withdrawals() -> Self {
        use PostingClass::{Clearing, Income, Open, Receivable, Suspense, Tax, Withdrawal};
        Self::of(&[Open, Withdrawal, Clearing, Suspense, Income, Tax, Receivable])
    }

    /// What a line of a bank's statement moves. The bank's own accounts are moved by nothing else,
    /// adjustments aside.
    pub fn of_statements() -> Self {
        use PostingClass::{Bank, Clearing, Expense, Income, Open, Suspense, Tax, Treasury};
        Self::of(&[Bank, Clearing, Suspense, Expense, Tax, Income, Treasury, Open])
    }

    /// What a deposit moves, in all that can become of it.
    pub fn of_deposits() -> Self {
        use PostingClass::{Bank, Clearing, Expense, Open, Receivable, Suspense, Tax};
        Self::of(&[Open, Bank, Clearing, Suspense, Expense, Tax, Receivable])
    }

    /// What a transfer that waits to be claimed moves: the wallets, what it costs, and what the
    /// receiver repays of it.
    pub fn of_transfers() -> Self {
        use PostingClass::{Income, Open, Receivable, Tax};
        Self::of(&[Open, Income, Tax, Receivable])
    }

    /// What payments to shops move, in all that can become of them.
    pub fn of_payments() -> Self {
        use PostingClass::{Dispute, Income, Open, Receivable, Tax};
        Self::of(&[Open, Income, Tax, Receivable, Dispute])
    }

    /// Whether this authority covers `class`.
    pub const fn covers(self, class: PostingClass) -> bool {
        self.0 & class.bit() != 0
    }
}

/// What the chart says about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChartEntry {
    /// The type of the account.
    pub account_type: AccountType,
    /// Who may move it.
    pub class: PostingClass,
    /// Whether every leg must name the item that it belongs to.
    pub itemised: bool,
    /// Whether its balance may not go below zero unless a credit line is set.
    pub floor_zero: bool,
}

/// The chart's entry for `code`, if it has one.
///
/// Source: product.md, 2.1; docs/architecture.md lists the chart.
pub fn lookup(code: &AccountCode) -> Option<ChartEntry> {
    use AccountType::{Asset, Equity, Expense, Income, Liability};
    use PostingClass as Class;

    let mut segments = code.segments();
    let head = (segments.next()?, segments.next(), segments.next());
    let (account_type, class, itemised) = match head {
        ("wallet", Some(_), None) | ("merchant", Some(_), Some("unsettled" | "available")) => {
            (Liability, Class::Open, false)
        }
        ("bank", Some(_), Some("escrow" | "own")) => (Asset, Class::Bank, false),
        ("bank", Some(_), Some("clearing_in")) => (Asset, Class::Clearing, true),
        ("bank", Some(_), Some("clearing_out")) => (Liability, Class::Clearing, true),
        ("withdrawals", Some("reserved" | "in_flight"), None) | ("fees", Some("held"), None) => {
            (Liability, Class::Withdrawal, true)
        }
        ("returns", Some("unapplied"), None)
        | ("refunds", Some("payable"), None)
        | ("suspense", Some("credits"), None) => (Liability, Class::Suspense, true),
        ("suspense", Some("bank_debits"), None) => (Asset, Class::Suspense, true),
        ("disputes", Some("held"), None) => (Liability, Class::Dispute, true),
        ("disputes", Some("provisional"), None) => (Asset, Class::Dispute, true),
        ("treasury", Some("in_transit"), None) => (Asset, Class::Treasury, true),
        ("income", Some(_), None) => (Income, Class::Income, false),
        ("tax", Some("gst_output"), None) => (Liability, Class::Tax, false),
        ("tax", Some("gst_input"), None) => (Asset, Class::Tax, false),
        ("expense", Some(_), None) => (Expense, Class::Expense, false),
        ("receivable", Some(_), Some(_)) => (Asset, Class::Receivable, false),
        ("equity", Some(_), None) | ("migration", Some("opening"), None) => {
            (Equity, Class::Equity, false)
        }
        _ => return None,
    };
    let floor_zero = matches!(head.0, "wallet" | "merchant");
    Some(ChartEntry { account_type, class, itemised, floor_zero })
}

/// Whether the code stands in a room of the chart, so that it must match one of its entries.
pub fn is_reserved(code: &AccountCode) -> bool {
    const ROOMS: [&str; 15] = [
        "wallet",
        "merchant",
        "bank",
        "withdrawals",
        "fees",
        "returns",
        "refunds",
        "suspense",
        "disputes",
        "treasury",
        "income",
        "tax",
        "expense",
        "receivable",
        "equity",
    ];
    code.segments().next().is_some_and(|head| ROOMS.contains(&head) || head == "migration")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(code: &str) -> Option<ChartEntry> {
        lookup(&code.parse().unwrap())
    }

    #[test]
    fn the_chart_knows_its_codes() {
        let wallet = entry("wallet:asha").unwrap();
        assert_eq!(wallet.account_type, AccountType::Liability);
        assert!(wallet.floor_zero && !wallet.itemised && wallet.class == PostingClass::Open);
        let clearing = entry("bank:hdfc:clearing_in").unwrap();
        assert!(clearing.itemised && clearing.class == PostingClass::Clearing);
        assert_eq!(entry("till:7"), None);
        assert_eq!(entry("bank:hdfc:teapot"), None);
        assert!(is_reserved(&"bank:hdfc:teapot".parse().unwrap()));
        assert!(!is_reserved(&"till:7".parse().unwrap()));
    }

    #[test]
    fn an_authority_covers_what_it_was_given_and_nothing_else() {
        let deposits = Authority::of(&[PostingClass::Open, PostingClass::Clearing]);
        for class in PostingClass::ALL {
            let expected = matches!(class, PostingClass::Open | PostingClass::Clearing);
            assert_eq!(deposits.covers(class), expected, "{class:?}");
            assert!(Authority::all().covers(class) && !Authority::NONE.covers(class));
        }
    }
}
