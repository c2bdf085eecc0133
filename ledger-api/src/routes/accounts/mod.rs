//! `/v1/accounts`: opening, limits, freezes, closing; reading them and what is on them.

pub(crate) mod body;
mod change;
mod open;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(open::open))
        .routes(routes!(change::limits))
        .routes(routes!(change::freeze))
        .routes(routes!(change::unfreeze))
        .routes(routes!(change::close))
}
