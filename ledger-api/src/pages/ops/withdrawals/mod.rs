//! `/ops/withdrawals`: by state, each with its attempts, and what people decide about it.

mod decide;
mod exchanges;
mod list;
mod one;
mod resolve;

use axum::{
    Router,
    routing::{get, post},
};
use ledger_core::withdrawal::WithdrawalStatus;

use crate::{http::ApiState, pages::ui::Status};

const PATH: &str = "/ops/withdrawals";

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(list::page))
        .route("/ops/withdrawals/check", post(decide::check))
        .route("/ops/withdrawals/decide", post(decide::decide))
        .route("/ops/withdrawals/{id}", get(one::page))
        .route("/ops/withdrawals/{id}/unblock", post(one::unblock))
        .route("/ops/withdrawals/{id}/resolve", post(resolve::propose))
        .route("/ops/withdrawals/{id}/resolutions/{number}/approve", post(resolve::approve))
        .route("/ops/withdrawals/{id}/resolutions/{number}/withdraw", post(resolve::withdraw))
}

/// The chip of a status. What nobody knows has the same one, whoever has to find out.
const fn chip(status: WithdrawalStatus) -> Status {
    match status {
        WithdrawalStatus::PendingReview => Status::InReview,
        WithdrawalStatus::Queued => Status::Queued,
        WithdrawalStatus::Processing => Status::Processing,
        WithdrawalStatus::OutcomeUnknown | WithdrawalStatus::NeedsAttention => Status::Unknown,
        WithdrawalStatus::Completed => Status::Done,
        WithdrawalStatus::Returned => Status::Returned,
        WithdrawalStatus::Failed => Status::Failed,
        WithdrawalStatus::Rejected => Status::Rejected,
        WithdrawalStatus::Cancelled => Status::Cancelled,
    }
}
