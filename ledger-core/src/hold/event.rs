//! What can happen to a hold. The account it reserves keeps only the sum, so that it stays small.

use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    ids::{AccountId, Reference, TransactionId},
    log::event_names,
};

/// One fact of a hold's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HoldEvent {
    /// The hold exists from here on.
    Placed(Placed),
    /// More was reserved.
    Increased(Increased),
    /// A part or the whole was posted; the rest is free again. The end.
    Captured(Captured),
    /// Nothing was posted; all is free again. The end.
    Released {},
    /// Its time had come; all is free again. The end.
    Expired {},
}

/// The hold's fixed properties and its first amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The account whose decrease is reserved.
    pub account: AccountId,
    /// How much, in the account's currency and at its scale.
    pub amount: Decimal,
    /// When it ends by itself; capture at or after this moment is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The object that it belongs to, which alone may end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Reference>,
}

/// A hold grew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Increased {
    /// By how much; above zero.
    pub by: Decimal,
    /// What is reserved now.
    pub amount: Decimal,
}

/// A hold was captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Captured {
    /// What was posted; at most what was reserved.
    pub amount: Decimal,
    /// What became free again.
    pub released: Decimal,
    /// The transaction that posted it.
    pub transaction_id: TransactionId,
}

event_names!(HoldEvent {
    Placed(_) => "placed",
    Increased(_) => "increased",
    Captured(_) => "captured",
    Released {} => "released",
    Expired {} => "expired",
});

impl DomainEvent for HoldEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
