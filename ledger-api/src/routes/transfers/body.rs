//! Transfers on the wire.

use chrono::{DateTime, Utc};
use ledger_core::{
    command::Receipt,
    ids::{AccountId, Reference, TransferId},
    log::Position,
    transfer::TransferStatus,
};
use projections::TransferRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::{
    Problem,
    reach::Reach,
    wire::Amount,
    writer::{Done, wrong_receipt},
};

/// A transfer to claim.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TransferClaim)]
pub(super) struct ClaimIn {
    /// The wallet that is to get the money. Only people may leave it out: then it is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "wallet:ravi:INR")]
    pub(super) account: Option<AccountId>,
    /// The number that the receiver has proved; for keys, which answer for it. People claim by the
    /// number that they have verified here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "+919812345678")]
    pub(super) phone: Option<String>,
}

/// A transfer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Transfer)]
pub(in crate::routes) struct TransferOut {
    /// Its id. The transaction that moves the money has the same digits.
    #[schema(value_type = String, example = "tr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) id: TransferId,
    /// Always `transfer`.
    #[schema(example = "transfer")]
    pub(super) object: String,
    /// Where it is in its life.
    #[schema(value_type = TransferStatusWord)]
    pub(super) status: TransferStatus,
    /// Whether nothing more can become of it.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// Whether it can still be given up.
    pub(super) cancellable: bool,
    /// Where the money is: `held` (the sender's still), `moved` (the receiver's) or `not_moved`.
    #[schema(example = "moved")]
    pub(super) funds: String,
    /// Where the money comes from.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// The receiver's account, once it is known.
    #[schema(value_type = Option<String>, example = "wallet:ravi:INR")]
    pub(super) to: Option<AccountId>,
    /// What the receiver gets.
    pub(super) amount: Amount,
    /// What it costs the sender, tax included; taken when it is claimed. Not for the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fee: Option<Amount>,
    /// Why a claim is in review, or was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "account_cannot_take")]
    pub(super) reason: Option<Reference>,
    /// Until when it can be claimed, if it waits or has waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<DateTime<Utc>>,
    /// The words that were put on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// When it was sent; not in answers to a claim or a cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<DateTime<Utc>>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

impl TransferOut {
    /// What a row says to whoever reaches so far.
    pub(in crate::routes) fn of(row: TransferRow, reach: Reach, position: Position) -> Self {
        let is_senders = reach.account(&row.account).is_ok();
        Self {
            id: row.id,
            object: "transfer".to_owned(),
            status: row.status,
            is_final: row.status.is_final(),
            cancellable: !row.status.is_final() && is_senders,
            funds: funds(row.status).to_owned(),
            amount: Amount::new(row.amount, row.currency),
            fee: is_senders.then(|| Amount::new(row.fee, row.currency)),
            account: row.account,
            to: row.receiver,
            reason: row.reason,
            expires_at: row.expires_at,
            note: row.note,
            created_at: Some(row.begun_at),
            recorded_at: row.changed_at,
            position,
        }
    }

    /// The transfer after a command, from the stored outcome alone.
    pub(in crate::routes) fn after(done: &Done, reach: Reach) -> Result<Self, Problem> {
        let accepted = &done.accepted;
        let Receipt::Transfer { transfer_id, status, account, amount, fee, to, expires_at } =
            &accepted.receipt
        else {
            return Err(wrong_receipt(&accepted.receipt));
        };
        let row = TransferRow {
            id: *transfer_id,
            account: account.clone(),
            receiver: to.clone(),
            currency: account.currency().map_err(|error| Problem::internal(&error))?,
            amount: *amount,
            fee: *fee,
            status: *status,
            reason: None,
            phone_hash: None,
            expires_at: Some(*expires_at),
            begun_at: accepted.recorded_at,
            begun_position: accepted.first_position,
            changed_at: accepted.recorded_at,
            note: None,
        };
        Ok(Self { created_at: None, ..Self::of(row, reach, accepted.position) })
    }
}

/// A transfer as it is shown to whoever may see all of it.
pub(crate) fn transfer_out(row: TransferRow, position: Position) -> impl Serialize {
    TransferOut::of(row, Reach::Everything, position)
}

/// Where the money of a transfer is, in words.
const fn funds(status: TransferStatus) -> &'static str {
    match status {
        TransferStatus::PendingClaim | TransferStatus::ClaimInReview => "held",
        TransferStatus::Completed => "moved",
        TransferStatus::Cancelled | TransferStatus::Expired => "not_moved",
    }
}

/// Where a transfer is in its life.
#[derive(ToSchema)]
#[schema(as = TransferStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(in crate::routes) enum TransferStatusWord {
    /// It waits for whoever proves the number.
    PendingClaim,
    /// It was claimed, and cannot be paid out yet.
    ClaimInReview,
    /// The receiver has it.
    Completed,
    /// It was given up, or its claim was refused.
    Cancelled,
    /// Nobody claimed it in time.
    Expired,
}
