//! `/v1/deposits`: money on its way in from a bank: begun, read, given up.
//!
//! What banks say of it does not come in here.

mod body;
mod page;
mod read;
mod recall;
pub(super) mod review;
mod write;

pub(crate) use read::deposit_out;
pub(crate) use write::{begin, cancel};

use utoipa_axum::{router::OpenApiRouter, routes};

use ledger_core::{deposit::Deposit, ids::DepositId};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::begin, read::list))
        .routes(routes!(read::get))
        .routes(routes!(write::cancel))
        .routes(routes!(review::assign))
        .routes(routes!(review::leave))
        .routes(routes!(recall::grant))
        .routes(routes!(recall::refuse))
}

/// The bank's page to pay a deposit at, while it can be paid and if the bank answers.
pub(crate) async fn pay_page(state: &ApiState, id: DepositId, deposit: &Deposit) -> Option<String> {
    page::find(&state.banks, read::wanted(state, id, deposit)?).await
}
