//! What a shop sold: its payments with filters in the address and as a file, one payment with its
//! steps and the way to give it back, the counter, settlements, what payouts are made of, reports.
//!
//! The pages read what the API reads and give back as the API does. Whose payment it is, is asked
//! with every one of them: another shop's is not there. Who takes payments sees what comes in at
//! the counter, and nothing that adds up to a balance.

mod coming;
mod counter;
mod dispute;
mod found;
mod list;
mod live;
mod names;
mod one;
mod paper;
mod parts;
mod payouts;
mod proof;
mod query;
mod refund;
mod reports;
mod settlements;
mod settlements_query;
mod steps;
mod table;

pub(super) use parts::paise;
pub(super) use query::{day, rupees};

use axum::{
    Router,
    routing::{get, post},
};
use ledger_core::ids::{MerchantCode, PaymentId};
use projections::{PaymentHistory, PaymentRow};

use super::{ShopVisitor, looking};
use crate::{
    http::{ApiState, Problem, reach::nothing, reader::find},
    payments::code_of,
};

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/merchant/payments", get(list::list))
        .route("/merchant/payments.csv", get(list::csv))
        .route("/merchant/payments/{id}", get(one::page))
        .route("/merchant/payments/{id}/proof", get(proof::file))
        .route("/merchant/payments/{id}/refund", get(refund::back).post(refund::give_back))
        .route("/merchant/payments/{id}/refunds/{refund}/cancel", post(refund::cancel))
        .route("/merchant/payments/{id}/dispute/evidence", post(dispute::say))
        .route("/merchant/counter", get(counter::page))
        .route("/merchant/counter/events", get(live::events))
        .route("/merchant/settlements", get(settlements::list))
        .route("/merchant/settlements.csv", get(settlements::list_csv))
        .route("/merchant/settlements/{id}", get(settlements::one))
        .route("/merchant/settlements/{id}/payments.csv", get(settlements::one_csv))
        .route("/merchant/payouts/{id}/parts", get(payouts::page))
        .route("/merchant/payouts/{id}/parts.csv", get(payouts::csv))
        .route("/merchant/reports", get(reports::page))
        .route("/merchant/reports.csv", get(reports::csv))
        .route("/merchant/reports.pdf", get(reports::pdf))
}

/// The shop as the ledger names it.
fn shop<N>(visitor: &ShopVisitor<N>) -> Result<MerchantCode, Problem> {
    code_of(visitor.at.shop.id)
}

/// A payment of the visitor's shop with its steps; another shop's is not there.
async fn own_payment<N>(
    visitor: &ShopVisitor<N>,
    id: &str,
) -> Result<(PaymentRow, PaymentHistory), Problem> {
    let id: PaymentId = id.parse().map_err(|_| nothing())?;
    let models = &visitor.state.read_models;
    let (_, row) = find(&visitor.state, || models.payment(id)).await?;
    if row.merchant != shop(visitor)? {
        return Err(nothing());
    }
    let (_, history) = find(&visitor.state, || models.payment_history(id)).await?;
    Ok((row, history))
}

/// The end of an id, by which people tell two apart.
fn short(id: &str) -> String {
    let from = id.len().saturating_sub(8);
    format!("…{}", id.get(from..).unwrap_or(id))
}
