//! `/v1/accounts`: opening, limits, freezes, closing; reading them and what is on them.

pub(crate) mod body;
mod change;
mod open;
mod read;
mod statement;

pub(crate) use read::MinPosition;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(open::open, read::list))
        .routes(routes!(read::get))
        .routes(routes!(read::balance))
        .routes(routes!(statement::statement))
        .routes(routes!(statement::open_items))
        .routes(routes!(statement::flows))
        .routes(routes!(change::limits))
        .routes(routes!(change::freeze))
        .routes(routes!(change::unfreeze))
        .routes(routes!(change::close))
}
