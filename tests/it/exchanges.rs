//! What was said to banks: written down beside the sending, sealed for whom it is about, and gone
//! with them.

use std::time::Duration;

use chrono::TimeDelta;
use ledger_api::{
    banks::BankRegistry,
    exchanges::{Body, ExchangeKeeper, Exchanges, KeptExchange, Recorder},
    vault::SubjectKeys,
};
use ledger_core::{
    clock::Clock as _,
    ids::{Owner, WithdrawalId},
    withdrawal::WithdrawalStatus as Status,
};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use crate::support::{
    bahi::PATIENCE,
    database::Database,
    queue::{Desk, WALLET},
    sandbox::Sandbox,
};

const SECRET: [u8; 32] = [9; 32];
/// Whose account the queue's tests pay.
const NUMBER: &str = "001234567890";

/// A desk whose exchanges are written down.
struct Written {
    desk: Desk,
    recorder: Recorder,
    exchanges: Exchanges,
    keys: SubjectKeys,
}

impl Written {
    async fn start() -> Self {
        let sandbox = Sandbox::start().await;
        let banks = sandbox.registry_within(Duration::from_millis(500));
        Self::with(sandbox, banks).await
    }

    async fn with(sandbox: Sandbox, banks: BankRegistry) -> Self {
        let mut desk = Desk::idle(&Database::create().await, sandbox).await;
        let recorder = Recorder::new(desk.clock.clone());
        for bank in banks.iter() {
            bank.record_to(recorder.clone());
        }
        desk.add_worker(&banks);
        let keys = SubjectKeys::new(desk.pool.clone(), &SECRET);
        let exchanges = Exchanges::new(desk.pool.clone(), keys.clone());
        Self { desk, recorder, exchanges, keys }
    }

    fn keep(&self) -> (watch::Sender<bool>, JoinHandle<()>) {
        let keeper = ExchangeKeeper {
            recorder: self.recorder.clone(),
            exchanges: self.exchanges.clone(),
            kept_for: TimeDelta::days(90),
        };
        let (stop, stopping) = watch::channel(false);
        (stop, tokio::spawn(keeper.run(stopping)))
    }

