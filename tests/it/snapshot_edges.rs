//! Snapshots are a cache: with them, without them, and with broken ones the decisions are the same.
//! And what cannot be read is not decided upon.

use std::time::Duration;

use ledger_core::{
    command::{Operation, Outcome},
    engine::{Answer, SubmitError},
};
use sqlx::{PgConnection, Row};

use crate::support::ledger::{Ledger, accepted, command, rejected, transfer};

/// A ledger whose `wallet:a` has more than 1,000 events and 30.00.
async fn long_stream() -> Ledger {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "40.00").await;
    ledger.open("wallet:b:INR").await;
    let pay = || command(Operation::Post(vec![transfer("wallet:a:INR", "wallet:b:INR", "0.01")]));
    for answer in ledger.engine.submit_all((0..1_000).map(|_| pay()).collect()).await.unwrap() {
        accepted(answer);
    }
    ledger
}

/// Waits until the stream's snapshot is written, off the commit path.
async fn snapshot(db: &mut PgConnection, id: &str) -> i64 {
    let find = "select sequence from snapshots where aggregate_id = $1";
    for _ in 0..2_000 {
        if let Some(row) = sqlx::query(find).bind(id).fetch_optional(&mut *db).await.unwrap() {
            return row.get("sequence");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no snapshot of {id} was written");
}

/// What an engine that has nothing in memory says to a payment of everything and a paisa more.
async fn asked_afresh(ledger: &Ledger) -> [Outcome; 2] {
    let fresh = Ledger::on(&ledger.database).await;
    let pay =
        |amount| command(Operation::Post(vec![transfer("wallet:a:INR", "wallet:b:INR", amount)]));
    let outcome = |answer: Result<Answer, SubmitError>| match answer.unwrap().outcome {
        // Ids are fresh each time.
        Outcome::Accepted(mut accepted) => {
            accepted.receipt = ledger_core::command::Receipt::Account { sequence: 0 };
            accepted.recorded_at = chrono::DateTime::UNIX_EPOCH;
            Outcome::Accepted(accepted)
        }
        rejected @ Outcome::Rejected(_) => rejected,
    };
    let all = outcome(fresh.engine.dry_run(pay("30.00")).await);
    let more = outcome(fresh.engine.dry_run(pay("30.01")).await);
    fresh.engine.shutdown().await;
    [all, more]
}

#[tokio::test(flavor = "multi_thread")]
async fn case_82_a_snapshot_is_as_good_as_none() {
    let ledger = long_stream().await;
    let mut owner = ledger.database.superuser().await;
    assert!(snapshot(&mut owner, "wallet:a:INR").await >= 500);
    let with = asked_afresh(&ledger).await;
    assert!(matches!(&with[0], Outcome::Accepted(_)), "{with:?}");
    let Outcome::Rejected(refused) = &with[1] else { panic!("{with:?}") };
    assert_eq!(refused.available.map(|a| a.to_string()), Some("30.00".to_owned()));
    for change in [
        "update snapshots set payload = 'not json'",
        "update snapshots set payload = '{}'",
        "update snapshots set fold_version = 99, payload = '{\"sequence\":1}'",
        "delete from snapshots",
    ] {
        sqlx::query(change).execute(&mut owner).await.unwrap();
        assert_eq!(asked_afresh(&ledger).await, with, "{change}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_67_a_stream_that_cannot_be_read_is_not_decided_upon() {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "10.00").await;
    ledger.wallet("wallet:b:INR", "10.00").await;
    ledger.open("wallet:c:INR").await;
    let mut owner = ledger.database.superuser().await;
    let tamper = "alter table events disable trigger all;
                  update events set payload = replace(convert_from(payload, 'UTF8'), '10.00',
                                                      '10.0O')::bytea
                  where aggregate_id = 'wallet:a:INR' and sequence = 2;
                  alter table events enable always trigger events_append_only";
    sqlx::raw_sql(tamper).execute(&mut owner).await.unwrap();
    let fresh = Ledger::on(&ledger.database).await;
    let pay = |from, to| command(Operation::Post(vec![transfer(from, to, "1.00")]));
    let (a, b, c) = ("wallet:a:INR", "wallet:b:INR", "wallet:c:INR");
    let together = vec![pay(a, c), pay(b, c), pay(c, a)];
    let answers = fresh.engine.submit_all(together).await.unwrap();
    let [of_a, of_b, to_a] = answers.try_into().unwrap();
    assert_eq!(of_a, Err(SubmitError::Corrupt));
    accepted(of_b);
    assert_eq!(to_a, Err(SubmitError::Corrupt));
    // Nothing was stored under their keys: once the stream is repaired they can come again.
    let more = fresh.transfer(b, c, "9.01").await;
    assert_eq!(rejected(more).code, "insufficient_funds");
}
