//! Undoing a transaction: the opposite of its legs, as they stand in the log, once.

use chrono::NaiveDate;
use ledger_core::{
    account::{AccountEvent, Leg},
    command::{self, Operation},
    ids::TransactionId,
    log::{self, LogError, RecordedEvent},
    money::Money,
    posting::{Kind, Posting, PostingLeg},
};
use projections::Transaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::{TransactionOut, check_date},
    post::posted,
};
use crate::{
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        authority::{self, Evidence},
        idempotency::Key,
        json::Payload,
        path::Id,
        reader::Reader,
        reply::Reply,
        wire::{NOTE_CHARS_MAX, check_words},
        writer::{Identity, Writer, wrong_receipt},
    },
    identity::Scope,
};

/// Scopes each of which posts something.
const POSTING: &[Scope] = &[
    Scope::LedgerWrite,
    Scope::DepositsWrite,
    Scope::TransfersWrite,
    Scope::WithdrawalsWrite,
    Scope::PaymentsWrite,
    Scope::Admin,
];

/// How to undo a transaction.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReverseInput)]
pub(super) struct ReverseIn {
    /// The business date; today in the book's time zone if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    effective_on: Option<NaiveDate>,
    /// Words to keep beside the log, erasable; at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    note: Option<String>,
    /// Why a correction by hand is undone; if the transaction is an `adjustment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// SHA-256 of the evidence; if the transaction is an `adjustment`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence_sha256: Option<String>,
}

/// Undo a transaction
///
/// Posts the opposite of all its legs as a transaction of kind `reversal`, once. Needs what
/// posting the original needs. A reversal is not reversed; post the transaction anew.
#[utoipa::path(
    post,
    path = "/v1/transactions/{id}/reverse",
    tag = "Transactions",
    params(("id" = String, Path, description = "The transaction to undo")),
    request_body(content = ReverseIn, example = json!({"note": "Sent twice"})),
    responses((status = 201, description = "It was undone by this one.", body = TransactionOut)),
)]
pub(super) async fn reverse(
    writer: Writer,
    reader: Reader,
    approver: Approver,
    Id(original): Id<TransactionId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<TransactionOut>, Problem> {
    // What it needs exactly depends on the kind, which is not known yet.
    writer.caller.require(POSTING)?;
    let body: ReverseIn = payload.parse_or_empty()?;
    check_date(body.effective_on, "/effective_on")?;
    if let Some(note) = &body.note {
        check_words(note, NOTE_CHARS_MAX, "/note")?;
    }
    let models = &writer.state.read_models;
    let (_, found) = reader.find(|| models.transaction(original)).await?;
    let found = found.transaction;
    let evidence =
        Evidence { reason: body.reason.as_deref(), sha256: body.evidence_sha256.as_deref() };
    let permission = if found.kind.as_str() == Kind::REVERSAL {
        // The ledger refuses it; what the caller may do besides is not asked.
        authority::open_only().into()
    } else {
        authority::to_post(&writer.caller, &found.kind, evidence, &approver)?
    };

    let command = command(&writer, &found, &body).await?;
    let posting = Posting {
        transaction_id: command.transaction_id,
        kind: Kind::reversal(),
        legs: command.original_legs.iter().map(opposite).collect(),
        effective_on: body.effective_on,
        value_date: None,
        conditions: Vec::new(),
        note: body.note.clone(),
    };
    let id = original.to_string();
    let identity = Identity { key, operation: "reverse_transaction", path: &[&id], body: &body };
    let done = writer.submit(identity, permission, Operation::Reverse(command)).await?;
    let transaction = posted(&[posting], &done)?.pop();
    let transaction = transaction.ok_or_else(|| wrong_receipt(&done.accepted.receipt))?;
    let transaction = TransactionOut { reverses: Some(original), ..transaction };
    let location = format!("/v1/transactions/{}", transaction.id);
    Ok(Reply::created(transaction, &location).at(done.position).replayed(done.replayed))
}

fn opposite(leg: &PostingLeg) -> PostingLeg {
    PostingLeg { direction: leg.direction.opposite(), ..leg.clone() }
}

/// The command, with the transaction as the log has it: a read model says where it stands, but
/// money is moved by what the log says.
async fn command(
    writer: &Writer,
    found: &Transaction,
    body: &ReverseIn,
) -> Result<command::Reverse, Problem> {
    let after = found.first_position.saturating_sub(1);
    let (pool, upto) = (&writer.state.reads, found.last_position);
    let events = log::read::events(pool, after, upto, u32::MAX).await?;
    let legs: Vec<(Leg, PostingLeg)> =
        events.iter().map(|event| leg(writer, event)).collect::<Result<_, _>>()?;
    let mismatch = || Problem::internal(&"the legs in the log are not the transaction's");
    let (first, _) = legs.first().ok_or_else(mismatch)?;
    let complete = usize::from(first.legs) == legs.len()
        && legs.iter().all(|(leg, _)| leg.transaction_id == found.id);
    if !complete {
        return Err(mismatch());
    }
    Ok(command::Reverse {
        original: found.id,
        original_kind: first.kind.clone(),
        original_cause: first.cause.clone(),
        original_legs: legs.into_iter().map(|(_, leg)| leg).collect(),
        transaction_id: writer.transaction_id(),
        effective_on: body.effective_on,
        note: body.note.clone(),
    })
}

fn leg(writer: &Writer, event: &RecordedEvent) -> Result<(Leg, PostingLeg), Problem> {
    let position = event.position;
    let fact: AccountEvent = log::decode(&event.event_type, &event.event_version, &event.payload)
        .map_err(|source| LogError::Corrupt { position, source })?;
    let not_a_leg = || Problem::internal(&format!("the event at position {position} is no leg"));
    let (direction, leg) = fact.leg().ok_or_else(not_a_leg)?;
    let account: ledger_core::ids::AccountId =
        event.aggregate_id.parse().map_err(|_| not_a_leg())?;
    let code = account.currency().map_err(|_| not_a_leg())?;
    let book = writer.state.ledger.status().borrow().book.clone();
    let amount = book
        .currency(code)
        .and_then(|currency| Money::from_decimal(leg.amount, currency).ok())
        .ok_or_else(not_a_leg)?;
    let posting = PostingLeg { account, direction, amount, item: leg.item.clone() };
    Ok((leg.clone(), posting))
}
