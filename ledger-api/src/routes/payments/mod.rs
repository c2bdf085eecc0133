//! `/v1/payments`, `/v1/refunds` and `/v1/settlements`: paying shops, giving back, and what shops
//! can spend of it.

mod body;
mod composition;
mod read;
mod refund_body;
mod settlements;
mod write;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::pay, read::list))
        .routes(routes!(read::get))
        .routes(routes!(write::refund, read::refunds))
        .routes(routes!(read::refund))
        .routes(routes!(write::cancel_refund))
        .routes(routes!(settlements::list))
        .routes(routes!(settlements::get))
        .routes(routes!(composition::get))
}
