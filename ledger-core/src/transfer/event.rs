//! What can happen to a transfer that waits to be claimed.

use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    ids::{AccountId, HoldId, PhoneHash, Reference, TransactionId},
    log::event_names,
};

/// One fact of a transfer's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TransferEvent {
    /// The transfer exists from here on, over a hold on the sender's account.
    Held(Held),
    /// Somebody claimed it, and it cannot be paid out yet.
    ClaimInReview(ClaimInReview),
    /// It was claimed and paid out. An end.
    Completed(Completed),
    /// It was given up, or its claim was refused. An end.
    Cancelled(Cancelled),
    /// Its time had come. An end.
    Expired {},
}

/// The transfer's fixed properties: what it costs is settled before anybody claims it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// Where the money comes from; its currency is the transfer's.
    pub account: AccountId,
    /// What the receiver gets.
    pub amount: Decimal,
    /// What it costs the sender, tax included; taken when it is claimed only.
    pub fee: Decimal,
    /// How much of the fee is tax.
    pub tax: Decimal,
    /// Which version of the fee that is; nothing where it was given with the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_version: Option<u32>,
    /// Keyed hash of the receiver's phone number.
    pub phone_hash: PhoneHash,
    /// The hold on the sender's account: of the amount and the fee.
    pub hold_id: HoldId,
    /// When it ends by itself; a claim at or after this moment is refused.
    pub expires_at: Timestamp,
}

/// A claim that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClaimInReview {
    /// Where the claimer wants the money.
    pub account: AccountId,
    /// The rule that stands in the way.
    pub reason: Reference,
}

/// The money is the receiver's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completed {
    /// The receiver's account.
    pub account: AccountId,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// The money is free again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cancelled {
    /// Why, where a person refused the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

event_names!(TransferEvent {
    Held(_) => "held",
    ClaimInReview(_) => "claim_in_review",
    Completed(_) => "completed",
    Cancelled(_) => "cancelled",
    Expired {} => "expired",
});

impl DomainEvent for TransferEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
