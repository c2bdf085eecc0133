//! `/v1/holds`: amounts that stay on their account and cannot be spent: placed, increased,
//! captured once, released.

mod body;
mod read;
mod write;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::place, read::list))
        .routes(routes!(read::get))
        .routes(routes!(write::increase))
        .routes(routes!(write::capture))
        .routes(routes!(write::release))
}
