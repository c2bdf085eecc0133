//! What a person of ours decides about money that waits in suspense.

use ledger_core::{
    chart::Authority,
    deposit::{DecideDepositReview, DepositOperation},
    ids::{AccountId, DepositId, Reference},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{body::DepositOut, write::deposit};
use crate::{
    http::{
        Problem,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Ids,
        reply::Reply,
        writer::{Identity, Writer},
    },
    identity::Scope,
};

/// Whose the money is.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditAssignment)]
pub(super) struct AssignIn {
    /// The wallet that gets it, in the deposit's currency.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    account: AccountId,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "case-2026-117")]
    reason: Reference,
}

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
/// later is refused with 422 `credit_not_in_review`.
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
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: AssignIn = payload.parse()?;
    let decision = (Some(body.account.clone()), body.reason.clone());
    decide(&writer, (id, number), (key, "assign_credit", &body), decision).await
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
    decide(&writer, (id, number), (key, "leave_credit", &body), decision).await
}

async fn decide<T: Serialize>(
    writer: &Writer,
    (deposit_id, number): (DepositId, u32),
    (key, operation, body): (Key, &'static str, &T),
    (assign_to, reason): (Option<AccountId>, Reference),
) -> Result<Reply<DepositOut>, Problem> {
    let decision = DepositOperation::DecideReview(DecideDepositReview {
        deposit_id,
        number,
        assign_to,
        reason: Some(reason),
        transaction_id: writer.transaction_id(),
    });
    let (id, number) = (deposit_id.to_string(), number.to_string());
    let identity = Identity { key, operation, path: &[&id, &number], body };
    let permission = Authority::of_deposits().into();
    let done = writer.submit(identity, permission, decision.into()).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}
