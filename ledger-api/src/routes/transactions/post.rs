//! Posting: one transaction, or several that stand or fall together.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    chart::Authority,
    command::{Operation, Receipt},
    posting::Posting,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{TransactionIn, TransactionOut};
use crate::http::{
    Problem,
    approval::Approver,
    authority, codes,
    idempotency::Key,
    json::Payload,
    query::Params,
    reply::Reply,
    wire::with_book,
    writer::{Done, Identity, Permission, Writer, wrong_receipt},
};

/// The most transactions of an atomic batch.
const BATCH_MAX: usize = 100;

/// How to post.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PostQuery {
    /// With `true`, says what would become of the transaction and appends nothing. Needs no
    /// idempotency key.
    #[serde(default)]
    dry_run: bool,
}

/// What would become of a transaction.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct DryRun {
    /// Always `dry_run`.
    #[schema(example = "dry_run")]
    object: String,
    /// Always true: a refusal is a problem with status 422, as it would be without `dry_run`.
    accepted: bool,
    /// The business date that it would have.
    effective_on: NaiveDate,
}

/// Transactions that stand or fall together.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchInput)]
pub(super) struct BatchIn {
    /// The transactions, posted in this order; 1 to 100.
    transactions: Vec<TransactionIn>,
}

/// Transactions that were posted together.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Batch)]
pub(super) struct BatchOut {
    /// Always `batch`.
    #[schema(example = "batch")]
    object: String,
    /// The transactions, in the order of the request.
    data: Vec<TransactionOut>,
    /// When they were recorded.
    recorded_at: DateTime<Utc>,
    /// The position of their last event.
    position: u64,
}

/// Post a transaction
///
/// All of its legs, in one append, or nothing. The account on the one side gets what the account
/// on the other gives; in each currency debits and credits are equal.
#[utoipa::path(
    post,
    path = "/v1/transactions",
    tag = "Transactions",
    params(PostQuery),
    request_body(content = TransactionIn, example = json!({
        "kind": "transfer", "debit": "wallet:asha:INR", "credit": "wallet:ravi:INR",
        "amount": {"value": "12.00", "currency": "INR"}, "note": "Lunch",
    })),
    responses((status = 201, description = "It was posted.", body = TransactionOut),
        (status = 200, description = "With `dry_run=true`: it would be posted.", body = DryRun)),
)]
pub(super) async fn post(
    writer: Writer,
    approver: Approver,
    Params(query): Params<PostQuery>,
    key: Result<Key, Problem>,
    payload: Payload,
) -> Result<Response, Problem> {
    if query.dry_run {
        return dry_run(&writer, &approver, &payload).await;
    }
    let key = key?;
    let body: TransactionIn = payload.parse()?;
    let permission = authority::to_post(&writer.caller, &body.kind, body.evidence(), &approver)?;
    let posting = resolve(&writer, &body).await?;
    let identity = Identity { key, operation: "post_transaction", path: &[], body: &body };
    let operation = Operation::Post(vec![posting.clone()]);
    let done = writer.submit(identity, permission, operation).await?;
    let [transaction] = &*posted(&[posting], &done)? else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let location = format!("/v1/transactions/{}", transaction.id);
    Ok(Reply::created(transaction, &location)
        .at(done.position)
        .replayed(done.replayed)
        .into_response())
}

