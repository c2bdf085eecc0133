//! `/app/activity`: all that moved, with filters in the address; one movement with its steps.

pub(super) mod dispute;
mod file;
pub(super) mod filter;
mod list;
pub(super) mod one;
mod report;
mod wait;
mod waiting;

pub(super) use list::counted;

use axum::{
    Router,
    routing::{get, post},
};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/app/activity", get(list::list))
        .route("/app/activity.csv", get(file::csv))
        .route("/app/activity/{id}", get(one::one))
        .route("/app/activity/{id}/cancel", post(one::cancel))
        .route("/app/activity/{id}/dispute", post(dispute::open))
        .route("/app/activity/{id}/dispute/evidence", post(dispute::say))
        .route("/app/activity/{id}/report", post(report::send))
}
