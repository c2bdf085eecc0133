//! What can be done with a hold.

use ledger_core::{
    book::Book,
    command::{CaptureHold, CaptureLeg, IncreaseHold, Operation, PlaceHold, Receipt},
    ids::HoldId,
};

use super::body::{CaptureIn, HoldIn, HoldIncrease, HoldOut};
use crate::{
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        authority::{self, open_only},
        codes,
        idempotency::Key,
        json::Payload,
        path::Id,
        reply::Reply,
        wire::{Amount, NOTE_CHARS_MAX, check_words, with_book},
        writer::{Done, Identity, Writer, wrong_receipt},
    },
    identity::Scope,
    routes::{
        accounts::body::Empty,
        transactions::body::{check_currency, check_date},
    },
};

/// The most accounts that one capture pays.
const CAPTURE_LEGS_MAX: usize = 99;

/// Place a hold
///
/// The amount stays on the account and cannot be spent, until the hold is captured, released or
/// expires. Only accounts of class `open` are held.
#[utoipa::path(
    post,
    path = "/v1/holds",
    tag = "Holds",
    request_body(content = HoldIn, example = json!({
        "account": "wallet:asha:INR", "amount": {"value": "20.00", "currency": "INR"}})),
    responses((status = 201, description = "It reserves from now on.", body = HoldOut)),
)]
pub(super) async fn place(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<HoldOut>, Problem> {
    writer.caller.require(&[Scope::LedgerWrite])?;
    let body: HoldIn = payload.parse()?;
    let amount = with_book(&writer.state, |book| body.amount.resolve_positive(book, "/amount"));
    let amount = amount.await?;
    check_currency(&body.account, amount.currency().code, "/amount")?;
    // A leap second is of the next day once it is truncated, so the check comes after.
    let expires_at = body.expires_at.map(ledger_core::clock::truncate);
    check_date(expires_at.map(|at| at.date_naive()), "/expires_at")?;
    let operation = Operation::PlaceHold(PlaceHold {
        hold_id: writer.hold_id(),
        account: body.account.clone(),
        amount,
        expires_at,
    });
    let identity = Identity { key, operation: "place_hold", path: &[], body: &body };
    let done = writer.submit(identity, open_only().into(), operation).await?;
    let hold = HoldOut { expires_at, ..hold(&done, "open")? };
    let location = format!("/v1/holds/{}", hold.id);
    Ok(Reply::created(hold, &location).at(done.position).replayed(done.replayed))
}

/// Increase a hold
#[utoipa::path(
    post,
    path = "/v1/holds/{id}/increase",
    tag = "Holds",
    params(("id" = String, Path, description = "The hold")),
    request_body(content = HoldIncrease, example = json!(
        {"by": {"value": "5.00", "currency": "INR"}})),
    responses((status = 200, description = "It reserves more.", body = HoldOut)),
)]
pub(super) async fn increase(
    writer: Writer,
    Id(hold_id): Id<HoldId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<HoldOut>, Problem> {
    writer.caller.require(&[Scope::LedgerWrite])?;
    let body: HoldIncrease = payload.parse()?;
    let by = with_book(&writer.state, |book| body.by.resolve_positive(book, "/by")).await?;
    let operation = Operation::IncreaseHold(IncreaseHold { hold_id, by });
    let id = hold_id.to_string();
    let identity = Identity { key, operation: "increase_hold", path: &[&id], body: &body };
    let done = writer.submit(identity, open_only().into(), operation).await?;
    Ok(Reply::ok(hold(&done, "open")?).at(done.position).replayed(done.replayed))
}

/// Capture a hold
///
/// Posts a part or the whole of it as a transaction, once; the rest is free again. A hold cannot
/// be captured from `expires_at` on.
#[utoipa::path(
    post,
    path = "/v1/holds/{id}/capture",
    tag = "Holds",
    params(("id" = String, Path, description = "The hold")),
    request_body(content = CaptureIn, example = json!({
        "kind": "payment", "amount": {"value": "15.00", "currency": "INR"},
        "to": [{"account": "wallet:ravi:INR"}]})),
    responses((status = 201, description = "It was posted.", body = HoldOut)),
)]
pub(super) async fn capture(
    writer: Writer,
    approver: Approver,
    Id(hold_id): Id<HoldId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<HoldOut>, Problem> {
    let body: CaptureIn = payload.parse()?;
    let permission = authority::to_post(&writer.caller, &body.kind, body.evidence(), &approver)?;
    let transaction_id = writer.transaction_id();
    let capture = with_book(&writer.state, |book| resolve(&body, book)).await?;
    let operation = Operation::CaptureHold(CaptureHold { hold_id, transaction_id, ..capture });
    let id = hold_id.to_string();
    let identity = Identity { key, operation: "capture_hold", path: &[&id], body: &body };
    let done = writer.submit(identity, permission, operation).await?;
    let hold = captured(&done)?;
    let transaction = hold.transaction.map(|id| format!("/v1/transactions/{id}"));
    let location = transaction.unwrap_or_default();
    Ok(Reply::created(hold, &location).at(done.position).replayed(done.replayed))
}

/// The capture in the book's terms. The ids are the caller's to fill in.
fn resolve(body: &CaptureIn, book: &Book) -> Result<CaptureHold, Problem> {
    if let Some(note) = &body.note {
        check_words(note, NOTE_CHARS_MAX, "/note")?;
    }
    check_date(body.effective_on, "/effective_on")?;
    check_date(body.value_date, "/value_date")?;
    if !(1..=CAPTURE_LEGS_MAX).contains(&body.to.len()) {
        let detail = format!("1 to {CAPTURE_LEGS_MAX} accounts.");
        return Err(Problem::field(codes::INVALID, "/to", detail));
    }
    let mut to = Vec::with_capacity(body.to.len());
    for (index, leg) in body.to.iter().enumerate() {
        let pointer = format!("/to/{index}/amount");
        let amount = leg.amount.as_ref().map(|amount| amount.resolve_positive(book, &pointer));
        let amount = amount.transpose()?;
        if amount.is_none() && body.to.len() > 1 {
            let detail = "With several accounts each must state its amount.";
            return Err(Problem::field(codes::AMOUNT_REQUIRED, pointer, detail));
        }
        to.push(CaptureLeg { account: leg.account.clone(), amount, item: leg.item.clone() });
    }
    let amount = body.amount.as_ref().map(|amount| amount.resolve_positive(book, "/amount"));
    let nil = uuid::Uuid::nil();
    Ok(CaptureHold {
        hold_id: HoldId::from_uuid(nil),
        transaction_id: ledger_core::ids::TransactionId::from_uuid(nil),
        kind: body.kind.clone(),
        amount: amount.transpose()?,
        to,
        effective_on: body.effective_on,
        value_date: body.value_date,
        note: body.note.clone(),
    })
}

/// Release a hold
///
/// Nothing is posted; all of it is free again.
#[utoipa::path(
    post,
    path = "/v1/holds/{id}/release",
    tag = "Holds",
    params(("id" = String, Path, description = "The hold")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It has ended.", body = HoldOut)),
)]
pub(super) async fn release(
    writer: Writer,
    Id(hold_id): Id<HoldId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<HoldOut>, Problem> {
    writer.caller.require(&[Scope::LedgerWrite])?;
    let body: Empty = payload.parse_or_empty()?;
    let id = hold_id.to_string();
    let identity = Identity { key, operation: "release_hold", path: &[&id], body: &body };
    let operation = Operation::ReleaseHold { hold_id };
    let done = writer.submit(identity, open_only().into(), operation).await?;
    // What it reserved is no part of the stored outcome, so no part of the answer.
    let released = HoldOut { amount: None, ..hold(&done, "released")? };
    Ok(Reply::ok(released).at(done.position).replayed(done.replayed))
}

/// The hold after a command: from the stored outcome alone.
fn hold(done: &Done, status: &str) -> Result<HoldOut, Problem> {
    let Receipt::Hold { hold_id, account, amount } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let currency = account.currency().map_err(|error| Problem::internal(&error))?;
    Ok(HoldOut {
        id: *hold_id,
        object: "hold".to_owned(),
        account: account.clone(),
        status: status.to_owned(),
        is_final: status != "open",
        amount: Some(Amount::new(*amount, currency)),
        expires_at: None,
        captured: None,
        released: None,
        transaction: None,
        effective_on: None,
        recorded_at: done.accepted.recorded_at,
        position: done.accepted.position,
    })
}

fn captured(done: &Done) -> Result<HoldOut, Problem> {
    let accepted = &done.accepted;
    let Receipt::Captured { hold_id, account, transaction_id, amount, released, effective_on } =
        &accepted.receipt
    else {
        return Err(wrong_receipt(&accepted.receipt));
    };
    let currency = account.currency().map_err(|error| Problem::internal(&error))?;
    Ok(HoldOut {
        id: *hold_id,
        object: "hold".to_owned(),
        account: account.clone(),
        status: "captured".to_owned(),
        is_final: true,
        amount: None,
        expires_at: None,
        captured: Some(Amount::new(*amount, currency)),
        released: Some(Amount::new(*released, currency)),
        transaction: Some(*transaction_id),
        effective_on: Some(*effective_on),
        recorded_at: accepted.recorded_at,
        position: accepted.position,
    })
}
