//! Transfers as operators see them, and what a person decides about a claim that waits.

use ledger_core::{ids::TransferId, transfer::TransferStatus};
use projections::TransferFilter;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::{
    desk::claims::{self, RejectClaimIn},
    http::{
        Problem,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Id,
        query::Params,
        reach::Reach,
        reader::{Listed, Reader, limit},
        reply::Reply,
        writer::{Done, Writer},
    },
    identity::Scope,
    routes::{
        accounts::body::Empty,
        transfers::body::{TransferOut, TransferStatusWord},
    },
};

/// Which transfers to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OpsTransfersQuery {
    /// In this status; `claim_in_review` if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<TransferStatusWord>)]
    status: Option<TransferStatus>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
    /// Wait until the answer reflects this position.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    min_position: Option<u64>,
}

/// List everybody's transfers
///
/// The last one first. Claims that wait for a person, if no status is named: `reason` says why,
/// `claim_amount` (`BAHI_REVIEW_CLAIM_ABOVE`) or `account_cannot_take`.
#[utoipa::path(
    get,
    path = "/v1/ops/transfers",
    tag = "Operators",
    params(OpsTransfersQuery),
    responses((status = 200, description = "A page of transfers.", body = Listed<TransferOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<OpsTransfersQuery>,
) -> Result<Reply<Listed<TransferOut>>, Problem> {
    let models = reader.admit(&[Scope::OpsRead], query.min_position).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("ops_transfers", &query);
    let filter = TransferFilter {
        account: None,
        status: Some(query.status.unwrap_or(TransferStatus::ClaimInReview)),
        before: list.resume(query.cursor.as_deref())?,
    };
    let page = models.transfers(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let seen = |row| TransferOut::of(row, Reach::Everything, position);
    let data = page.items.into_iter().map(seen).collect();
    reader.page(&list, data, next, position)
}

/// Let a claim pass
///
/// One that is `claim_in_review`: the claimer has the money. Not by the principal who claimed it.
/// Needs `ops:approve`. The seven days count here too: 409 `transfer_expired`.
#[utoipa::path(
    post,
    path = "/v1/ops/transfers/{id}/approve",
    tag = "Operators",
    params(("id" = String, Path, description = "The transfer")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is theirs.", body = TransferOut,
        example = json!({
            "id": "tr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "transfer",
            "status": "completed", "final": true, "cancellable": false, "funds": "moved",
            "account": "wallet:asha:INR", "to": "wallet:ravi:INR",
            "amount": {"value": "15000.00", "currency": "INR"},
            "fee": {"value": "5.00", "currency": "INR"},
            "expires_at": "2026-11-29T08:30:00Z",
            "recorded_at": "2026-11-22T08:30:00Z", "position": 47}))),
)]
pub(super) async fn approve(
    writer: Writer,
    Id(transfer_id): Id<TransferId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<TransferOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: Empty = payload.parse_or_empty()?;
    decided(&claims::approve(&writer, transfer_id, key, &body).await?)
}

/// Refuse a claim
///
/// One that is `claim_in_review`; the money is the sender's again at once.
#[utoipa::path(
    post,
    path = "/v1/ops/transfers/{id}/reject",
    tag = "Operators",
    params(("id" = String, Path, description = "The transfer")),
    request_body(content = RejectClaimIn, example = json!({"reason": "number_changed_hands"})),
    responses((status = 200, description = "It has ended.", body = TransferOut,
        example = json!({
            "id": "tr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "transfer",
            "status": "cancelled", "final": true, "cancellable": false, "funds": "not_moved",
            "account": "wallet:asha:INR", "to": null,
            "amount": {"value": "15000.00", "currency": "INR"},
            "fee": {"value": "5.00", "currency": "INR"},
            "expires_at": "2026-11-29T08:30:00Z",
            "recorded_at": "2026-11-22T08:30:00Z", "position": 47}))),
)]
pub(super) async fn reject(
    writer: Writer,
    Id(transfer_id): Id<TransferId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<TransferOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite, Scope::OpsApprove])?;
    let body: RejectClaimIn = payload.parse_or_empty()?;
    decided(&claims::reject(&writer, transfer_id, key, &body).await?)
}

fn decided(done: &Done) -> Result<Reply<TransferOut>, Problem> {
    let transfer = TransferOut::after(done, Reach::Everything)?;
    Ok(Reply::ok(transfer).at(done.position).replayed(done.replayed))
}
