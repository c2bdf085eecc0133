//! `/v1/transfers`: money from one wallet to another: sent, read, claimed, given up.

pub(super) mod body;
mod read;
mod write;

pub(crate) use body::transfer_out;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::send, read::list))
        .routes(routes!(read::get))
        .routes(routes!(write::claim))
        .routes(routes!(write::cancel))
}
