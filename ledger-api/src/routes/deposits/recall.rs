//! What a person of ours decides when a bank asks for money back.

use ledger_core::{
    chart::Authority,
    deposit::{DecideRecall, DepositOperation},
    ids::{DepositId, HoldId},
};

use super::{body::DepositOut, review::ReasonIn, write::deposit};
use crate::{
    http::{
        ApiState, Problem,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Ids,
        reader::caught_up,
        reply::Reply,
        writer::{Identity, Writer},
    },
    identity::Scope,
};

/// Give a credit back to its bank
///
/// The bank asks for it: what its hold has goes from the wallet, and the rest its owner owes
/// (`receivable:recall:…`). The bank's statement shows it later. Doing so again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/ops/deposits/{id}/credits/{number}/recall/grant",
    tag = "Deposits",
    params(
        ("id" = String, Path, description = "The deposit"),
        ("number" = u32, Path, description = "Which credit of it, from 1"),
    ),
    request_body(content = ReasonIn, example = json!({"reason": "sent-by-mistake"})),
    responses((status = 200, description = "It goes back.", body = DepositOut)),
)]
pub(super) async fn grant(
    writer: Writer,
    Ids(id, number): Ids<DepositId, u32>,
    key: Key,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    decide(&writer, (id, number), (key, payload), true).await
}

/// Keep a credit that its bank asks back
///
/// The hold ends, and the money is the wallet's as before. Doing so again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/ops/deposits/{id}/credits/{number}/recall/refuse",
    tag = "Deposits",
    params(
        ("id" = String, Path, description = "The deposit"),
        ("number" = u32, Path, description = "Which credit of it, from 1"),
    ),
    request_body(content = ReasonIn, example = json!({"reason": "goods-delivered"})),
    responses((status = 200, description = "It stays.", body = DepositOut)),
)]
pub(super) async fn refuse(
    writer: Writer,
    Ids(id, number): Ids<DepositId, u32>,
    key: Key,
    payload: Payload,
) -> Result<Reply<DepositOut>, Problem> {
    decide(&writer, (id, number), (key, payload), false).await
}

async fn decide(
    writer: &Writer,
    (deposit_id, number): (DepositId, u32),
    (key, payload): (Key, Payload),
    granted: bool,
) -> Result<Reply<DepositOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: ReasonIn = payload.parse()?;
    let operation = DepositOperation::DecideRecall(DecideRecall {
        deposit_id,
        number,
        granted,
        reason: Some(body.reason.clone()),
        hold_id: hold_of(&writer.state, deposit_id, number).await?,
        transaction_id: writer.transaction_id(),
    });
    let (id, number) = (deposit_id.to_string(), number.to_string());
    let name = if granted { "grant_recall" } else { "refuse_recall" };
    let identity = Identity { key, operation: name, path: &[&id, &number], body: &body };
    let permission = Authority::of_deposits().into();
    let done = writer.submit(identity, permission, operation.into()).await?;
    Ok(Reply::ok(deposit(&done)?).at(done.position).replayed(done.replayed))
}

/// The hold of a recall: the ledger is told of it, and refuses if it is another one.
async fn hold_of(
    state: &ApiState,
    deposit_id: DepositId,
    number: u32,
) -> Result<Option<HoldId>, Problem> {
    let history = caught_up(state).await?.deposit(deposit_id).await?.value;
    let deposit = history.map(|history| history.deposit);
    let credit = deposit.as_ref().and_then(|deposit| deposit.credit(number));
    Ok(credit.and_then(|credit| credit.recall.as_ref()?.hold_id))
}
