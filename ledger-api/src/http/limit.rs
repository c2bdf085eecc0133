//! The limit of a tier that stood in the way, on the wire.

use chrono::NaiveDate;
use ledger_core::{command::Rejection, ids::TierName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::Amount;

/// The limit of an account's tier that stands in the way of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LimitExceeded)]
pub struct LimitState {
    /// The tier.
    #[schema(value_type = String, example = "full_kyc")]
    tier: TierName,
    /// `in` or `out` of the account.
    #[schema(example = "out")]
    flow: String,
    /// `transaction`, `day`, `month`, `year` or `balance`.
    #[schema(example = "day")]
    limit: String,
    /// The limit.
    maximum: Amount,
    /// How much of it is left.
    left: Amount,
    /// The first day, in the book's time zone, that is counted afresh; not for `transaction` and
    /// `balance`, where time does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-11-23")]
    resets_on: Option<NaiveDate>,
}

impl LimitState {
    /// The limit of a rejection, if that is its reason.
    pub(super) fn of(rejection: &Rejection) -> Option<Self> {
        let limit = rejection.limit.as_deref()?;
        let currency = rejection.account.as_ref()?.currency().ok()?;
        Some(Self {
            tier: limit.tier.clone(),
            flow: limit.flow.as_str().to_owned(),
            limit: limit.limit.as_str().to_owned(),
            maximum: Amount::new(limit.maximum, currency),
            left: Amount::new(limit.left, currency),
            resets_on: limit.resets_on,
        })
    }
}
