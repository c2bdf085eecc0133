//! What a shop can do with payment requests.

use ledger_core::ids::PaymentRequestId;

use super::{body::RequestOut, read};
use crate::{
    http::{
        Problem, idempotency::Key, json::Payload, path::Id, reach::Reaching as _, reply::Reply,
        writer::Writer,
    },
    payments::{self, RequestIn, WRITE},
    routes::accounts::body::Empty,
};

/// Ask to be paid
///
/// A code with an amount and an order, for one payment; or one that hangs at the counter
/// (`single_use: false`, no amount), for many. `link` is what its QR code says; `…/qr.svg` draws it.
#[utoipa::path(
    post,
    path = "/v1/payment-requests",
    tag = "Payments",
    request_body(content = RequestIn, example = json!({
        "merchant": "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
        "amount": {"value": "120.00", "currency": "INR"}, "order_id": "ORDER-17",
        "description": "2 teas"})),
    responses((status = 201, description = "It can be paid.", body = RequestOut)),
)]
pub(super) async fn create(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<RequestOut>, Problem> {
    writer.caller.reach_shop(WRITE)?;
    let body: RequestIn = payload.parse()?;
    let (done, shop) = payments::create_request(&writer, key, &body).await?;
    let made = RequestOut::made(&writer.state, (&done, &shop), &body)?;
    let location = format!("/v1/payment-requests/{}", made.id);
    Ok(Reply::created(made, &location).at(done.position).replayed(done.replayed))
}

/// Take a payment request back
///
/// Until it is paid or has expired; taking it back again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/payment-requests/{id}/close",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment request")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is closed.", body = RequestOut)),
)]
pub(super) async fn close(
    writer: Writer,
    Id(id): Id<PaymentRequestId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<RequestOut>, Problem> {
    writer.caller.reach_shop(WRITE)?;
    let body: Empty = payload.parse_or_empty()?;
    let done = payments::close_request(&writer, id, key, &body).await?;
    let closed = read::after(&writer.state, id, &done).await?;
    Ok(Reply::ok(closed).at(done.position).replayed(done.replayed))
}