    /// Waits for so many exchanges about a withdrawal.
    async fn said(&self, id: WithdrawalId, count: usize) -> Vec<KeptExchange> {
        let mut kept = Vec::new();
        let waited = tokio::time::timeout(PATIENCE, async {
            while kept.len() < count {
                tokio::time::sleep(Duration::from_millis(20)).await;
                kept = self.exchanges.of_withdrawal(id, 100).await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "{} of {count} were written", kept.len());
        kept
    }
}

fn text(body: &Body) -> &str {
    let Body::Bytes(bytes) = body else { panic!("it does not open: {body:?}") };
    std::str::from_utf8(bytes).unwrap()
}

async fn owner(pool: &PgPool) -> Owner {
    let sql = "select owner from read.accounts where id = $1";
    let owner: String = sqlx::query_scalar(sql).bind(WALLET).fetch_one(pool).await.unwrap();
    owner.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn success_refusal_silence_and_questions_are_written_down_in_order() {
    let written = Written::start().await;
    let (stop, keeping) = written.keep();
    let desk = &written.desk;
    let paid = desk.request("axis", "5000.00").await;
    let refused = desk.request("axis", "70.21").await;
    let silent = desk.request("hdfc", "5000.13").await;
    desk.wait_for(paid, Status::Completed).await;
    desk.wait_for(refused, Status::Failed).await;
    desk.wait_for(silent, Status::OutcomeUnknown).await;
    desk.advance(91).await;
    desk.wait_for(silent, Status::Completed).await;

    let of_paid = written.said(paid, 1).await;
    let one = &of_paid[0];
    assert_eq!((one.kind.as_str(), one.attempt, one.bank.as_str()), ("submit", Some(1), "axis"));
    assert_eq!((one.http_status, one.failure.as_deref()), (Some(200), None));
    assert!(text(&one.request).contains(NUMBER) && text(&one.request).contains("5000.00"));
    assert!(text(&one.answer).contains("\"paid\""), "{}", text(&one.answer));
    assert!(!text(&one.request).contains("a-token-for-tests"), "no credential is kept");
    let of_refused = written.said(refused, 1).await;
    assert!(text(&of_refused[0].answer).contains("account_closed"));

    let of_silent = written.said(silent, 2).await;
    let (sent, asked) = (&of_silent[0], &of_silent[1]);
    assert_eq!((sent.kind.as_str(), sent.failure.as_deref()), ("submit", Some("timed_out")));
    assert_eq!((sent.http_status, text(&sent.answer)), (None, ""));
    assert!(sent.took_ms >= 500, "{} ms", sent.took_ms);
    assert_eq!((asked.kind.as_str(), asked.http_status), ("enquiry", Some(200)));
    assert_eq!(text(&asked.request), "", "a question has no body");
    assert!(text(&asked.answer).contains("\"paid\""));
    assert!(asked.started_at - sent.started_at >= TimeDelta::seconds(90));

    // Nothing of it can be read where it lies.
    let sql = "select count(*) from bank_exchanges
               where position($1::bytea in request) > 0 or position($1::bytea in answer) > 0";
    let found: i64 =
        sqlx::query_scalar(sql).bind(NUMBER.as_bytes()).fetch_one(&desk.pool).await.unwrap();
    assert_eq!(found, 0);
    let theirs = SubjectKeys::new(desk.pool.clone(), &[7; 32]);
    let theirs = Exchanges::new(desk.pool.clone(), theirs);
    let seen = theirs.of_withdrawal(paid, 9).await.unwrap();
    assert_eq!(seen[0].request, Body::Unreadable, "another secret opens nothing");
    stop.send_replace(true);
    keeping.await.unwrap();
    written.desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_erased_takes_what_was_said_along_and_what_comes_later() {
    let written = Written::start().await;
    let (stop, keeping) = written.keep();
    let desk = &written.desk;
    let before = desk.request("axis", "10.00").await;
    desk.wait_for(before, Status::Completed).await;
    assert!(text(&written.said(before, 1).await[0].request).contains(NUMBER));
    let owner = owner(&desk.pool).await;
    assert!(written.keys.erase(&owner).await.unwrap(), "it was sealed for {owner:?}");
    let kept = written.said(before, 1).await;
    assert_eq!((&kept[0].request, &kept[0].answer), (&Body::Erased, &Body::Erased));

    let after = desk.request("axis", "20.00").await;
    desk.wait_for(after, Status::Completed).await;
    let kept = written.said(after, 1).await;
    assert_eq!((&kept[0].request, kept[0].http_status), (&Body::Erased, Some(200)));
    let sql = "select count(*) from bank_exchanges where withdrawal_id = $1 and request is null
               and answer is null and key is null";
    let query = sqlx::query_scalar(sql).bind(after.uuid());
    let empty: i64 = query.fetch_one(&desk.pool).await.unwrap();
    assert_eq!(empty, 1, "not a byte of it was written");
    stop.send_replace(true);
    keeping.await.unwrap();
    written.desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_written_at_the_end_and_goes_on_after_it() {
    let written = Written::start().await;
    let desk = &written.desk;
    // Nobody writes, and the sending does not mind.
    let first = desk.request("axis", "10.00").await;
    desk.wait_for(first, Status::Completed).await;
    assert!(written.exchanges.of_withdrawal(first, 9).await.unwrap().is_empty());
    let (stop, keeping) = written.keep();
    stop.send_replace(true);
    keeping.await.unwrap();
    assert_eq!(written.exchanges.of_withdrawal(first, 9).await.unwrap().len(), 1);

    let (stop, keeping) = written.keep();
    let second = desk.request("axis", "20.00").await;
    desk.wait_for(second, Status::Completed).await;
    assert_eq!(written.said(second, 1).await.len(), 1);
    let now = desk.clock.now();
    let kept_for = TimeDelta::days(90);
    let soon = now + TimeDelta::days(89);
    assert_eq!(written.exchanges.forget(soon, kept_for).await.unwrap(), 0);
    let later = now + TimeDelta::days(91);
    assert_eq!(written.exchanges.forget(later, kept_for).await.unwrap(), 2);
    assert!(written.exchanges.of_withdrawal(second, 9).await.unwrap().is_empty());
    stop.send_replace(true);
    keeping.await.unwrap();
    written.desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_takes_none_disturbs_no_sending() {
    let written = Written::start().await;
    let (stop, keeping) = written.keep();
    let desk = &written.desk;
    let mut owner = desk.ledger.database.superuser().await;
    let sql = "revoke insert on bank_exchanges from bahi_app";
    sqlx::query(sql).execute(&mut owner).await.unwrap();
    for amount in ["10.00", "20.00", "30.00"] {
        let id = desk.request("axis", amount).await;
        desk.wait_for(id, Status::Completed).await;
    }
    let count: i64 = sqlx::query_scalar("select count(*) from bank_exchanges")
        .fetch_one(&desk.pool)
        .await
        .unwrap();
    assert_eq!(count, 0);
    stop.send_replace(true);
    keeping.await.unwrap();
    written.desk.stop().await;
}
