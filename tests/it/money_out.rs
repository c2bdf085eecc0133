//! Money out, from the request to the bank's last word: the whole service, and banks that speak
//! HTTP.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use rust_decimal::Decimal;
use sandbox_bank::{BankCode, faults::Mode};
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
    let books = town.sandbox.control.books(BankCode::Hdfc).await.unwrap();
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

/// What chaos does to each bank, and to every amount: paid, paid and forgotten, never arrived,
/// refused, returned, told twice, told wrongly, refused and paid all the same.
const PAISE: [&str; 16] = [
    "00", "01", "02", "03", "04", "05", "13", "14", "15", "21", "31", "41", "42", "44", "45", "61",
];

/// 2,000 withdrawals through two banks that time out, fail, lose and repeat what they tell: each
/// ends in exactly one final state, and what the banks paid is what we say they paid.
#[tokio::test(flavor = "multi_thread")]
async fn case_103_two_thousand_withdrawals_through_chaos_all_end_as_the_banks_books_say() {
    const COUNT: usize = 2_000;
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    for bank in BankCode::ALL {
        town.sandbox.control.mode(bank, &chaos()).await.unwrap();
    }
    let wanted = (0..COUNT).map(|n| {
        let bank = if n % 3 == 0 { "axis" } else { "hdfc" };
        (bank, format!("{}.{}", 10 + n % 90, PAISE[n / 3 % PAISE.len()]))
    });
    let requests = wanted.map(|(bank, amount)| {
        let (town, to) = (&town, &to);
        async move { town.withdraw(bank, to, &amount).await }
    });
    let ids: Vec<String> = stream::iter(requests).buffer_unordered(64).collect().await;
    assert_eq!(ids.len(), COUNT);

    let open = town.until_nothing_is_open().await;
    assert_eq!(open, BTreeMap::new(), "all of them end");
    let pool = town.database.pool().await;
    for (bank, code) in [("hdfc", BankCode::Hdfc), ("axis", BankCode::Axis)] {
        let theirs = town.sandbox.control.books(code).await.unwrap();
        assert_eq!(theirs["balanced"], true);
        let spent = decimal("90000000.00") - decimal(balance(&theirs, "escrow"));
        let ours = town.balance(&format!("bank:{bank}:escrow:INR")).await;
        assert_eq!(decimal("5000000.00") - ours, spent, "{bank}: {theirs:#}");
        let clearing = town.balance(&format!("bank:{bank}:clearing_out:INR")).await;
        assert_eq!(clearing, Decimal::ZERO, "{bank}");
    }
    let open_items: Vec<(String, String, Decimal)> = sqlx::query_as(
        "select account_id, item, net_debits from read.open_items
         where account_id not like 'receivable:%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(open_items, [], "nothing is left on the way");
    verified(&town.stop().await).await;
}

fn chaos() -> Mode {
    Mode {
        timeout_percent: 5,
        error_percent: 5,
        webhook_duplicate_percent: 10,
        webhook_lost_percent: 10,
        webhook_out_of_order_percent: 20,
        ..Mode::default()
    }
}

fn balance<'a>(books: &'a Value, account: &str) -> &'a str {
    books["balances"][account]["value"].as_str().unwrap_or_else(|| panic!("{books:#}"))
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}
