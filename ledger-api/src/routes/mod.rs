//! The resources of the API, one file each.

mod health;

use axum::Router;

use crate::http::ApiState;

/// All routes.
pub(crate) fn all() -> Router<ApiState> {
    health::routes()
}
