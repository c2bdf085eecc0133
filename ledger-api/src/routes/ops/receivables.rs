//! `/v1/ops/receivables`: what somebody owes us and will not repay is written off, by two persons.

use ledger_core::{
    chart::{Authority, Direction, PostingClass},
    command::{Operation, Receipt},
    ids::{AccountId, Reference, TransactionId},
    money::Money,
    posting::{Condition, Kind, Posting, PostingLeg},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    desk::two_persons,
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Id,
        reply::Reply,
        wire::{Amount, MoneyIn, with_book},
        writer::{Identity, Permission, Writer, wrong_receipt},
    },
    identity::Scope,
    routes::transactions::body::check_currency,
    workers::dues::house_account,
};

const EXPENSE: &str = "expense:bad_debt";

/// What is written off, and why.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WriteOff)]
pub(super) struct WriteOffIn {
    /// How much of what is owed; no more than that.
    amount: MoneyIn,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "insolvent")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

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
    if !account.as_str().starts_with("receivable:") {
        return Err(Problem::not_found("Only what somebody owes is written off."));
    }
    let approval = two_persons(&writer, &approver, &body.reason, Some(&body.evidence_sha256))?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(&account, amount.currency().code, "/amount")?;
    let operation = posting(&writer, &account, amount)?;
    if let Some(open) = house_account(EXPENSE, amount.currency()) {
        // That it is open already is as good.
        let command = writer.command(Authority::NONE.into(), open);
        writer.state.ledger.submit(command).await?;
    }
    let authority = Authority::of(&[PostingClass::Receivable, PostingClass::Expense]);
    let permission = Permission { authority, approval: Some(approval) };
    let id = account.to_string();
    let identity = Identity { key, operation: "write_off", path: &[&id], body: &body };
    let done = writer.submit(identity, permission, operation).await?;
    let Receipt::Posted { transactions, .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let transaction = *transactions.first().ok_or_else(|| wrong_receipt(&done.accepted.receipt))?;
    let (object, position, amount) = ("write_off", done.position, amount.into());
    let out = WrittenOffOut { object, account, amount, transaction, position };
    let location = format!("/v1/transactions/{transaction}");
    Ok(Reply::created(out, &location).at(done.position).replayed(done.replayed))
}

/// From what is owed to what it costs, and no more than is owed.
fn posting(writer: &Writer, account: &AccountId, amount: Money) -> Result<Operation, Problem> {
    let expense = EXPENSE.parse().map_err(|error| Problem::internal(&error))?;
    let expense = AccountId::new(&expense, amount.currency().code);
    let leg = |account, direction| PostingLeg { account, direction, amount, item: None };
    let least = Condition {
        account: account.clone(),
        sequence: None,
        minimum_balance: Some(Money::zero(amount.currency()).amount()),
    };
    Ok(Operation::Post(vec![Posting {
        transaction_id: writer.transaction_id(),
        kind: Kind::WRITE_OFF.parse().map_err(|error| Problem::internal(&error))?,
        legs: vec![leg(expense, Direction::Debit), leg(account.clone(), Direction::Credit)],
        effective_on: None,
        value_date: None,
        conditions: vec![least],
        note: None,
    }]))
}
