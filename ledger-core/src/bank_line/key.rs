//! What a bank identifies a line by, and the id that follows from it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Builder;

use crate::ids::{BankCode, BankLineId, Reference};

/// Which of our two accounts at a bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HouseAccount {
    /// The customers' money.
    Escrow,
    /// The company's own.
    Own,
}

impl HouseAccount {
    /// As it stands in codes of accounts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Escrow => "escrow",
            Self::Own => "own",
        }
    }
}

/// Whether money came or went, in the bank's words: a credit is money that came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineDirection {
    /// It came.
    Credit,
    /// It went.
    Debit,
}

impl LineDirection {
    /// As banks write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
        }
    }
}

/// What a line is once by. The value date belongs to it because banks use their numbers again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineKey {
    /// The bank.
    pub bank: BankCode,
    /// Which of our accounts there.
    pub account: HouseAccount,
    /// Whether money came or went.
    pub direction: LineDirection,
    /// The bank's day from which it counts.
    pub value_date: NaiveDate,
    /// The bank's number for it.
    pub bank_transaction_id: Reference,
}

impl LineKey {
    /// The line's id: the same for the same key, and for no other.
    pub fn id(&self) -> BankLineId {
        let Self { bank, account, direction, value_date, bank_transaction_id } = self;
        // None of the parts can hold the line feed that stands between them.
        let words = format!(
            "bahi.bank_line.1\n{bank}\n{}\n{}\n{value_date}\n{bank_transaction_id}",
            account.as_str(),
            direction.as_str()
        );
        let digest: [u8; 32] = Sha256::digest(words).into();
        let mut half = [0; 16];
        half.copy_from_slice(digest.split_at(16).0);
        // Version 8, so it is never the nil UUID.
        BankLineId::from_uuid(Builder::from_custom_bytes(half).into_uuid())
    }
}
