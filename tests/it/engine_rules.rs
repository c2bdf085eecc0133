//! The engine's rules at their edges: sizes, days, clocks, keys, what the database refuses.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta};
use ledger_core::{
    chart::Direction,
    clock::ManualClock,
    command::{Command, Operation, Outcome, Receipt},
    engine::{Answer, Engine, EngineConfig, SubmitError},
    log::read,
    planning::TRANSACTIONS_MAX,
    posting::{LEGS_MAX, Posting},
};
use sqlx::PgPool;

use crate::support::{
    books::Books,
    database::Database,
    ledger::{Ledger, accepted, command, config, keyed, leg, posting, rejected, transfer},
};

/// Noon in London, half past five in the evening in Kolkata.
fn noon() -> DateTime<chrono::Utc> {
    DateTime::from_timestamp(1_795_348_800, 0).unwrap()
}

/// A ledger with `wallet:a` (100.00) and `wallet:b`, and a clock of its own.
async fn clocked() -> (Ledger, Arc<ManualClock>, PgPool) {
    let database = Database::create().await;
    let clock = Arc::new(ManualClock::at(noon()));
    let config = EngineConfig { clock: clock.clone(), ..config(&database) };
    let engine = Engine::start(config).await.unwrap();
    let pool = database.pool().await;
    let ledger = Ledger { database, engine };
    ledger.wallet("wallet:a:INR", "100.00").await;
    ledger.open("wallet:b:INR").await;
    (ledger, clock, pool)
}

fn pay(amount: &str) -> Operation {
    Operation::Post(vec![transfer("wallet:a:INR", "wallet:b:INR", amount)])
}

/// One debit of `wallet:a` against so many credits of `wallet:b`.
fn wide(legs: usize) -> Operation {
    let credits = legs - 1;
    let sum = format!("{}.{:02}", credits / 100, credits % 100);
    let mut all = vec![leg(Direction::Debit, "wallet:a:INR", &sum)];
    all.extend((0..credits).map(|_| leg(Direction::Credit, "wallet:b:INR", "0.01")));
    Operation::Post(vec![posting("split", all)])
}

