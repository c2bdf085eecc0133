//! `/app/activity`: all that moved, with filters in the address; one movement with its steps.

pub(super) mod filter;
mod list;
pub(super) mod one;

use axum::{
    Router,
    routing::{get, post},
};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/app/activity", get(list::list))
        .route("/app/activity.csv", get(list::csv))
        .route("/app/activity/{id}", get(one::one))
        .route("/app/activity/{id}/cancel", post(one::cancel))
}