async fn dry_run(
    writer: &Writer,
    approver: &Approver,
    payload: &Payload,
) -> Result<Response, Problem> {
    let body: TransactionIn = payload.parse()?;
    let permission = authority::to_post(&writer.caller, &body.kind, body.evidence(), approver)?;
    let posting = resolve(writer, &body).await?;
    let operation = Operation::Post(vec![posting]);
    let done = writer.dry_run(permission, operation).await?;
    let Receipt::Posted { effective_on, .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let [effective_on] = &**effective_on else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let answer =
        DryRun { object: "dry_run".to_owned(), accepted: true, effective_on: *effective_on };
    Ok(Reply::ok(answer).at(done.position).into_response())
}

/// Post several transactions that stand or fall together
///
/// A refusal says which `transaction` of the request, from 0, was refused; nothing was posted.
#[utoipa::path(
    post,
    path = "/v1/transactions/batch",
    tag = "Transactions",
    request_body(content = BatchIn, example = json!({"transactions": [
        {"kind": "transfer", "debit": "wallet:asha:INR", "credit": "wallet:ravi:INR",
         "amount": {"value": "5.00", "currency": "INR"}},
        {"kind": "transfer", "debit": "wallet:ravi:INR", "credit": "wallet:asha:INR",
         "amount": {"value": "2.00", "currency": "INR"}},
    ]})),
    responses((status = 201, description = "All were posted.", body = BatchOut)),
)]
pub(super) async fn batch(
    writer: Writer,
    approver: Approver,
    key: Key,
    payload: Payload,
) -> Result<Reply<BatchOut>, Problem> {
    let body: BatchIn = payload.parse()?;
    if !(1..=BATCH_MAX).contains(&body.transactions.len()) {
        let detail = format!("1 to {BATCH_MAX} transactions.");
        return Err(Problem::field(codes::INVALID, "/transactions", detail));
    }
    let permission = batch_permission(&writer, &approver, &body)?;
    let mut postings = Vec::with_capacity(body.transactions.len());
    for (index, transaction) in body.transactions.iter().enumerate() {
        let posting = resolve(&writer, transaction).await;
        postings.push(posting.map_err(|problem| under(problem, index))?);
    }
    let identity = Identity { key, operation: "post_batch", path: &[], body: &body };
    let operation = Operation::Post(postings.clone());
    let done = writer.submit(identity, permission, operation).await?;
    let answer = BatchOut {
        object: "batch".to_owned(),
        data: posted(&postings, &done)?,
        recorded_at: done.accepted.recorded_at,
        position: done.accepted.position,
    };
    Ok(Reply::created(answer, "/v1/transactions").at(done.position).replayed(done.replayed))
}

/// A batch is one command with one authority, so its kinds must all give the same: or a batch
/// would lend the classes of one kind to another.
fn batch_permission(
    writer: &Writer,
    approver: &Approver,
    body: &BatchIn,
) -> Result<Permission, Problem> {
    let mut common: Option<Permission> = None;
    for (index, transaction) in body.transactions.iter().enumerate() {
        let evidence = transaction.evidence();
        let permission = authority::to_post(&writer.caller, &transaction.kind, evidence, approver)
            .map_err(|problem| under(problem, index))?;
        let same = common.as_ref().is_none_or(|first| {
            first.authority == permission.authority && first.approval == permission.approval
        });
        if !same {
            let detail = "The kinds of a batch must all move the same classes of accounts, and \
                          its adjustments must have one reason and evidence.";
            let pointer = format!("/transactions/{index}/kind");
            return Err(Problem::field(codes::INVALID, pointer, detail));
        }
        common = Some(permission);
    }
    Ok(common.unwrap_or_else(|| Authority::NONE.into()))
}

fn under(problem: Problem, index: usize) -> Problem {
    problem.under(&format!("/transactions/{index}"))
}

/// The transaction in the book's terms.
pub(super) async fn resolve(writer: &Writer, body: &TransactionIn) -> Result<Posting, Problem> {
    let id = writer.transaction_id();
    with_book(&writer.state, |book| body.to_posting(book, id)).await
}

/// The transactions that an accepted command posted: from the request and the stored outcome
/// alone, so that a replay is the same to the byte.
pub(super) fn posted(postings: &[Posting], done: &Done) -> Result<Vec<TransactionOut>, Problem> {
    let accepted = &done.accepted;
    let Receipt::Posted { transactions, effective_on } = &accepted.receipt else {
        return Err(wrong_receipt(&accepted.receipt));
    };
    if transactions.len() != postings.len() || effective_on.len() != postings.len() {
        return Err(wrong_receipt(&accepted.receipt));
    }
    // The legs are the last events of the append, in the order of the request.
    let count = |posting: &Posting| u64::try_from(posting.legs.len()).unwrap_or(u64::MAX);
    let legs: u64 = postings.iter().map(count).sum();
    let mut position = accepted.position.saturating_sub(legs);
    let mut made = Vec::with_capacity(postings.len());
    for (posting, (id, day)) in postings.iter().zip(transactions.iter().zip(effective_on)) {
        position = position.saturating_add(count(posting));
        made.push(TransactionOut::posted(posting, *id, *day, accepted.recorded_at, position));
    }
    Ok(made)
}
