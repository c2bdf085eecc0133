//! Snapshots of long streams: used when they are good, ignored when they are not, never needed.

use std::time::{Duration, Instant};

use ledger_core::{chart::Direction, command::Operation, engine::SubmitError, posting::Posting};
use projections::audit;
use rust_decimal::Decimal;

use crate::support::{
    checker::{self, Log},
    database::SUPERUSER,
    ledger::{Ledger, accepted, leg, posting, rejected},
};

const LONG: &str = "wallet:long:INR";
const OTHER: &str = "wallet:other:INR";

/// `legs` debits of one paisa each on one side, and one credit.
fn many(from: &str, to: &str, legs: usize) -> Posting {
    let mut all: Vec<_> = (0..legs).map(|_| leg(Direction::Debit, from, "0.01")).collect();
    let sum = format!("{}.{:02}", legs / 100, legs % 100);
    all.push(leg(Direction::Credit, to, &sum));
    posting("transfer", all)
}

/// A ledger with a wallet of at least `events` events.
async fn long(events: usize) -> Ledger {
    let ledger = Ledger::start().await;
    ledger.wallet(LONG, "1000.00").await;
    ledger.wallet(OTHER, "0").await;
    let transactions = (0..events.div_ceil(99)).map(|_| many(LONG, OTHER, 99));
    let operations = transactions.map(|posting| ledger.submit(Operation::Post(vec![posting])));
    for answer in futures::future::join_all(operations).await {
        accepted(answer);
    }
    ledger
}

async fn execute(ledger: &Ledger, sql: &str) -> u64 {
    let mut db = ledger.database.superuser().await;
    sqlx::query(sql).execute(&mut db).await.unwrap().rows_affected()
}

