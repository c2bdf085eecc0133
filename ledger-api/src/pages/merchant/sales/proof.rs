//! The proof of a payment: that the shop's credit of it is in the signed log.

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use ledger_core::log::Position;
use projections::PaymentRow;

use super::own_payment;
use crate::{
    http::{
        Problem,
        reach::{Reach, nothing},
        reply::Reply,
    },
    pages::merchant::{MoneyEyes, ShopVisitor},
    payments::own_leg,
    proofs::ProofStore,
    routes::prove,
};

/// Where in the log the shop's credit stands.
pub(super) async fn position<N>(
    visitor: &ShopVisitor<N>,
    row: &PaymentRow,
) -> Result<Option<Position>, Problem> {
    let reach = Reach::OfMerchant(visitor.at.shop.id, visitor.at.role);
    own_leg(&visitor.state.read_models, row.id, reach).await
}

/// The proof as a file, for `bahi audit check`. For who sees money: it says what was on the
/// account.
pub(super) async fn file(
    visitor: ShopVisitor<MoneyEyes>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (row, _) = own_payment(&visitor, &id).await?;
    let position = position(&visitor, &row).await?.ok_or_else(nothing)?;
    let store = ProofStore::new(visitor.state.reads.clone());
    let mut response = Reply::ok(prove(&store, position, None).await?).into_response();
    let said = format!("attachment; filename=\"proof-{position}.json\"");
    if let Ok(value) = HeaderValue::try_from(said) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
