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
use ledger_core::{
    ids::BankAccountId,
    withdrawal::{WithdrawalEvent, WithdrawalStatus},
};
use projections::WithdrawalHistory;

use crate::{
    http::{ApiState, Problem},
    pages::ui::Status,
};

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

/// Why somebody has to look at it, by the last rule that said so.
fn why_reviewed(history: &WithdrawalHistory) -> Option<String> {
    let mut facts = history.facts.iter().rev();
    let rule = facts.find_map(|fact| {
        let WithdrawalEvent::ReviewRequired(review) = &fact.event else { return None };
        Some(review.reason.as_str())
    })?;
    Some(match rule {
        "amount" => "so much is always looked at".to_owned(),
        "new_payee" => "much, to a bank account that is new".to_owned(),
        "velocity" => "several of one day, and much".to_owned(),
        other => other.replace('_', " "),
    })
}

/// Whom it goes to: the bank and the end of the number; nothing once that was erased.
async fn payee(state: &ApiState, id: BankAccountId) -> Result<String, Problem> {
    let words = state.bank_accounts.words(&[id]).await?.remove(&id);
    Ok(words.unwrap_or_else(|| "erased".to_owned()))
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
