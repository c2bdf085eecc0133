//! `/v1/withdrawals`: money on its way out to a bank account: requested, read, given up.
//!
//! What banks say of it does not come in here, nor what operators decide (`ops`).

pub(super) mod body;
mod detail;
pub(super) mod list;
mod quote;
mod read;
mod write;

pub(crate) use detail::StatusDetail;
pub(crate) use list::withdrawals;
pub(crate) use quote::quote;
pub(crate) use read::{detail as status_detail, withdrawal_out};
pub(crate) use write::{cancel, request};

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::request, list::list))
        .routes(routes!(read::get))
        .routes(routes!(write::cancel))
        .routes(routes!(quote::quote))
}
