//! `/v1/ops/receivables`: what somebody owes us and will not repay is written off, by two persons.

use ledger_core::{
    command::Receipt,
    ids::{AccountId, TransactionId},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    desk::receivables::{self, WriteOffIn},
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Id,
        reply::Reply,
        wire::Amount,
        writer::{Writer, wrong_receipt},
    },
    identity::Scope,
};

/// What was written off.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WrittenOff)]
pub(super) struct WrittenOffOut {
    /// Always `write_off`.
    #[schema(example = "write_off")]
    object: &'static str,
    /// The receivable.
    #[schema(value_type = String, example = "receivable:overpaid:asha:INR")]
    account: AccountId,
    /// How much of it.
    amount: Amount,
    /// The transaction.
    #[schema(value_type = String)]
    transaction: TransactionId,
    /// The position that the answer reflects.
    position: u64,
}

/// Write off what somebody owes
///
/// What nobody will repay becomes an expense (`expense:bad_debt`). Always takes a second person
/// with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`. More than is owed is
/// refused with 422 `minimum_balance_not_met`.
#[utoipa::path(
    post,
    path = "/v1/ops/receivables/{id}/write-off",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The account: `receivable:…`")),
    request_body(content = WriteOffIn, example = json!({
        "amount": {"value": "400.00", "currency": "INR"}, "reason": "insolvent",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 201, description = "It is an expense now.", body = WrittenOffOut,
        example = json!({"object": "write_off", "account": "receivable:overpaid:asha:INR",
            "amount": {"value": "400.00", "currency": "INR"},
            "transaction": "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "position": 42}))),
)]
pub(super) async fn write_off(
    writer: Writer,
    Id(account): Id<AccountId>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<WrittenOffOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: WriteOffIn = payload.parse()?;
    let (done, amount) = receivables::write_off(&writer, &approver, &account, key, &body).await?;
    let Receipt::Posted { transactions, .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let transaction = *transactions.first().ok_or_else(|| wrong_receipt(&done.accepted.receipt))?;
    let (object, position, amount) = ("write_off", done.position, amount.into());
    let out = WrittenOffOut { object, account, amount, transaction, position };
    let location = format!("/v1/transactions/{transaction}");
    Ok(Reply::created(out, &location).at(done.position).replayed(done.replayed))
}
