//! Holds on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    ids::{AccountId, HoldId, Item, TransactionId},
    posting::Kind,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    authority::Evidence,
    wire::{Amount, MoneyIn},
};

/// A hold to place.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HoldInput)]
pub(super) struct HoldIn {
    /// The account whose decrease is reserved.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// How much; above zero.
    pub(super) amount: MoneyIn,
    /// When it ends by itself; left out: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<DateTime<Utc>>,
}

/// More to reserve.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldIncrease {
    /// How much more; above zero.
    pub(super) by: MoneyIn,
}

/// A hold to post.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaptureInput)]
pub(super) struct CaptureIn {
    /// The kind of the transaction that posts it.
    #[schema(value_type = String, example = "payment")]
    pub(super) kind: Kind,
    /// How much; left out: all of it. The rest is free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<MoneyIn>,
    /// Where the money goes.
    pub(super) to: Vec<CaptureLegIn>,
    /// The business date; today in the book's time zone if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effective_on: Option<NaiveDate>,
    /// The bank's date, if a bank stated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value_date: Option<NaiveDate>,
    /// Words to keep beside the log, erasable; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(super) note: Option<String>,
    /// Why a correction by hand is right; kind `adjustment` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// SHA-256 of its evidence in lower-case hexadecimal; kind `adjustment` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) evidence_sha256: Option<String>,
}

impl CaptureIn {
    /// Why a correction by hand is right.
    pub(super) fn evidence(&self) -> Evidence<'_> {
        Evidence { reason: self.reason.as_deref(), sha256: self.evidence_sha256.as_deref() }
    }
}

/// Where a part of a captured hold goes.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CaptureLeg)]
pub(super) struct CaptureLegIn {
    /// The account.
    #[schema(value_type = String, example = "merchant:chai:unsettled:INR")]
    pub(super) account: AccountId,
    /// How much; a single leg may leave it out and gets everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<MoneyIn>,
    /// The item that the leg belongs to; on itemised accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) item: Option<Item>,
}

/// A hold.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Hold)]
pub(super) struct HoldOut {
    /// Its id.
    #[schema(value_type = String, example = "hold_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) id: HoldId,
    /// Always `hold`.
    #[schema(example = "hold")]
    pub(super) object: String,
    /// The account that it reserves.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// `open`, `captured`, `released` or `expired`.
    #[schema(example = "open")]
    pub(super) status: String,
    /// Whether the status can still change: false while it is open.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// What it reserves, or reserved when it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Amount>,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// What was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) captured: Option<Amount>,
    /// What became free again when it was posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) released: Option<Amount>,
    /// The transaction that posted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) transaction: Option<TransactionId>,
    /// The business date of that transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effective_on: Option<NaiveDate>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}
