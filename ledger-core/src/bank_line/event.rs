//! What can happen to a bank's line. What each fact moves stands in `movement`.

use chrono::NaiveDate;
use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{HouseAccount, LineDirection, LineKey, Part};
use crate::{
    ids::{BankCode, Item, Reference, TransactionId, WithdrawalId},
    log::event_names,
    money::CurrencyCode,
};

/// One fact of a line's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BankLineEvent {
    /// It is known whose money it will be: once, at most.
    Expected(Expected),
    /// It was booked, once.
    Booked(Booked),
    /// What lay in suspense is understood, wholly or in part.
    Resolved(Resolved),
    /// What of it lay in suspense is sent back to whom it came from.
    SentBack(SentBack),
}

/// Whose money a line will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The item of `clearing_in` that the line settles.
    pub item: Item,
}

/// A line, and what it was booked as. The bank's narration is in no event: it may name people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booked {
    /// The bank.
    pub bank: BankCode,
    /// Which of our accounts there.
    pub account: HouseAccount,
    /// Whether money came or went.
    pub direction: LineDirection,
    /// The bank's day on which it was booked.
    pub booking_date: NaiveDate,
    /// The bank's day from which it counts.
    pub value_date: NaiveDate,
    /// The bank's number for it.
    pub bank_transaction_id: Reference,
    /// Its currency.
    pub currency: CurrencyCode,
    /// How much; above zero.
    pub amount: Decimal,
    /// What it is.
    pub parts: Vec<Part>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

impl Booked {
    /// What the bank identifies it by.
    pub fn key(&self) -> LineKey {
        LineKey {
            bank: self.bank.clone(),
            account: self.account,
            direction: self.direction,
            value_date: self.value_date,
            bank_transaction_id: self.bank_transaction_id.clone(),
        }
    }
}

/// What lay in suspense and is understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// What it is.
    pub parts: Vec<Part>,
    /// What leaves suspense.
    pub amount: Decimal,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// It is on its way back. If it does not get through, it is in suspense again as an item of the
/// withdrawal, and none of this line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentBack {
    /// The withdrawal that sends it, and moves it.
    pub withdrawal_id: WithdrawalId,
    /// How much.
    pub amount: Decimal,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

event_names!(BankLineEvent {
    Expected(_) => "expected",
    Booked(_) => "booked",
    Resolved(_) => "resolved",
    SentBack(_) => "sent_back",
});

impl DomainEvent for BankLineEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
