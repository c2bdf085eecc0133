//! That what a command comes to is one append: its batch, its events and the outcome under its key
//! are there together or not at all.

use std::time::{Duration, Instant};

use ledger_core::{
    command::{Operation, Outcome},
    engine::{Answer, SubmitError},
};
use projections::audit;
use sqlx::{Connection, PgConnection};

use crate::support::{
    database::APP,
    ledger::{Ledger, accepted, keyed, transfer},
};

const A: &str = "wallet:a:INR";
const B: &str = "wallet:b:INR";

async fn ledger() -> Ledger {
    let ledger = Ledger::start().await;
    ledger.wallet(A, "100.00").await;
    ledger.wallet(B, "0").await;
    ledger
}

fn post() -> Operation {
    Operation::Post(vec![transfer(A, B, "1.00")])
}

/// How many rows of a key there are.
async fn outcomes(ledger: &Ledger, key: &str) -> i64 {
    sqlx::query_scalar("select count(*) from idempotency where key = $1")
        .bind(key)
        .fetch_one(&mut ledger.database.superuser().await)
        .await
        .unwrap()
}

/// Waits until an append of the engine stands before a lock.
async fn blocked(watcher: &mut PgConnection) -> i32 {
    let began = Instant::now();
    loop {
        let pid: Option<i32> = sqlx::query_scalar(
            "select pid from pg_stat_activity
             where datname = current_database() and application_name = 'bahi-engine'
               and wait_event_type = 'Lock'",
        )
        .fetch_optional(&mut *watcher)
        .await
        .unwrap();
        if let Some(pid) = pid {
            return pid;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "no append stands before the lock");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_28_an_append_that_dies_before_its_commit_is_made_once() {
    let ledger = ledger().await;
    let (mut locker, mut watcher) =
        (ledger.database.superuser().await, ledger.database.superuser().await);
    let mut lock = locker.begin().await.unwrap();
    sqlx::query("lock table events in exclusive mode").execute(&mut *lock).await.unwrap();
    let engine = ledger.engine.clone();
    let asked = tokio::spawn(async move { engine.submit(keyed("k", 1, post())).await });
    let pid = blocked(&mut watcher).await;
    let ended: bool = sqlx::query_scalar("select pg_terminate_backend($1)")
        .bind(pid)
        .fetch_one(&mut watcher)
        .await
        .unwrap();
    assert!(ended);
    lock.rollback().await.unwrap();
    // The engine finds out that nothing landed, and decides it afresh.
    let first = asked.await.unwrap();
    accepted(first.clone());
    let again = ledger.engine.submit(keyed("k", 1, post())).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.outcome, first.unwrap().outcome);
    assert_eq!((ledger.balance(A).await.as_str(), outcomes(&ledger, "k").await), ("99.00", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_31_a_key_protects_for_ever() {
    let ledger = ledger().await;
    let first = ledger.engine.submit(keyed("k", 1, post())).await.unwrap();
    ledger.engine.shutdown().await;
    // Nothing that the service may do forgets a key.
    let mut app = PgConnection::connect(&ledger.database.url(APP)).await.unwrap();
    for sql in ["delete from idempotency", "truncate idempotency"] {
        let refused = sqlx::query(sql).execute(&mut app).await.unwrap_err();
        let code = refused.as_database_error().and_then(|e| e.code().map(String::from));
        assert_eq!(code.as_deref(), Some("42501"), "{sql}");
    }
    let later = Ledger::on(&ledger.database).await;
    let again = later.engine.submit(keyed("k", 1, post())).await.unwrap();
    assert!(again.replayed && again.outcome == first.outcome);
    let other = later.engine.submit(keyed("k", 2, post())).await;
    assert_eq!(other, Err(SubmitError::KeyReused));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_32_batch_events_and_outcome_are_of_one_database_transaction() {
    let ledger = ledger().await;
    let Outcome::Accepted(accepted) =
        ledger.engine.submit(keyed("k", 1, post())).await.unwrap().outcome
    else {
        panic!("rejected")
    };
    let position = i64::try_from(accepted.position).unwrap();
    let written: Vec<String> = sqlx::query_scalar(
        "select xmin::text from events where position = $1
         union all select xmin::text from events where position = $1 - 1
         union all select xmin::text from batches where last_position = $1
         union all select xmin::text from idempotency where key = 'k'",
    )
    .bind(position)
    .fetch_all(&mut ledger.database.superuser().await)
    .await
    .unwrap();
    assert_eq!(written.len(), 4);
    assert!(written.iter().all(|xmin| *xmin == written[0]), "{written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_54_and_32_if_one_row_is_refused_nothing_is_there_and_nothing_is_acknowledged() {
    let ledger = ledger().await;
    let mut owner = ledger.database.superuser().await;
    let head = |answer: &str| format!("select count(*) from {answer}");
    let mut counts = Vec::new();
    for (table, column) in [("events", "event_type <> 'debited'"), ("idempotency", "key <> 'k'")] {
        let rule = format!("alter table {table} add constraint broken check ({column}) not valid");
        sqlx::query(&rule).execute(&mut owner).await.unwrap();
        let before: i64 = sqlx::query_scalar(&head("events")).fetch_one(&mut owner).await.unwrap();
        let answer: Result<Answer, SubmitError> = ledger.engine.submit(keyed("k", 1, post())).await;
        assert!(answer.is_err(), "{table}: {answer:?}");
        let after: i64 = sqlx::query_scalar(&head("events")).fetch_one(&mut owner).await.unwrap();
        assert_eq!((before, outcomes(&ledger, "k").await), (after, 0), "{table}");
        let rule = format!("alter table {table} drop constraint broken");
        sqlx::query(&rule).execute(&mut owner).await.unwrap();
        counts.push(after);
    }
    assert_eq!(counts[0], counts[1]);
    // Case 30: the failure was not stored, so the same key now does what it asks for.
    accepted(ledger.engine.submit(keyed("k", 1, post())).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_50_a_clash_of_streams_and_a_used_key_are_different_outcomes() {
    let ledger = ledger().await;
    accepted(ledger.engine.submit(keyed("k", 1, post())).await);
    // An event that no engine wrote stands where the next one belongs: the second guard, the
    // primary key of the streams, refuses; that is no replay, and it is never answered as one.
    let mut owner = ledger.database.superuser().await;
    sqlx::query(
        "insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
                             event_version, payload, metadata, recorded_at, hash)
         select 1000000, aggregate_type, aggregate_id, sequence + 1, event_type, event_version,
                payload, metadata, recorded_at, hash
         from events where aggregate_id = $1 order by sequence desc limit 1",
    )
    .bind(A)
    .execute(&mut owner)
    .await
    .unwrap();
    // The engine reads the stream again and goes on after that row, or gives up; either way the
    // clash is not taken for a used key.
    match ledger.engine.submit(keyed("new", 1, post())).await {
        Ok(answer) => assert!(!answer.replayed && outcomes(&ledger, "new").await == 1),
        Err(error) => assert_eq!(error, SubmitError::Corrupt),
    }
    let used = ledger.engine.submit(keyed("k", 2, post())).await;
    assert_eq!(used, Err(SubmitError::KeyReused));
    // What was forged is found by the auditor.
    let options = audit::Options { read_models: false, ..audit::Options::default() };
    let pool = ledger.database.pool().await;
    let report = audit::verify_database(&pool, &options, |_| {}).await.unwrap();
    assert!(!report.verified, "{report}");
}
