//! `/v1/transactions`: posting one, several that stand or fall together, or many each on its own;
//! undoing one; reading them.

pub(crate) mod body;
mod bulk;
mod post;
mod read;
mod reverse;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(post::post, read::list))
        .routes(routes!(post::batch))
        .routes(routes!(bulk::bulk))
        .routes(routes!(read::get))
        .routes(routes!(reverse::reverse))
}
