//! A movement of money in a list, and its entries in the ledger.

use askama::{Template, filters::HtmlSafe};

use super::{Face, MoneyView, Status, When};

/// One movement in a list.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/move_row.html")]
pub(crate) struct MoveRow {
    /// Its id, by which a message about a change finds it.
    pub(crate) id: String,
    /// Where its own page is.
    pub(crate) href: String,
    /// Who is on the other side.
    pub(crate) face: Face,
    /// The same in words.
    pub(crate) who: String,
    /// What it is: "Sent", "Added".
    pub(crate) what: String,
    /// How much, with its sign.
    pub(crate) amount: MoneyView,
    /// What became of it.
    pub(crate) status: Status,
    /// When.
    pub(crate) when: When,
    /// What there was after it, where that is shown.
    pub(crate) balance: Option<MoneyView>,
}

impl HtmlSafe for MoveRow {}

/// One entry of a transaction, in plain words.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    /// What the account is: "Your wallet".
    pub(crate) words: String,
    /// The account.
    pub(crate) account: String,
    /// How much.
    pub(crate) amount: MoneyView,
}

/// A transaction as the ledger has it: what goes out of where, what goes in to where. Both columns
/// have the same sum.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/legs.html")]
pub(crate) struct LedgerLegs {
    /// The debits.
    pub(crate) debits: Vec<Leg>,
    /// The credits.
    pub(crate) credits: Vec<Leg>,
}

impl HtmlSafe for LedgerLegs {}
