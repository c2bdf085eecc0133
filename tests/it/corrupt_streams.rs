//! Streams that cannot be read: a flipped byte, or an event that a newer program wrote. Commands
//! on them are refused, with nothing stored; all others go on.

use ledger_core::{
    command::Outcome,
    engine::{EngineState, SubmitError},
};

use crate::support::{
    ledger::{Ledger, accepted},
    tamper,
};

const BAD: &str = "wallet:bad:INR";
const GOOD: &str = "wallet:good:INR";
const OTHER: &str = "wallet:other:INR";

async fn ledger() -> Ledger {
    let ledger = Ledger::start().await;
    for wallet in [BAD, GOOD, OTHER] {
        ledger.wallet(wallet, "100.00").await;
    }
    ledger
}

/// Sends commands on the bad stream and on good ones at the same time, so that they meet in one
/// batch: those on the bad one are refused, the others are accepted.
async fn assert_only_the_bad_one_is_refused(ledger: &Ledger) {
    let bad = (0..20).map(|n| {
        let (from, to) = if n % 2 == 0 { (BAD, GOOD) } else { (GOOD, BAD) };
        ledger.transfer(from, to, "1.00")
    });
    let good = (0..20).map(|n| {
        let (from, to) = if n % 2 == 0 { (OTHER, GOOD) } else { (GOOD, OTHER) };
        ledger.transfer(from, to, "1.00")
    });
    let (bad, good) =
        futures::join!(futures::future::join_all(bad), futures::future::join_all(good));
    for answer in bad {
        assert_eq!(answer, Err(SubmitError::Corrupt));
    }
    for answer in good {
        accepted(answer);
    }
    assert_eq!(ledger.balance(GOOD).await, "100.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_67_an_event_with_a_flipped_bit_makes_its_stream_untrusted() {
    let bytes = [
        ("not text", b"{\"amount\":\"\xff\"}".as_slice()),
        ("cut short", b"{\"transaction_id\":".as_slice()),
        ("another shape", b"{}".as_slice()),
    ];
    for (what, payload) in bytes {
        let first = ledger().await;
        tamper::overwrite(&first.database, BAD, 2, payload).await;
        // This one has nothing in memory and must read the stream.
        let second = Ledger::on(&first.database).await;
        println!("{what}");
        assert_only_the_bad_one_is_refused(&second).await;
        assert_eq!(second.engine.status().borrow().state, EngineState::Running);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_46_and_80_an_event_of_a_newer_version_stops_its_stream_alone() {
    for event in [("closed", "2.0", b"{}".as_slice()), ("melted", "1.0", b"{}".as_slice())] {
        let ledger = ledger().await;
        // It has the stream in memory, and meets the event when it reads what others appended.
        tamper::append(&ledger.database, "account", BAD, event).await;
        assert_only_the_bad_one_is_refused(&ledger).await;
        // A kind of stream that only newer programs know is none of its business.
        tamper::append(&ledger.database, "deposit", "dep_1", ("initiated", "1.0", b"{}")).await;
        assert_only_the_bad_one_is_refused(&ledger).await;
        let fresh = Ledger::on(&ledger.database).await;
        assert_only_the_bad_one_is_refused(&fresh).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_46_a_book_of_a_newer_version_stops_everything() {
    let ledger = ledger().await;
    let newer = ("limits_versioned", "1.0", b"{}".as_slice());
    tamper::append(&ledger.database, "book", "main", newer).await;
    // Every decision stands under the book's rules, and these are not known here.
    let answer = ledger.transfer(GOOD, OTHER, "1.00").await;
    assert_eq!(answer, Err(SubmitError::Halted));
    assert_eq!(ledger.engine.status().borrow().state, EngineState::Halted);
    assert_eq!(ledger.engine.refresh().await, Err(SubmitError::Halted));
    assert_eq!(ledger.balance(GOOD).await, "100.00");
}

/// What a stored outcome says is not made up anew when it cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_outcome_that_cannot_be_read_is_not_decided_again() {
    let ledger = ledger().await;
    let before = ledger.transfer(GOOD, OTHER, "1.00").await.unwrap();
    assert!(matches!(before.outcome, Outcome::Accepted(_)));
    let mut db = ledger.database.superuser().await;
    for sql in [
        "alter table idempotency disable trigger idempotency_append_only",
        "update idempotency set outcome = '{\"maybe\":1}'",
        "alter table idempotency enable always trigger idempotency_append_only",
    ] {
        sqlx::query(sql).execute(&mut db).await.unwrap();
    }
    let key: String = sqlx::query_scalar("select key from idempotency order by key limit 1")
        .fetch_one(&mut db)
        .await
        .unwrap();
    let fresh = Ledger::on(&ledger.database).await;
    let post = crate::support::ledger::transfer(GOOD, OTHER, "1.00");
    let operation = ledger_core::command::Operation::Post(vec![post]);
    let command = crate::support::ledger::keyed(&key, 0, operation);
    assert_eq!(fresh.engine.submit(command).await, Err(SubmitError::Corrupt));
    assert_eq!(fresh.balance(GOOD).await, "99.00");
}
