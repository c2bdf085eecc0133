//! How an outcome is written under its key. Posted transactions, which are nearly all of them,
//! have a short form: there is one outcome per transfer, kept for ever.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize, de::Error};

use super::{Accepted, Outcome, Receipt, Rejection};
use crate::{ids::TransactionId, log::Position};

/// The stored form: a contract like an event's, held by `tests/fixtures/outcomes`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stored<'a> {
    /// The first position, the last one, when it was recorded (microseconds since 1970), and each
    /// transaction with its business date.
    Posted(Position, Position, i64, Vec<(TransactionId, NaiveDate)>),
    Accepted(Cow<'a, Accepted>),
    Rejected(Cow<'a, Rejection>),
}

impl Outcome {
    /// The bytes to store.
    ///
    /// # Errors
    /// Only if the outcome does not serialise, which none of ours can.
    pub fn to_stored(&self) -> Result<Vec<u8>, serde_json::Error> {
        let stored = match self {
            Self::Accepted(accepted) => match &accepted.receipt {
                Receipt::Posted { transactions, effective_on } => Stored::Posted(
                    accepted.first_position,
                    accepted.position,
                    accepted.recorded_at.timestamp_micros(),
                    transactions.iter().copied().zip(effective_on.iter().copied()).collect(),
                ),
                Receipt::Account { .. }
                | Receipt::Hold { .. }
                | Receipt::Captured { .. }
                | Receipt::Withdrawal { .. }
                | Receipt::BankLine { .. }
                | Receipt::Deposit { .. }
                | Receipt::Transfer { .. }
                | Receipt::Payment { .. }
                | Receipt::Refund { .. }
                | Receipt::Settlement { .. }
                | Receipt::PaymentRequest { .. }
                | Receipt::Book { .. } => Stored::Accepted(Cow::Borrowed(accepted)),
            },
            Self::Rejected(rejection) => Stored::Rejected(Cow::Borrowed(rejection)),
        };
        serde_json::to_vec(&stored)
    }

    /// The outcome that was stored as these bytes.
    ///
    /// # Errors
    /// If they are not what this program writes.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(match serde_json::from_slice(bytes)? {
            Stored::Posted(first_position, position, micros, pairs) => {
                let out_of_range = || serde_json::Error::custom("a time that is out of range");
                let recorded_at =
                    DateTime::from_timestamp_micros(micros).ok_or_else(out_of_range)?;
                let (transactions, effective_on) = pairs.into_iter().unzip();
                let receipt = Receipt::Posted { transactions, effective_on };
                Self::Accepted(Accepted { first_position, position, recorded_at, receipt })
            }
            Stored::Accepted(accepted) => Self::Accepted(accepted.into_owned()),
            Stored::Rejected(rejection) => Self::Rejected(rejection.into_owned()),
        })
    }
}
