//! What can be done with a transfer.

use ledger_core::ids::TransferId;

use super::body::{ClaimIn, TransferOut};
use crate::{
    http::{
        Problem, idempotency::Key, json::Payload, path::Id, reach::Reaching as _, reply::Reply,
        writer::Writer,
    },
    routes::accounts::body::Empty,
    transfers::{self, Claim, SendIn, WRITE},
};

/// Send money
///
/// To a wallet, or to a person by handle, id or verified phone number: at once (`completed`). To a
/// number that nobody has verified: the money is held for seven days (`pending_claim`), for whoever
/// verifies it and claims; until then it can be cancelled. The same amount to the same receiver
/// within a minute is asked back: `duplicate_suspected`.
#[utoipa::path(
    post,
    path = "/v1/transfers",
    tag = "Transfers",
    request_body(content = SendIn, example = json!({
        "account": "wallet:asha:INR", "to": {"phone": "+919812345678"},
        "amount": {"value": "2.50", "currency": "INR"}, "note": "Tea"})),
    responses((status = 201, description = "It is sent, or waits.", body = TransferOut)),
)]
pub(super) async fn send(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<TransferOut>, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let body: SendIn = payload.parse()?;
    let sent = transfers::send(&writer, key, &body).await?;
    let location = format!("/v1/transfers/{}", sent.transfer.id);
    let transfer = TransferOut::of(sent.transfer, reach, sent.position);
    Ok(Reply::created(transfer, &location).at(sent.position).replayed(sent.replayed))
}

/// Claim a transfer
///
/// For whoever has verified the number that it was sent to. If their account cannot take the money
/// now, the claim waits (`claim_in_review`) and can be made again; the seven days go on meanwhile.
/// Of claim, cancellation and expiry exactly one wins: 409 `not_claimable`, `transfer_expired`.
#[utoipa::path(
    post,
    path = "/v1/transfers/{id}/claim",
    tag = "Transfers",
    params(("id" = String, Path, description = "The transfer")),
    request_body(content = ClaimIn, example = json!({
        "account": "wallet:ravi:INR", "phone": "+919812345678"})),
    responses((status = 200, description = "It is claimed.", body = TransferOut)),
)]
pub(super) async fn claim(
    writer: Writer,
    Id(transfer_id): Id<TransferId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<TransferOut>, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let body: ClaimIn = payload.parse_or_empty()?;
    let claim = Claim { account: body.account.as_ref(), phone: body.phone.as_deref() };
    let done = transfers::claim(&writer, transfer_id, key, claim, &body).await?;
    let transfer = TransferOut::after(&done, reach)?;
    Ok(Reply::ok(transfer).at(done.position).replayed(done.replayed))
}

/// Cancel a transfer
///
/// Until it is claimed or has expired; the money is free again at once. Cancelling it again changes
/// nothing. Too late: 409 `not_cancellable`.
#[utoipa::path(
    post,
    path = "/v1/transfers/{id}/cancel",
    tag = "Transfers",
    params(("id" = String, Path, description = "The transfer")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It has ended.", body = TransferOut)),
)]
pub(super) async fn cancel(
    writer: Writer,
    Id(transfer_id): Id<TransferId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<TransferOut>, Problem> {
    let reach = writer.caller.reach(WRITE)?;
    let body: Empty = payload.parse_or_empty()?;
    let done = transfers::cancel(&writer, transfer_id, key, &body).await?;
    let transfer = TransferOut::after(&done, reach)?;
    Ok(Reply::ok(transfer).at(done.position).replayed(done.replayed))
}
