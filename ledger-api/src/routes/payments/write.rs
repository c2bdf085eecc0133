//! Paying and giving back.

use ledger_core::ids::{PaymentId, RefundId};

use super::{body::PaymentOut, refund_body::RefundOut};
use crate::{
    http::{
        Problem, idempotency::Key, json::Payload, path::Id, reach::Reaching as _, reply::Reply,
        writer::Writer,
    },
    payments::{self, PayIn, REFUND, RefundIn, WRITE},
    routes::accounts::body::Empty,
};

/// Pay a shop
///
/// By a payment request, by what a QR code says, or to the shop as such. The shop's fee is taken
/// from what it gets; whoever pays pays the amount. A request for one payment is paid once: of two
/// who try, one gets 409 `payment_request_not_payable`.
#[utoipa::path(
    post,
    path = "/v1/payments",
    tag = "Payments",
    request_body(content = PayIn, example = json!({
        "account": "wallet:asha:INR", "request": "pr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6"})),
    responses((status = 201, description = "The shop is paid.", body = PaymentOut)),
)]
pub(super) async fn pay(
    writer: Writer,
    key: Key,
    payload: Payload,
) -> Result<Reply<PaymentOut>, Problem> {
    writer.caller.reach(WRITE)?;
    let body: PayIn = payload.parse()?;
    let done = payments::pay(&writer, key, &body).await?;
    let paid = PaymentOut::made(&done)?;
    let location = format!("/v1/payments/{}", paid.id);
    Ok(Reply::created(paid, &location).at(done.position).replayed(done.replayed))
}

/// Give back
///
/// A part, or all that is left if no amount is said. Out of what is not settled of this payment
/// first, then out of what the shop can spend; if that is too little, the refund waits (`pending`)
/// and goes out as soon as sales cover it, the oldest first. The fee is not given back.
#[utoipa::path(
    post,
    path = "/v1/payments/{id}/refunds",
    tag = "Payments",
    params(("id" = String, Path, description = "The payment")),
    request_body(content = RefundIn, example = json!({
        "amount": {"value": "20.00", "currency": "INR"}, "reason": "returned"})),
    responses((status = 201, description = "It went back, or waits.", body = RefundOut)),
)]
pub(super) async fn refund(
    writer: Writer,
    Id(id): Id<PaymentId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<RefundOut>, Problem> {
    writer.caller.reach_shop(REFUND)?;
    let body: RefundIn = payload.parse_or_empty()?;
    let done = payments::refund(&writer, id, key, &body).await?;
    let refund = RefundOut::after(&done)?;
    let location = format!("/v1/refunds/{}", refund.id);
    Ok(Reply::created(refund, &location).at(done.position).replayed(done.replayed))
}

/// Give up a refund that waits
///
/// Once it went out it is too late: 409 `refund_not_pending`.
#[utoipa::path(
    post,
    path = "/v1/refunds/{id}/cancel",
    tag = "Payments",
    params(("id" = String, Path, description = "The refund")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is given up.", body = RefundOut)),
)]
pub(super) async fn cancel_refund(
    writer: Writer,
    Id(id): Id<RefundId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<RefundOut>, Problem> {
    writer.caller.reach_shop(REFUND)?;
    let body: Empty = payload.parse_or_empty()?;
    let done = payments::cancel_refund(&writer, id, key, &body).await?;
    let refund = RefundOut::after(&done)?;
    Ok(Reply::ok(refund).at(done.position).replayed(done.replayed))
}
