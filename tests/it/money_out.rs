//! Money out, from the request to the bank's last word: the whole service and banks that speak HTTP.

use serde_json::Value;

use crate::{audit_engine::verified, support::town::Town};

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_times_out_and_has_paid_is_paid_once() {
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    let id = town.withdraw("hdfc", &to, "5000.13").await;
    let unknown = town.wait_for(&id, "outcome_unknown").await;
    assert_eq!(unknown["final"], false);
    assert_eq!(unknown["funds"], "held", "{unknown:#}");
    town.sandbox.advance(95).await;
    let done = town.wait_for(&id, "completed").await;
    let events: Vec<_> = done["timeline"].as_array().unwrap().iter().map(|s| &s["event"]).collect();
    assert_eq!(
        events,
        ["requested", "queued", "attempt_begun", "outcome_unknown", "completed"],
        "{done:#}"
    );
    let books = town.sandbox.control.books(sandbox_bank::BankCode::Hdfc).await.unwrap();
    assert_eq!(lines(&books, "5000.13"), 1, "{books:#}");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_answers_later_tells_by_webhook() {
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    let id = town.withdraw("hdfc", &to, "700.00").await;
    let done = town.wait_for(&id, "completed").await;
    let last = done["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["source"], "webhook", "{done:#}");
    verified(&town.stop().await).await;
}

/// How many of the bank's payments have an amount, in the text of its books.
fn lines(books: &Value, amount: &str) -> usize {
    books.to_string().matches(amount).count()
}
