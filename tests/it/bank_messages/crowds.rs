//! Crowds that nothing can be done about now stand in nobody's way.

use std::sync::Arc;

use futures::future::BoxFuture;
use ledger_api::{
    banks::{Bank, BankMessage},
    workers::{
        inbox::{Applier, ApplyError, Conclusion, Credits},
        lanes::Lane,
        withdrawals::reference,
    },
};
use ledger_core::{
    clock::{Ids as _, System},
    ids::{BankCode, WithdrawalId},
    withdrawal::WithdrawalStatus as Status,
};
use serde_json::json;
use tokio::sync::watch;

use super::{Stage, worker};
use crate::support::{
    database::Database,
    puppet::{Puppet, Word, conclusion, deliver},
    queue::Desk,
    sandbox::Sandbox,
};

/// So many more than a look takes in.
const CROWD: i32 = 10_100;

/// Withdrawals that stand at the head of the queue of hdfc, as the read model has them, some of
/// them passed over until somebody has looked.
async fn crowd(desk: &Desk, attempts: i32, blocked: bool) {
    let mut owner = desk.ledger.database.superuser().await;
    let sql = "
        insert into read.withdrawals (id, account_id, bank, rail, bank_account, amount, fee,
            status, attempts, requested_at, requested_position, queued_position, changed_at,
            unapplied, late, sequence, last_position)
        select gen_random_uuid(), 'wallet:a:INR', 'hdfc', 'imps', gen_random_uuid(), 1.00, 0.00,
            'queued', $2, now(), 1, 1, now() + interval '1 hour', 0, false, 2, 1
        from generate_series(1, $1)";
    sqlx::query(sql).bind(CROWD).bind(attempts).execute(&mut owner).await.unwrap();
    if blocked {
        let sql = "insert into withdrawal_blocks (withdrawal_id, code)
                   select id, 'payee_unavailable' from read.withdrawals";
        sqlx::query(sql).execute(&mut owner).await.unwrap();
    }
    // In a row, as they would be.
    let sql = "update read.withdrawals w set queued_position = n
               from (select id, row_number() over () as n from read.withdrawals) as o
               where o.id = w.id";
    sqlx::query(sql).execute(&mut owner).await.unwrap();
}

/// Whether one that stands behind a crowd is sent.
async fn passes(attempts: i32, blocked: bool) {
    let stage = Stage::start().await;
    let desk = &stage.desk;
    crowd(desk, attempts, blocked).await;
    let sql = "insert into bank_pauses (bank, reason, paused_by) values ('hdfc', 'test', 'test')";
    sqlx::query(sql).execute(&desk.pool).await.unwrap();
    let id = desk.request("hdfc", "500.00").await;
    desk.wait_for(id, Status::Queued).await;
    let mut owner = desk.ledger.database.superuser().await;
    let sql = "update read.withdrawals set queued_position = 1000000 where id = $1";
    sqlx::query(sql).bind(id.uuid()).execute(&mut owner).await.unwrap();
    sqlx::query("delete from bank_pauses").execute(&mut owner).await.unwrap();
    let first = reference(id, 1).unwrap();
    stage.bank.answer(&first, Word::Paid);
    desk.wait_for(id, Status::Completed).await;
    stage.bank.hang_up();
    // The crowd is in no log, so that there is nothing to verify.
    stage.desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_that_are_passed_over_stop_no_queue() {
    passes(0, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_that_wait_for_another_attempt_stop_no_queue() {
    passes(3, false).await;
}

/// Banks tell us of what is none of ours, for ever: what is ours is found among it.
#[tokio::test(flavor = "multi_thread")]
async fn case_101_foreign_references_do_not_hide_what_has_appeared() {
    let stage = Stage::start().await;
    let sql = "
        with foreign_ones as (
            insert into inbox_deliveries (bank, event_id, sent_at, event_type, body_sha256)
            select 'hdfc', 'foreign_' || n, now(), 'transfer.paid', sha256('{}')
            from generate_series(1, 2500) n
            returning id, event_id)
        insert into inbox_applied (delivery_id, attempt, at, outcome, reference, detail)
        select id, 1, now() - interval '1 day', 'parked', 'X' || event_id, 'nobody knows it'
        from foreign_ones";
    sqlx::query(sql).execute(&stage.desk.pool).await.unwrap();
    let id = WithdrawalId::from_uuid(uuid::Uuid::from_u128(7));
    let (_, other) = stage.sent("500.00").await;
    let mut told = stage.bank.webhook(&other, Word::Paid);
    told["data"]["reference"] = json!(reference(id, 1).unwrap());
    let delivery = deliver(&stage.desk.pool, "hdfc", "msg_1", &told).await;
    assert_eq!(stage.concluded(delivery).await.0, "parked");
    stage.desk.request_as(id, "500.00").await;
    stage.desk.wait_for(id, Status::Completed).await;
    stage.end().await;
}

struct Broken;

impl Credits for Broken {
    fn apply<'a>(
        &'a self,
        _bank: &'a BankCode,
        _message: &'a BankMessage,
    ) -> BoxFuture<'a, Result<Conclusion, ApplyError>> {
        Box::pin(async { Err(ApplyError::Database(sqlx::Error::PoolTimedOut)) })
    }
}

/// One delivery that cannot be applied, ever, keeps nothing that is parked from being applied.
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_cannot_be_applied_keeps_no_other_one_back() {
    let bank = Puppet::new("hdfc");
    let mut desk = Desk::idle(&Database::create().await, Sandbox::start().await).await;
    // The inbox that comes with the queue gives way to this test's.
    worker(&mut desk, &[&bank]).last().unwrap().abort();
    let stage = Stage { desk, bank };
    let (id, first) = stage.sent("500.00").await;
    let desk = &stage.desk;
    let bank: Arc<dyn Bank> = stage.bank.clone();
    let applier = Applier { credits: Arc::new(Broken), ..desk.applier(desk.senders_of([bank])) };
    let lane = Lane::new(desk.pool.clone(), "another inbox".to_owned(), System.fresh());
    let (stop, stopping) = watch::channel(false);
    let credit = json!({"type": "credit.received", "data": {"id": "C1", "status": "booked",
        "account": "escrow", "amount": {"value": "1.00", "currency": "INR"}, "utr": "U1",
        "bank_transaction_id": "S1", "booking_date": "2026-11-22", "value_date": "2026-11-22",
        "received_at": "2026-11-22T14:02:15.000Z", "token": null, "virtual_account": null,
        "payer": null}});
    let broken = deliver(&desk.pool, "hdfc", "msg_0", &credit).await;
    let told = stage.bank.webhook(&first, Word::Paid);
    let parked = deliver(&desk.pool, "hdfc", "msg_1", &told).await;
    let sql = "insert into inbox_applied (delivery_id, attempt, at, outcome, reference, detail)
               values ($1, 1, now() - interval '1 hour', 'parked', $2, 'not known yet')";
    let query = sqlx::query(sql).bind(parked).bind(first.as_str());
    query.execute(&desk.pool).await.unwrap();
    let running = tokio::spawn(applier.run(lane, stopping));
    stage.desk.wait_for(id, Status::Completed).await;
    assert_eq!(conclusion(&stage.desk.pool, broken).await, None, "it is no test of this");
    stop.send_replace(true);
    running.await.unwrap();
    stage.end().await;
}
