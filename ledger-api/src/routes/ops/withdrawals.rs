//! Withdrawals as operators see them, and what one person decides about them alone.

use ledger_core::{
    ids::{BankCode, WithdrawalId},
    withdrawal::WithdrawalStatus,
};
use projections::WithdrawalFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    desk::reviews::{self, RejectIn},
    http::{
        Problem,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Id,
        query::Params,
        reader::{Listed, Reader, limit},
        reply::Reply,
        writer::{Done, Writer},
    },
    identity::Scope,
    routes::{
        accounts::body::Empty,
        withdrawals::{
            body::{WithdrawalOut, WithdrawalStatusWord},
            list::withdrawals,
        },
    },
    workers::withdrawals::notes::Notes,
};

/// How many that are passed over are looked at in one list.
const BLOCKED_MAX: u32 = 10_000;

/// Which withdrawals to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OpsWithdrawalsQuery {
    /// In this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<WithdrawalStatusWord>)]
    status: Option<WithdrawalStatus>,
    /// Of this bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>)]
    bank: Option<BankCode>,
    /// Only those that the queue passes over until somebody has looked (`true`), or all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<bool>,
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

/// List everybody's withdrawals
///
/// The last one first; `status_detail` says why each is where it is.
#[utoipa::path(
    get,
    path = "/v1/ops/withdrawals",
    tag = "Operators",
    params(OpsWithdrawalsQuery),
    responses((status = 200, description = "A page of withdrawals.", body = Listed<WithdrawalOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<OpsWithdrawalsQuery>,
) -> Result<Reply<Listed<WithdrawalOut>>, Problem> {
    let models = reader.admit(&[Scope::OpsRead], query.min_position).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("ops_withdrawals", &query);
    let among = match query.blocked {
        None => None,
        Some(blocked) => {
            let notes = Notes::new(reader.state.reads.clone());
            Some((notes.all_blocked(BLOCKED_MAX).await?, blocked))
        }
    };
    let filter = WithdrawalFilter {
        account: None,
        status: query.status,
        bank: query.bank.clone(),
        among,
        before: list.resume(query.cursor.as_deref())?,
    };
    let page = models.withdrawals(&filter, limit).await?;
    let (next, position) = (page.next, page.position);
    let data = withdrawals(&reader.state, page).await?;
    reader.page(&list, data, next, position)
}

/// Let a withdrawal pass
///
/// One that is `pending_review`; it is queued then. Not by the principal who requested it. Needs
/// `ops:approve`.
#[utoipa::path(
    post,
    path = "/v1/ops/withdrawals/{id}/approve",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is queued.", body = WithdrawalOut,
        example = json!({
            "id": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "withdrawal", "status": "queued",
            "final": false, "cancellable": true, "funds": "held", "account": "wallet:asha:INR",
            "amount": {"value": "150000.00", "currency": "INR"},
            "fee": {"value": "10.00", "currency": "INR"},
            "bank_account": "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "bank": "hdfc", "rail": "imps",
            "recorded_at": "2026-11-22T08:30:00Z", "position": 47}))),
)]
pub(super) async fn approve(
    writer: Writer,
    Id(withdrawal_id): Id<WithdrawalId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<WithdrawalOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: Empty = payload.parse_or_empty()?;
    decided(&reviews::approve(&writer, withdrawal_id, key, &body).await?)
}

/// Refuse a withdrawal
///
/// One that is `pending_review`; amount and fee are given back.
#[utoipa::path(
    post,
    path = "/v1/ops/withdrawals/{id}/reject",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal")),
    request_body(content = RejectIn, example = json!({"reason": "payee_suspicious"})),
    responses((status = 200, description = "It has ended.", body = WithdrawalOut,
        example = json!({
            "id": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "withdrawal",
            "status": "rejected",
            "final": true, "cancellable": false, "funds": "not_moved", "account": "wallet:asha:INR",
            "amount": {"value": "150000.00", "currency": "INR"},
            "fee": {"value": "10.00", "currency": "INR"},
            "bank_account": "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "bank": "hdfc", "rail": "imps",
            "recorded_at": "2026-11-22T08:30:00Z", "position": 47}))),
)]
pub(super) async fn reject(
    writer: Writer,
    Id(withdrawal_id): Id<WithdrawalId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<WithdrawalOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite, Scope::OpsApprove])?;
    let body: RejectIn = payload.parse_or_empty()?;
    decided(&reviews::reject(&writer, withdrawal_id, key, &body).await?)
}

fn decided(done: &Done) -> Result<Reply<WithdrawalOut>, Problem> {
    let accepted = &done.accepted;
    let out = WithdrawalOut::of(&accepted.receipt, accepted.recorded_at, accepted.position)?;
    Ok(Reply::ok(out).at(done.position).replayed(done.replayed))
}

/// A withdrawal that the queue looks at again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Unblocked)]
pub(super) struct UnblockOut {
    /// The withdrawal.
    #[schema(value_type = String, example = "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: WithdrawalId,
    /// Always `withdrawal_unblocked`.
    #[schema(example = "withdrawal_unblocked")]
    object: &'static str,
    /// Whether it was passed over until now.
    was_blocked: bool,
}

/// Have the queue look at a withdrawal again
///
/// One that it passes over (`blocked`), after what stopped it was mended. If it was not, it is
/// stopped again. The same done twice changes nothing more; no key is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/withdrawals/{id}/unblock",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is looked at again.", body = UnblockOut)),
)]
pub(super) async fn unblock(
    writer: Writer,
    Id(id): Id<WithdrawalId>,
    payload: Payload,
) -> Result<Reply<UnblockOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let Empty {} = payload.parse_or_empty()?;
    let was_blocked = reviews::unblock(&writer, id).await?;
    Ok(Reply::ok(UnblockOut { id, object: "withdrawal_unblocked", was_blocked }))
}
