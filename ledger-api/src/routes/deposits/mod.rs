//! `/v1/deposits`: money on its way in from a bank: begun, read, given up.
//!
//! What banks say of it does not come in here.

mod body;
mod page;
mod read;
mod write;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::begin))
        .routes(routes!(read::get))
        .routes(routes!(write::cancel))
}