/// Waits until the long wallet has a snapshot of at least so many events.
async fn snapshot(ledger: &Ledger, events: i64) -> (i64, serde_json::Value) {
    let mut db = ledger.database.superuser().await;
    let began = Instant::now();
    loop {
        let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "select sequence, payload from snapshots where aggregate_id = $1 and sequence >= $2",
        )
        .bind(LONG)
        .bind(events)
        .fetch_optional(&mut db)
        .await
        .unwrap();
        if let Some((sequence, payload)) = row {
            return (sequence, serde_json::from_slice(&payload).unwrap());
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no snapshot of {events} events");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An engine that has nothing in memory decides on the long wallet; says how much it read.
async fn loaded_by_a_fresh_engine(ledger: &Ledger) -> u64 {
    let fresh = Ledger::on(&ledger.database).await;
    let before = fresh.engine.counts().loaded();
    let balance: Decimal = ledger.balance(LONG).await.parse().unwrap();
    // One paisa more than there is: the answer tells the balance that was decided on.
    let too_much = (balance + Decimal::new(1, 2)).to_string();
    let refused = rejected(fresh.transfer(LONG, OTHER, &too_much).await);
    assert_eq!(refused.available, Some(balance), "the fold is the log's");
    fresh.engine.counts().loaded() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn case_82_a_snapshot_is_the_fold_and_spares_reading_the_stream() {
    let ledger = long(2_600).await;
    let (sequence, payload) = snapshot(&ledger, 2_000).await;
    // What the snapshot says is what the events up to it come to, by other means.
    let log = Log::read(&ledger.database.options(SUPERUSER)).await;
    let legs = log.events.iter().filter(|e| e.stream == LONG && e.sequence <= sequence);
    let (mut debits, mut credits) = (Decimal::ZERO, Decimal::ZERO);
    for event in legs.filter(|event| event.is_leg()) {
        let sum = if event.name == "debited" { &mut debits } else { &mut credits };
        *sum += event.text("amount").parse::<Decimal>().unwrap();
    }
    let field = |name: &str| payload[name].as_str().unwrap().parse::<Decimal>().unwrap();
    assert_eq!((field("debits_posted"), field("credits_posted")), (debits, credits));
    assert_eq!(payload["sequence"].as_i64(), Some(sequence));

    let with = loaded_by_a_fresh_engine(&ledger).await;
    assert!(with < 1_100, "read {with}");
    assert!(execute(&ledger, "delete from snapshots").await >= 1);
    let without = loaded_by_a_fresh_engine(&ledger).await;
    println!("a fresh engine reads {with} rows with snapshots, {without} without");
    assert!(without > 2_600, "read {without}");
    // And it has written them again, from what it read.
    snapshot(&ledger, 2_600).await;
    checker::check(&ledger.database.options(SUPERUSER)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_82_a_snapshot_that_is_wrong_is_not_believed() {
    let ledger = long(1_200).await;
    snapshot(&ledger, 1_000).await;
    let wrong = [
        ("garbage", "payload = '\\xdeadbeef'"),
        ("nothing", "payload = ''"),
        ("another shape", "payload = '{\"sequence\":1}'"),
        ("another fold", "fold_version = 99, payload = '{}'"),
        ("of the future", "sequence = sequence + 100000"),
        ("one too few", "sequence = sequence - 1"),
        (
            "richer than the log",
            "payload = convert_to(replace(convert_from(payload, 'UTF8'),
                 '\"credits_posted\":\"1000.00\"', '\"credits_posted\":\"9000.00\"'), 'UTF8')",
        ),
    ];
    for (what, change) in wrong {
        let before = snapshot(&ledger, 1_000).await;
        let sql = format!("update snapshots set {change} where aggregate_id = '{LONG}'");
        assert_eq!(execute(&ledger, &sql).await, 1, "{what}");
        let read = loaded_by_a_fresh_engine(&ledger).await;
        assert!(read > 1_200, "{what}: read {read}, so the snapshot was believed");
        // Money can move on it, and the log stays whole.
        let fresh = Ledger::on(&ledger.database).await;
        accepted(fresh.transfer(LONG, OTHER, "0.01").await);
        checker::check(&ledger.database.options(SUPERUSER)).await;
        execute(&ledger, "delete from snapshots").await;
        loaded_by_a_fresh_engine(&ledger).await;
        assert!(snapshot(&ledger, 1_000).await.0 >= before.0, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_85_a_stream_without_a_snapshot_loads_in_pages() {
    let ledger = long(21_000).await;
    // The last one of the engine that wrote the stream: nothing writes any after it.
    snapshot(&ledger, 21_000).await;
    execute(&ledger, "delete from snapshots").await;
    let began = Instant::now();
    let read = loaded_by_a_fresh_engine(&ledger).await;
    println!("{read} rows read and folded in {:?}", began.elapsed());
    assert!(read > 21_000, "{read}");
    let spared = loaded_by_a_fresh_engine(&ledger).await;
    println!("then {spared}");
}

/// A corrupt event that a good snapshot covers is not read any more, and does no harm; what comes
/// after the snapshot does.
#[tokio::test(flavor = "multi_thread")]
async fn case_67_a_snapshot_does_not_hide_what_comes_after_it() {
    let ledger = long(1_200).await;
    let (sequence, _) = snapshot(&ledger, 1_000).await;
    crate::support::tamper::overwrite(&ledger.database, LONG, sequence + 1, b"{}").await;
    let fresh = Ledger::on(&ledger.database).await;
    assert_eq!(fresh.transfer(LONG, OTHER, "0.01").await, Err(SubmitError::Corrupt));
}

#[tokio::test(flavor = "multi_thread")]
async fn case_82_the_auditor_compares_snapshots_with_the_fold() {
    let ledger = long(600).await;
    snapshot(&ledger, 500).await;
    let pool = ledger.database.pool().await;
    let options = audit::Options { read_models: false, ..audit::Options::default() };
    let report = audit::verify_database(&pool, &options, |_| {}).await.unwrap();
    assert!(report.verified, "{report}");
    let compared = report.snapshots.unwrap();
    assert!(compared.compared >= 1 && compared.differing == 0, "{compared:?}");

    // The same snapshot with one paisa more than was ever credited.
    let changed = execute(
        &ledger,
        "update snapshots set payload = convert_to(replace(convert_from(payload, 'UTF8'),
             '\"credits_posted\":\"1000.00\"', '\"credits_posted\":\"1000.01\"'), 'UTF8')
         where aggregate_id = 'wallet:long:INR'",
    );
    assert_eq!(changed.await, 1);
    let report = audit::verify_database(&pool, &options, |_| {}).await.unwrap();
    assert!(!report.verified && report.exit_code() == 1);
    assert_eq!(report.findings[0].code, audit::Code::SnapshotDiffers, "{report}");
    assert_eq!(report.findings[0].stream.as_deref(), Some("account wallet:long:INR"));
}