#[tokio::test(flavor = "multi_thread")]
async fn case_160_a_hundred_legs_and_not_one_more() {
    let (ledger, _, pool) = clocked().await;
    accepted(ledger.submit(wide(LEGS_MAX)).await);
    let hundred_and_one = ledger.submit(wide(LEGS_MAX + 1)).await;
    assert_eq!(rejected(hundred_and_one).code, "too_many_legs");
    let books = Books::of(&pool).await;
    let widest = books.transactions.values().map(|transaction| transaction.legs.len()).max();
    assert_eq!(widest, Some(LEGS_MAX));
    assert_eq!(ledger.balance("wallet:b:INR").await, "0.99");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_transactions_in_one_command_and_not_one_more() {
    let (ledger, _, pool) = clocked().await;
    let several = |count: usize| {
        let one = || transfer("wallet:a:INR", "wallet:b:INR", "0.01");
        Operation::Post((0..count).map(|_| one()).collect())
    };
    let Receipt::Posted { transactions, effective_on } =
        accepted(ledger.submit(several(TRANSACTIONS_MAX)).await)
    else {
        panic!("another receipt")
    };
    assert_eq!((transactions.len(), effective_on.len()), (TRANSACTIONS_MAX, TRANSACTIONS_MAX));
    let refused = rejected(ledger.submit(several(TRANSACTIONS_MAX + 1)).await);
    assert_eq!(refused.code, "transaction_count");
    assert_eq!(ledger.balance("wallet:b:INR").await, "1.00");
    Books::of(&pool).await.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_without_a_date_is_of_the_day_in_the_books_time_zone() {
    let (ledger, clock, pool) = clocked().await;
    // 18:29 UTC is one minute to midnight in Kolkata.
    clock.advance(TimeDelta::minutes(6 * 60 + 29));
    let before = accepted(ledger.submit(pay("1")).await);
    clock.advance(TimeDelta::minutes(2));
    let after = accepted(ledger.submit(pay("1")).await);
    let stated = Posting {
        effective_on: "2026-03-31".parse().ok(),
        value_date: "2026-03-30".parse().ok(),
        ..transfer("wallet:a:INR", "wallet:b:INR", "1")
    };
    let stated = accepted(ledger.submit(Operation::Post(vec![stated])).await);
    let books = Books::of(&pool).await;
    let expected = [
        (before, "2026-11-22", None),
        (after, "2026-11-23", None),
        (stated, "2026-03-31", Some("2026-03-30")),
    ];
    for (receipt, day, value_date) in expected {
        let Receipt::Posted { transactions, effective_on } = receipt else {
            panic!("another receipt")
        };
        assert_eq!(effective_on[0].to_string(), day);
        for leg in &books.transactions[&transactions[0].to_string()].legs {
            assert_eq!(leg.effective_on, day);
            assert_eq!(leg.value_date.as_deref(), value_date);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_47_a_clock_set_back_does_not_set_the_log_back() {
    let (ledger, clock, pool) = clocked().await;
    accepted(ledger.submit(pay("1")).await);
    clock.advance(TimeDelta::hours(-1));
    let late = ledger.submit(pay("2")).await.unwrap();
    // A process that starts while the clock is wrong.
    let config = EngineConfig { clock: clock.clone(), ..config(&ledger.database) };
    let restarted = Engine::start(config).await.unwrap();
    let later = restarted.submit(command(pay("3"))).await.unwrap();
    for answer in [&late, &later] {
        let Outcome::Accepted(accepted) = &answer.outcome else { panic!("{answer:?}") };
        assert_eq!(accepted.recorded_at, noon(), "no earlier than what is there");
    }
    assert!(later.position > late.position);
    // Books::of asserts that no recorded_at falls, and that no transaction id comes twice.
    Books::of(&pool).await.assert_whole();
    clock.advance(TimeDelta::hours(2));
    let ahead = ledger.submit(pay("4")).await.unwrap();
    let Outcome::Accepted(ahead) = ahead.outcome else { panic!("{ahead:?}") };
    assert_eq!(ahead.recorded_at, noon() + TimeDelta::hours(1));
    assert_eq!(ledger.balance("wallet:b:INR").await, "10.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_22_fifty_requests_with_one_key_are_one() {
    let (ledger, _, pool) = clocked().await;
    let post = pay("1");
    let requests = (0..50).map(|_| ledger.engine.submit(keyed("k", 1, post.clone())));
    let answers: Vec<Answer> =
        futures::future::join_all(requests).await.into_iter().map(Result::unwrap).collect();
    let fresh = answers.iter().filter(|answer| !answer.replayed).count();
    assert_eq!(fresh, 1);
    assert!(answers.iter().all(|answer| answer.outcome == answers[0].outcome));
    assert_eq!(ledger.balance("wallet:b:INR").await, "1.00");
    Books::of(&pool).await.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn case_23_and_33_a_key_in_one_batch_belongs_to_its_first_request() {
    let (ledger, _, _) = clocked().await;
    let close = Operation::CloseAccount { account: "wallet:b:INR".parse().unwrap() };
    let same_key = vec![
        keyed("k", 1, pay("1")),
        keyed("k", 1, pay("1")),
        keyed("k", 2, pay("2")),
        keyed("k", 3, close),
        keyed("other", 2, pay("2")),
    ];
    let answers = ledger.engine.submit_all(same_key).await.unwrap();
    let replayed: Vec<_> = answers.iter().map(|a| a.as_ref().map(|a| a.replayed)).collect();
    let reused = Err(&SubmitError::KeyReused);
    assert_eq!(replayed, [Ok(false), Ok(true), reused, reused, Ok(false)]);
    // The same key of another principal is another key.
    let other = Command { principal: "another".parse().unwrap(), ..keyed("k", 9, pay("1")) };
    assert!(!ledger.engine.submit(other).await.unwrap().replayed);
    assert_eq!(ledger.balance("wallet:b:INR").await, "4.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_is_closed_before_a_debt_of_its_owners_or_not_at_all() {
    const DEBT: &str = "receivable:recall:b:INR";
    let (ledger, _, pool) = clocked().await;
    ledger.open(DEBT).await;
    let close = || command(Operation::CloseAccount { account: "wallet:b:INR".parse().unwrap() });
    let owe = |amount| command(Operation::Post(vec![transfer(DEBT, "wallet:a:INR", amount)]));
    let code = |answer: &Answer| match &answer.outcome {
        Outcome::Accepted(_) => String::new(),
        Outcome::Rejected(rejection) => rejection.code.clone(),
    };
    // In one batch, the debt first.
    let answers = ledger.engine.submit_all(vec![owe("5"), close()]).await.unwrap();
    let codes: Vec<String> = answers.iter().map(|a| code(a.as_ref().unwrap())).collect();
    assert_eq!(codes, ["", "debt_open"]);
    let repay = Operation::Post(vec![transfer("wallet:a:INR", DEBT, "5")]);
    accepted(ledger.submit(repay).await);
    // Another process that knows both accounts, and not the debt that landed since.
    let other = Engine::start(config(&ledger.database)).await.unwrap();
    let seen = other.dry_run(close()).await.unwrap();
    assert_eq!(code(&seen), "", "it would have been closed then");
    accepted(ledger.engine.submit(owe("7")).await);
    assert_eq!(code(&other.submit(close()).await.unwrap()), "debt_open");
    let repay = Operation::Post(vec![transfer("wallet:a:INR", DEBT, "7")]);
    accepted(ledger.submit(repay).await);
    // The closing first: what a bank does afterwards is owed all the same, and refuses nothing.
    let answers = other.submit_all(vec![close(), owe("1")]).await.unwrap();
    let codes: Vec<String> = answers.iter().map(|a| code(a.as_ref().unwrap())).collect();
    assert_eq!(codes, ["", ""]);
    assert_eq!(code(&ledger.engine.submit(close()).await.unwrap()), "account_closed");
    Books::of(&pool).await.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_s_account_is_closed_before_a_debt_of_the_shop_or_not_at_all() {
    const DEBT: &str = "receivable:merchant:tea:INR";
    const ROOM: &str = "merchant:tea:available:INR";
    let (ledger, _, _) = clocked().await;
    ledger.open(ROOM).await;
    ledger.open(DEBT).await;
    let close = || command(Operation::CloseAccount { account: ROOM.parse().unwrap() });
    let owe = |amount| command(Operation::Post(vec![transfer(DEBT, "wallet:a:INR", amount)]));
    let code = |answer: &Answer| match &answer.outcome {
        Outcome::Accepted(_) => String::new(),
        Outcome::Rejected(rejection) => rejection.code.clone(),
    };
    // Another process that does not know of the debt that lands.
    let other = Engine::start(config(&ledger.database)).await.unwrap();
    assert_eq!(code(&other.dry_run(close()).await.unwrap()), "", "it would have been closed then");
    accepted(ledger.engine.submit(owe("7")).await);
    assert_eq!(code(&other.submit(close()).await.unwrap()), "debt_open");
    let repay = Operation::Post(vec![transfer("wallet:a:INR", DEBT, "7")]);
    accepted(ledger.submit(repay).await);
    accepted(other.submit(close()).await);
    assert_eq!(code(&ledger.engine.submit(close()).await.unwrap()), "account_closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_uses_up_no_key() {
    let (ledger, _, pool) = clocked().await;
    let before = read::head(&pool).await.unwrap();
    let asked = keyed("k", 1, pay("1"));
    let told = ledger.engine.dry_run(asked.clone()).await.unwrap();
    assert_eq!(read::head(&pool).await.unwrap(), before, "not even an empty batch");
    let done = ledger.engine.submit(asked.clone()).await.unwrap();
    assert!(!done.replayed);
    let position = |answer: &Answer| match &answer.outcome {
        Outcome::Accepted(accepted) => (accepted.first_position, accepted.position),
        Outcome::Rejected(rejection) => panic!("{rejection:?}"),
    };
    assert_eq!(position(&told), position(&done));
    // Asked once more, it would be a second payment.
    let again = ledger.engine.dry_run(asked).await.unwrap();
    assert!(position(&again).0 > position(&done).1);
    assert_eq!(ledger.balance("wallet:b:INR").await, "1.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_nothing_happened() {
    let (ledger, _, pool) = clocked().await;
    let small = EngineConfig { queue_max: 3, ..config(&ledger.database) };
    let engine = Engine::start(small).await.unwrap();
    let before = read::head(&pool).await.unwrap();
    let commands = |count: usize| (0..count).map(|_| command(pay("1"))).collect();
    assert_eq!(engine.submit_all(commands(4)).await, Err(SubmitError::Overloaded));
    assert_eq!(read::head(&pool).await.unwrap(), before);
    assert!(engine.submit_all(commands(3)).await.unwrap().iter().all(Result::is_ok));
    assert_eq!(ledger.balance("wallet:b:INR").await, "3.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_of_nothing_is_slow_and_right() {
    let (ledger, _, pool) = clocked().await;
    let forgetful = EngineConfig { cache_entries_max: 0, ..config(&ledger.database) };
    let engine = Engine::start(forgetful).await.unwrap();
    for _ in 0..3 {
        let done = tokio::time::timeout(Duration::from_secs(20), engine.submit(command(pay("1"))));
        accepted(done.await.expect("an answer in time"));
    }
    assert_eq!(ledger.balance("wallet:b:INR").await, "3.00");
    Books::of(&pool).await.assert_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn case_70_words_that_the_database_cannot_hold_are_refused_and_stop_nobody() {
    let (ledger, _, _) = clocked().await;
    let noted = |note: &str| {
        let plain = transfer("wallet:a:INR", "wallet:b:INR", "1");
        command(Operation::Post(vec![Posting { note: Some(note.to_owned()), ..plain }]))
    };
    let together = vec![noted("rent"), noted("re\0nt"), noted("नवंबर 🏠"), noted("\u{7}")];
    let answers = ledger.engine.submit_all(together).await.unwrap();
    let codes: Vec<String> = answers
        .into_iter()
        .map(|answer| match answer.unwrap().outcome {
            Outcome::Accepted(_) => "accepted".to_owned(),
            Outcome::Rejected(rejection) => rejection.code,
        })
        .collect();
    assert_eq!(codes, ["accepted", "note_invalid", "accepted", "note_invalid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_book_has_its_currencies_and_takes_more() {
    let (ledger, _, _) = clocked().await;
    let book = ledger.engine.status().borrow().book.clone();
    let codes: BTreeSet<String> = book.currencies().map(|c| c.code.to_string()).collect();
    let expected = ["BTC", "INR", "JPY", "KWD", "USD", "USDT"].map(str::to_owned);
    assert_eq!(codes, expected.into());
    let euro = ledger_core::money::Currency { code: "EUR".parse().unwrap(), scale: 2 };
    accepted(ledger.submit(Operation::AddCurrency(euro)).await);
    let status = ledger.engine.status();
    assert_eq!(status.borrow().book.currency(euro.code), Some(euro));
    // Another engine, and one that was there before, know it too.
    let other = Ledger::on(&ledger.database).await;
    assert_eq!(other.engine.status().borrow().book.currency(euro.code), Some(euro));
    let again = other.submit(Operation::AddCurrency(euro)).await;
    assert_eq!(rejected(again).code, "currency_exists");
}
