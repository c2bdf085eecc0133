//! `/v1/transactions`: posting one, several that stand or fall together, or many each on its own;
//! undoing one; reading them.

pub(crate) mod body;
mod bulk;
mod post;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(post::post))
        .routes(routes!(post::batch))
        .routes(routes!(bulk::bulk))
}
