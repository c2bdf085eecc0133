//! What can be asked of a bank's line.

use chrono::NaiveDate;

use super::{LineKey, Part};
use crate::{
    ids::{BankLineId, Item, Reference, TransactionId, WithdrawalId},
    money::{Currency, Money},
};

/// One thing that can be asked of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BankLineOperation {
    /// Say whose money it will be.
    Expect(ExpectBankLine),
    /// Book it.
    Book(BookBankLine),
    /// Say what it was, where that was not known.
    Resolve(ResolveBankLine),
    /// Say that what lies in suspense is sent back. It stands beside the withdrawal that sends it,
    /// never alone.
    SendBack(SendBackLine),
}

impl BankLineOperation {
    /// The line's key.
    pub const fn key(&self) -> &LineKey {
        match self {
            Self::Expect(expect) => &expect.key,
            Self::Book(book) => &book.key,
            Self::Resolve(resolve) => &resolve.key,
            Self::SendBack(back) => &back.key,
        }
    }

    /// The line's id.
    pub fn line_id(&self) -> BankLineId {
        self.key().id()
    }

    /// What it is to be taken for.
    pub fn parts(&self) -> &[Part] {
        match self {
            Self::Expect(_) | Self::SendBack(_) => &[],
            Self::Book(book) => &book.parts,
            Self::Resolve(resolve) => &resolve.parts,
        }
    }

    /// Its currency.
    pub fn currency(&self) -> Currency {
        match self {
            Self::Expect(expect) => expect.currency,
            Self::Book(book) => book.amount.currency(),
            Self::Resolve(resolve) => resolve.currency,
            Self::SendBack(back) => back.amount.currency(),
        }
    }
}

/// A credit that the bank told of and that is booked in `clearing_in` already: when its line comes,
/// it is this item's, and no other's. Saying it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectBankLine {
    /// What the bank will identify the line by.
    pub key: LineKey,
    /// Its currency.
    pub currency: Currency,
    /// The item.
    pub item: Item,
}

/// A line to book. Booking it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookBankLine {
    /// What the bank identifies it by.
    pub key: LineKey,
    /// The bank's day on which it was booked.
    pub booking_date: NaiveDate,
    /// How much.
    pub amount: Money,
    /// What it is.
    pub parts: Vec<Part>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// A line that lies in suspense, and is understood now: wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveBankLine {
    /// The line.
    pub key: LineKey,
    /// Its currency.
    pub currency: Currency,
    /// What it is.
    pub parts: Vec<Part>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// A credit that lies in suspense and is sent back to whom it came from: all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendBackLine {
    /// The line.
    pub key: LineKey,
    /// All that lies there.
    pub amount: Money,
    /// The withdrawal that sends it, and moves it.
    pub withdrawal_id: WithdrawalId,
    /// Why.
    pub reason: Option<Reference>,
}
