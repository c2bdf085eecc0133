//! `/v1/payments`, `/v1/refunds` and `/v1/settlements`: paying shops, giving back, and what shops
//! can spend of it.

mod body;
mod composition;
mod disputes;
mod read;
mod refund_body;
mod settlements;
mod write;

use ledger_core::{clock::Timestamp, log::Position};
use projections::{PaymentRow, RefundRow, SettlementRow};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    deposits::Incoming,
    http::{ApiState, Problem, reach::Reach},
    payments::RefundAt,
};

/// A payment as its shop sees it.
pub(crate) fn payment_out(row: PaymentRow, position: Position) -> impl Serialize {
    body::PaymentOut::of(row, Reach::Everything, position)
}

/// A payment from another bank that its shop does not have, as it was at a moment, with the
/// currency's scale.
///
/// # Errors
/// Never: its account has a currency.
pub(crate) fn incoming_out(
    coming: &Incoming,
    scale: u8,
    (at, position): (Timestamp, Position),
) -> Result<impl Serialize + use<>, Problem> {
    let out = body::PaymentOut::incoming(coming, scale, position)?;
    Ok(body::PaymentOut { recorded_at: at, ..out })
}

/// A refund, where it is.
pub(crate) fn refund_out(row: RefundRow, at: RefundAt, position: Position) -> impl Serialize {
    refund_body::RefundOut::of(row, at, position)
}

/// A settlement.
pub(crate) fn settlement_out(row: &SettlementRow, position: Position) -> impl Serialize {
    settlements::SettlementOut::of(row, position)
}

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::pay, read::list))
        .routes(routes!(read::get))
        .routes(routes!(write::refund, read::refunds))
        .routes(routes!(read::refund))
        .routes(routes!(write::cancel_refund))
        .routes(routes!(disputes::open, disputes::get))
        .routes(routes!(disputes::say))
        .routes(routes!(disputes::decide))
        .routes(routes!(settlements::list))
        .routes(routes!(settlements::get))
        .routes(routes!(composition::get))
}
