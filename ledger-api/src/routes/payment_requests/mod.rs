//! `/v1/payment-requests`: what shops ask to be paid: made, read, drawn as a code, taken back.

mod body;
mod read;
mod write;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::create, read::list))
        .routes(routes!(read::get))
        .routes(routes!(read::qr))
        .routes(routes!(write::close))
}
