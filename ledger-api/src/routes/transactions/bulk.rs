//! Bulk: many transactions in one request, each of which stands on its own.

use axum::http::StatusCode;
use ledger_core::{
    command::Operation,
    engine::{Answer, SubmitError},
    posting::Posting,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::{TransactionIn, TransactionOut},
    post::{posted, resolve},
};
use crate::http::{
    Problem,
    approval::Approver,
    auth::Require as _,
    authority, codes,
    idempotency::{self, BULK_KEY_LEN_MAX, Key},
    json::{BULK_BYTES_MAX, Payload},
    problem::ProblemBody,
    reply::Reply,
    writer::{Writer, done, wrong_receipt},
};

/// The most items of a bulk request.
const ITEMS_MAX: usize = 1_000;

/// Many transactions, each on its own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkInput)]
pub(super) struct BulkIn {
    /// The transactions, decided in this order; 1 to 1,000.
    items: Vec<TransactionIn>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bulk)]
pub(super) struct BulkOut {
    /// Always `bulk`.
    #[schema(example = "bulk")]
    object: &'static str,
    /// One outcome per item, in the order of the request.
    data: Vec<ItemOut>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BulkItem)]
pub(super) struct ItemOut {
    /// Which item, from 0.
    index: usize,
    /// The status that it would have had as a request of its own.
    status: u16,
    /// Whether an earlier request with its key was answered this way.
    replayed: bool,
    /// The transaction, if it was posted.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionOut>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
}

/// Post many transactions, each on its own
///
/// Each item has the idempotency key `{key}/{index}` and an outcome of its own, so a request that
/// was cut off is sent again as it was: what was posted is not posted again.
#[utoipa::path(
    post,
    path = "/v1/transactions/bulk",
    tag = "Transactions",
    request_body(content = BulkIn, example = json!({"items": [
        {"kind": "transfer", "debit": "wallet:asha:INR", "credit": "wallet:ravi:INR",
         "amount": {"value": "1.00", "currency": "INR"}},
        {"kind": "transfer", "debit": "wallet:asha:INR", "credit": "wallet:ravi:INR",
         "amount": {"value": "1000000.00", "currency": "INR"}},
    ]})),
    responses((status = 200, description = "What became of each item.", body = BulkOut)),
)]
pub(super) async fn bulk(
    writer: Writer,
    approver: Approver,
    Key(key): Key,
    payload: Payload<BULK_BYTES_MAX>,
) -> Result<Reply<BulkOut>, Problem> {
    if writer.caller.person.is_some() {
        // Each item would be refused by itself; people are told once.
        writer.caller.require(&[crate::identity::Scope::LedgerWrite])?;
    }
    if key.as_str().len() > BULK_KEY_LEN_MAX {
        let detail = format!("The key of a bulk request has at most {BULK_KEY_LEN_MAX} bytes.");
        return Err(Problem::new(codes::IDEMPOTENCY_KEY_INVALID, detail));
    }
    let body: BulkIn = payload.parse()?;
    if !(1..=ITEMS_MAX).contains(&body.items.len()) {
        let detail = format!("1 to {ITEMS_MAX} items.");
        return Err(Problem::field(codes::INVALID, "/items", detail));
    }

    // Items that are wrong in themselves never reach the engine; the others keep their order.
    let mut data: Vec<Result<ItemOut, Posting>> = Vec::with_capacity(body.items.len());
    let mut commands = Vec::new();
    for (index, item) in body.items.iter().enumerate() {
        match command(&writer, &approver, key.as_str(), index, item).await {
            Ok((command, posting)) => {
                commands.push(command);
                data.push(Err(posting));
            }
            // What the key may not do is no outcome of an item: the request as a whole is refused.
            Err(problem) if problem.status() == StatusCode::FORBIDDEN.as_u16() => {
                return Err(problem.under(&format!("/items/{index}")));
            }
            Err(problem) => data.push(Ok(refused(index, &problem))),
        }
    }
    let mut answers = if commands.is_empty() {
        Vec::new()
    } else {
        writer.state.ledger.submit_all(commands).await?
    }
    .into_iter();
    let mut position = 0;
    let mut items = Vec::with_capacity(data.len());
    for (index, prepared) in data.into_iter().enumerate() {
        items.push(match prepared {
            Ok(refused) => refused,
            Err(posting) => {
                let answer = answers.next().unwrap_or(Err(SubmitError::Unavailable));
                if let Ok(answer) = &answer {
                    position = answer.position.max(position);
                }
                outcome(index, posting, answer)
            }
        });
    }
    let reply = Reply::ok(BulkOut { object: "bulk", data: items });
    Ok(if position > 0 { reply.at(position) } else { reply })
}

async fn command(
    writer: &Writer,
    approver: &Approver,
    key: &str,
    index: usize,
    item: &TransactionIn,
) -> Result<(ledger_core::command::Command, Posting), Problem> {
    let permission = authority::to_post(&writer.caller, &item.kind, item.evidence(), approver)?;
    let posting = resolve(writer, item).await?;
    let key = format!("{key}/{index}").parse().map_err(|error| Problem::internal(&error))?;
    let secret = &writer.state.fingerprint_key;
    let idempotency = idempotency::bind(secret, key, "post_bulk_item", &[], item)?;
    let mut command = writer.command(permission, Operation::Post(vec![posting.clone()]));
    command.idempotency = Some(idempotency);
    Ok((command, posting))
}

fn outcome(index: usize, posting: Posting, answer: Result<Answer, SubmitError>) -> ItemOut {
    let done = match done(answer) {
        Ok(done) => done,
        Err(problem) => return refused(index, &problem),
    };
    match posted(&[posting], &done).map(|mut transactions| transactions.pop()) {
        Ok(Some(transaction)) => ItemOut {
            index,
            status: StatusCode::CREATED.as_u16(),
            replayed: done.replayed,
            transaction: Some(transaction),
            problem: None,
        },
        Ok(None) => refused(index, &wrong_receipt(&done.accepted.receipt)),
        Err(problem) => refused(index, &problem),
    }
}

fn refused(index: usize, problem: &Problem) -> ItemOut {
    ItemOut {
        index,
        status: problem.status(),
        replayed: problem.is_replay(),
        transaction: None,
        problem: Some(problem.body()),
    }
}
