//! A day of one of our accounts, as the bank states it.

use chrono::NaiveDate;
use ledger_core::{ids::Reference, money::Money};

/// One day. That it adds up is for the reader of several days to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankStatement {
    /// Which of our accounts.
    pub account: String,
    /// The bank's day.
    pub date: NaiveDate,
    /// Whether no line of it will be added or changed any more.
    pub closed: bool,
    /// The balance before; may be below zero.
    pub opening: Money,
    /// The balance after; may be below zero.
    pub closing: Money,
    /// What happened in between.
    pub lines: Vec<StatementLine>,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// With the account and the direction unique for ever.
    pub bank_transaction_id: Reference,
    /// The day on which it was booked.
    pub booking_date: NaiveDate,
    /// The day from which it counts.
    pub value_date: NaiveDate,
    /// Which way.
    pub direction: Direction,
    /// How much; above zero.
    pub amount: Money,
    /// The reference between banks, if it is one that we could have stored.
    pub utr: Option<Reference>,
    /// Ours, if the bank knows it and it can be one of ours.
    pub reference: Option<Reference>,
    /// The bank's words; may name people.
    pub narration: String,
    /// What it is the lump of, where the bank says so.
    pub lump: Option<StatedLump>,
}

/// What a line is the lump of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedLump {
    /// What was kept back of all, without tax; above zero.
    pub charges: Option<Money>,
    /// The tax on that; above zero.
    pub tax: Option<Money>,
    /// The credits.
    pub credits: Vec<StatedCredit>,
}

/// A credit of a lump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedCredit {
    /// What was paid, before anything was kept back; above zero.
    pub amount: Money,
    /// The bank's number for it, if it is one that we could have stored.
    pub bank_transaction_id: Option<Reference>,
    /// The reference between banks, if it is one that we could have stored.
    pub utr: Option<Reference>,
    /// Ours, if it can be one of ours.
    pub reference: Option<Reference>,
}

/// Whether money left our account or came to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// It left.
    Debit,
    /// It came.
    Credit,
}
