//! What a person of ours decides about money that waits in suspense.

use ledger_core::{
    chart::Authority,
    ids::{DepositId, Reference},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{body::DepositOut, write::deposit};
use crate::{
    desk::suspense::{AssignIn, admit, assign_credit, decide},
    http::{
        Problem, approval::Approver, auth::Require as _, idempotency::Key, json::Payload,
        path::Ids, reply::Reply, writer::Writer,
    },
    identity::Scope,
};

/// Why the money goes back.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditReason)]
pub(super) struct ReasonIn {
    /// A code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "third_party")]
    pub(super) reason: Reference,
}

/// Assign a credit to a wallet
///
/// Money that waits in suspense goes to a wallet. Of one credit, one decision holds: another one
/// later is refused with 422 `credit_not_in_review`. More than ₹10,000
/// (`BAHI_REVIEW_SUSPENSE_ABOVE`), and other currencies, take a second person with `ops:approve`:
/// `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/deposits/{id}/credits/{number}/assign",
    tag = "Deposits",
    params(
        ("id" = String, Path, description = "The deposit"),
        ("number" = u32, Path, description = "Which credit of it, from 1"),
    ),
    request_body(content = AssignIn, example = json!({
        "account": "wallet:asha:INR", "reason": "case-2026-117"})),
    responses((status = 200, description = "It is on the wallet.", body = DepositOut)),
)]
pub(super) async fn assign(
    writer: Writer,
    Ids(id, number): Ids<DepositId, u32>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    admit(&writer.caller)?;
    let body: AssignIn = payload.parse()?;
    let said = (key, "assign_credit", &body);
    let done = assign_credit(&writer, &approver, (id, number), said).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}

/// Leave a credit to be sent back
///
/// Money that waits in suspense stays there until it is sent back to whom it came from. Doing so
/// again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/ops/deposits/{id}/credits/{number}/leave",
    tag = "Deposits",
    params(
        ("id" = String, Path, description = "The deposit"),
        ("number" = u32, Path, description = "Which credit of it, from 1"),
    ),
    request_body(content = ReasonIn, example = json!({"reason": "third_party"})),
    responses((status = 200, description = "It waits to be sent back.", body = DepositOut)),
)]
pub(super) async fn leave(
    writer: Writer,
    Ids(id, number): Ids<DepositId, u32>,
    key: Key,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: ReasonIn = payload.parse()?;
    let decision = (None, body.reason.clone());
    let permission = Authority::of_deposits().into();
    let said = (key, "leave_credit", &body);
    let done = decide(&writer, (id, number), said, permission, decision).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}
