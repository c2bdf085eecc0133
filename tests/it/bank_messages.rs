//! What a bank says of a withdrawal, in all orders and at bad moments, to the real queue, inbox and
//! statements: whatever comes first, it ends the same, and nothing is sent twice.

mod crowds;
mod doubts;
mod orders;

use std::{sync::Arc, time::Duration};

use ledger_api::{
    banks::Bank,
    workers::withdrawals::{Statements, reference},
};
use ledger_core::{
    ids::{Reference, TransactionId, WithdrawalId},
    withdrawal::{CancelWithdrawal, WithdrawalOperation, WithdrawalStatus as Status},
};
use rust_decimal::Decimal;
use tokio::task::AbortHandle;

use crate::{
    audit_engine::verified,
    support::{
        bahi::PATIENCE,
        database::Database,
        ledger::{accepted, rejected},
        puppet::{Puppet, Word, conclusion, deliver},
        queue::{Desk, Imported, WALLET},
        sandbox::Sandbox,
    },
};

/// A desk whose bank is a puppet, and who works at it.
struct Stage {
    desk: Desk,
    bank: Arc<Puppet>,
}

impl Stage {
    async fn with(bank: Arc<Puppet>) -> Self {
        let sandbox = Sandbox::start().await;
        let mut desk = Desk::idle(&Database::create().await, sandbox).await;
        worker(&mut desk, &[&bank]);
        Self { desk, bank }
    }

    async fn start() -> Self {
        Self::with(Puppet::new("hdfc")).await
    }

    /// A withdrawal whose submission is under way.
    async fn sent(&self, amount: &str) -> (WithdrawalId, Reference) {
        let id = self.desk.request("hdfc", amount).await;
        let first = reference(id, 1).unwrap();
        until("it is handed in", async || self.bank.submissions(&first) == 1).await;
        // Also to whoever applies what is told of it.
        self.desk.wait_for(id, Status::Processing).await;
        (id, first)
    }

    /// Delivers a webhook, and waits until somebody came to a conclusion; which.
    async fn tell(&self, event: &str, reference: &Reference, word: Word) -> (String, String) {
        let body = self.bank.webhook(reference, word);
        let delivery = deliver(&self.desk.pool, "hdfc", event, &body).await;
        self.concluded(delivery).await
    }

    async fn concluded(&self, delivery: i64) -> (String, String) {
        let pool = &self.desk.pool;
        until("it is looked at", async || conclusion(pool, delivery).await.is_some()).await;
        conclusion(pool, delivery).await.unwrap()
    }

    async fn balance(&self, account: &str) -> String {
        let balance: Decimal = self.desk.ledger.balance(account).await.parse().unwrap();
        // Of an account that was never moved, too.
        format!("{balance:.2}")
    }

    async fn end(self) {
        let database = self.desk.ledger.database.clone();
        self.bank.hang_up();
        self.desk.stop().await;
        verified(&database).await;
    }
}

/// Somebody who works for these banks, with the statements that were imported.
fn worker(desk: &mut Desk, banks: &[&Arc<Puppet>]) -> Vec<AbortHandle> {
    let statements: Arc<dyn Statements> = Arc::new(Imported(desk.pool.clone()));
    let banks = banks.iter().map(|bank| -> Arc<dyn Bank> { Arc::<Puppet>::clone(bank) });
    desk.add_worker_of(banks, &statements)
}

/// Waits for something that is looked at.
async fn until(what: &str, reached: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !reached().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "in vain until {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_100_a_webhook_that_overtakes_the_answer_is_the_answer() {
    let stage = Stage::start().await;
    let (id, first) = stage.sent("500.00").await;
    let (outcome, _) = stage.tell("msg_1", &first, Word::Paid).await;
    assert_eq!(outcome, "applied");
    stage.desk.wait_for(id, Status::Completed).await;
    stage.bank.answer(&first, Word::Accepted);
    // What the answer says is older than what is known, and a second webhook says nothing new.
    let (outcome, _) = stage.tell("msg_2", &first, Word::Paid).await;
    assert_eq!(outcome, "applied");
    let events = stage.desk.wait_for(id, Status::Completed).await;
    assert_eq!(events, ["requested", "queued", "attempt_begun", "completed"]);
    assert_eq!(stage.bank.submissions(&first), 1);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_101_a_webhook_of_an_unknown_reference_waits_and_is_applied_when_it_appears() {
    let stage = Stage::start().await;
    let id = WithdrawalId::from_uuid(uuid::Uuid::from_u128(7));
    let (_, other) = stage.sent("500.00").await;
    let mut told = stage.bank.webhook(&other, Word::Paid);
    told["data"]["reference"] = serde_json::json!(reference(id, 1).unwrap());
    let delivery = deliver(&stage.desk.pool, "hdfc", "msg_1", &told).await;
    let (outcome, detail) = stage.concluded(delivery).await;
    assert_eq!((outcome.as_str(), detail.as_str()), ("parked", "nobody knows the reference yet"));
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "0.00");
    stage.desk.request_as(id, "500.00").await;
    stage.desk.wait_for(id, Status::Completed).await;
    until("it is applied", async || {
        conclusion(&stage.desk.pool, delivery)
            .await
            .is_some_and(|(outcome, _)| outcome == "applied")
    })
    .await;
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "500.00");
    stage.end().await;
}

/// Accepted after paid, refused after paid, paid after refused: what is older changes nothing, and
/// what contradicts is asked for, never believed.
#[tokio::test(flavor = "multi_thread")]
async fn case_102_what_comes_out_of_order_undoes_nothing() {
    let stage = Stage::start().await;
    let (paid, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::Paid);
    stage.bank.find(&first, Word::Paid);
    stage.desk.wait_for(paid, Status::Completed).await;
    assert_eq!(stage.tell("msg_1", &first, Word::Accepted).await.0, "ignored");
    // The bank is asked, and says that it paid.
    assert_eq!(stage.tell("msg_2", &first, Word::Refused).await.0, "applied");
    assert_eq!(stage.bank.questions(&first), 1);
    let (refused, second) = stage.sent("70.00").await;
    stage.bank.answer(&second, Word::Refused);
    stage.desk.wait_for(refused, Status::Failed).await;
    assert_eq!(stage.tell("msg_3", &second, Word::Accepted).await.0, "ignored");
    // It has paid all the same: what was given back is taken again, and the fee is not.
    stage.bank.find(&second, Word::Paid);
    assert_eq!(stage.tell("msg_4", &second, Word::Paid).await.0, "applied");
    let events = stage.desk.wait_for(refused, Status::Completed).await;
    assert_eq!(events.last().unwrap(), "completed_late");
    assert_eq!(stage.desk.wait_for(paid, Status::Completed).await.len(), 4);
    assert_eq!(stage.balance(WALLET).await, "999420.00");
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "570.00");
    stage.end().await;
}

/// A worker that everybody believes dead: its call is answered when the money was asked for, found
/// refused, and another attempt was sent by another worker.
#[tokio::test(flavor = "multi_thread")]
async fn case_108_a_worker_that_comes_back_late_does_no_harm() {
    let mut stage = Stage::start().await;
    let (id, first) = stage.sent("500.00").await;
    // It keeps its call, and loses its lane to another one.
    let before = holder(&stage).await;
    worker(&mut stage.desk, &[&stage.bank]);
    until("another worker has the lane", async || {
        let sql = "update worker_lanes set expires_at = now() - interval '1 second'
                   where holder = $1";
        sqlx::query(sql).bind(before).execute(&stage.desk.pool).await.unwrap();
        holder(&stage).await != before
    })
    .await;
    stage.bank.find(&first, Word::Offline);
    stage.desk.advance(61).await;
    let second = reference(id, 2).unwrap();
    until("it is refused and tried again", async || {
        stage.desk.advance(15).await;
        stage.bank.submissions(&second) == 1
    })
    .await;
    // Now the first worker's call is answered, with what was never true.
    stage.bank.answer(&first, Word::Paid);
    let events = stage.desk.wait_for(id, Status::Completed).await;
    assert_eq!(events.iter().filter(|name| *name == "completed").count(), 1);
    // The second attempt ends by its own word, and the money has left once.
    stage.bank.answer(&second, Word::Refused);
    until("it is told", async || {
        let history = stage.desk.read_models.withdrawal(id).await.unwrap().value.unwrap();
        history.facts.iter().any(|fact| {
            matches!(&fact.event, ledger_core::withdrawal::WithdrawalEvent::AttemptRefused(refused)
                if refused.attempt == 2)
        })
    })
    .await;
    for attempt in [&first, &second] {
        assert_eq!(stage.bank.submissions(attempt), 1);
    }
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "500.00");
    assert_eq!(stage.balance(WALLET).await, "999490.00");
    stage.end().await;
}

async fn holder(stage: &Stage) -> uuid::Uuid {
    let sql = "select holder from worker_lanes where lane = 'withdrawals:hdfc'";
    sqlx::query_scalar(sql).fetch_one(&stage.desk.pool).await.unwrap()
}

/// Told to come again, it is stopped for a day and wakes up: it does not hand in any more what
/// statements may have proved absent meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn case_108_who_wakes_up_too_late_hands_nothing_in() {
    let stage = Stage::start().await;
    let (id, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::TooFast);
    let times = until_told(&stage, &first).await;
    stage.desk.clock.be_ahead(chrono::TimeDelta::days(1));
    stage.bank.answer(&first, Word::Paid);
    let events = stage.desk.wait_for(id, Status::OutcomeUnknown).await;
    assert_eq!(events[2..], ["attempt_begun", "outcome_unknown"]);
    assert_eq!(stage.bank.submissions(&first), times);
    stage.end().await;
}

/// How often it was handed in, right after it was once more.
async fn until_told(stage: &Stage, reference: &Reference) -> usize {
    let before = stage.bank.submissions(reference);
    until("it comes again", async || stage.bank.submissions(reference) > before).await;
    stage.bank.submissions(reference)
}

/// Paid, and back weeks later: a new transaction beside the old one, and the fee as well.
#[tokio::test(flavor = "multi_thread")]
async fn case_109_what_comes_back_after_weeks_leaves_the_payment_as_it_was() {
    let stage = Stage::start().await;
    let (id, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::Paid);
    stage.desk.wait_for(id, Status::Completed).await;
    let paid = transactions(&stage).await;
    stage.desk.advance(50 * 86_400).await;
    stage.bank.find(&first, Word::Returned);
    assert_eq!(stage.tell("msg_1", &first, Word::Returned).await.0, "applied");
    let events = stage.desk.wait_for(id, Status::Returned).await;
    assert_eq!(events[3..], ["completed", "returned", "applied"]);
    assert_eq!(stage.balance(WALLET).await, "1000000.00");
    assert_eq!(stage.balance("bank:hdfc:clearing_in:INR").await, "500.00");
    let all = transactions(&stage).await;
    assert_eq!(all[..paid.len()], paid, "what was there is as it was");
    assert!(all.len() > paid.len());
    // The same return again, told under another id.
    assert_eq!(stage.tell("msg_2", &first, Word::Returned).await.0, "ignored");
    assert_eq!(transactions(&stage).await, all);
    stage.end().await;
}

/// The legs in the log, in its order.
async fn transactions(stage: &Stage) -> Vec<(i64, Vec<u8>)> {
    sqlx::query_as(
        "select position, payload from events
         where event_type in ('debited', 'credited') order by position",
    )
    .fetch_all(&stage.desk.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn case_116_a_cancellation_races_the_sending_and_one_of_them_wins() {
    let stage = Stage::start().await;
    let (mut sent, mut pause) = (0, Duration::from_millis(60));
    for round in 0..16 {
        let id = stage.desk.request("hdfc", "100.00").await;
        let first = reference(id, 1).unwrap();
        // Around the moment at which the queue looks, whichever that is on this machine.
        tokio::time::sleep(pause).await;
        let cancel = WithdrawalOperation::Cancel(CancelWithdrawal {
            withdrawal_id: id,
            transaction_id: TransactionId::from_uuid(uuid::Uuid::now_v7()),
        });
        let answer = stage.desk.ledger.submit(cancel.into()).await;
        let history = async || {
            stage.desk.read_models.withdrawal(id).await.unwrap().value.map(|h| h.withdrawal)
        };
        let cancelled =
            matches!(answer.as_ref().unwrap().outcome, ledger_core::command::Outcome::Accepted(_));
        if cancelled {
            accepted(answer);
            stage.desk.wait_for(id, Status::Cancelled).await;
            assert!(history().await.unwrap().attempts().is_empty());
            assert_eq!(stage.bank.submissions(&first), 0, "round {round}");
            pause = pause * 3 / 2;
        } else {
            assert_eq!(rejected(answer).code, "not_cancellable");
            until("it is handed in", async || stage.bank.submissions(&first) == 1).await;
            stage.bank.answer(&first, Word::Paid);
            stage.desk.wait_for(id, Status::Completed).await;
            sent += 1;
            pause = pause * 2 / 3;
        }
    }
    assert!((1..16).contains(&sent), "{sent} of 16 were sent: no race");
    assert_eq!(stage.balance("withdrawals:reserved:INR").await, "0.00");
    assert_eq!(stage.balance("withdrawals:in_flight:INR").await, "0.00");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_117_without_evidence_people_look_and_the_money_stays() {
    let stage = Stage::with(Puppet::asked_at_most("hdfc", 3)).await;
    let (id, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::Silent);
    stage.desk.wait_for(id, Status::OutcomeUnknown).await;
    until("all questions are asked", async || {
        stage.desk.advance(600).await;
        stage.bank.questions(&first) == 3
    })
    .await;
    stage.desk.advance(5 * 86_400).await;
    stage.desk.wait_for(id, Status::NeedsAttention).await;
    // However long it takes, nothing is given back and nothing more is asked.
    stage.desk.advance(30 * 86_400).await;
    let later = stage.desk.request("hdfc", "1.00").await;
    let second = reference(later, 1).unwrap();
    stage.bank.answer(&second, Word::Paid);
    stage.desk.wait_for(later, Status::Completed).await;
    let events = stage.desk.wait_for(id, Status::NeedsAttention).await;
    assert_eq!(events[3..], ["outcome_unknown", "attention_needed"]);
    assert_eq!((stage.bank.submissions(&first), stage.bank.questions(&first)), (1, 3));
    assert_eq!(stage.balance("withdrawals:in_flight:INR").await, "500.00");
    stage.end().await;
}

/// Less or more than was sent: people at once, whoever says it, and not question after question.
#[tokio::test(flavor = "multi_thread")]
async fn case_110_and_111_another_amount_than_was_sent_is_for_people() {
    let stage = Stage::start().await;
    for (number, amount) in ["97.00", "100.01"].into_iter().enumerate() {
        let (id, first) = stage.sent("100.00").await;
        stage.bank.find(&first, Word::PaidOther(amount));
        if number == 0 {
            stage.bank.answer(&first, Word::PaidOther(amount));
        } else {
            let told = stage.tell("msg_1", &first, Word::PaidOther(amount)).await;
            assert_eq!(told.0, "parked", "{told:?}");
        }
        let events = stage.desk.wait_for(id, Status::NeedsAttention).await;
        assert_eq!(events.last().unwrap(), "attention_needed");
        let history = stage.desk.read_models.withdrawal(id).await.unwrap().value.unwrap();
        let last = format!("{:?}", history.facts.last().unwrap().event);
        assert!(last.contains("amount_differs"), "{last}");
        let asked = stage.bank.questions(&first);
        stage.desk.advance(7_200).await;
        let (done, second) = stage.sent("5.00").await;
        stage.bank.answer(&second, Word::Paid);
        stage.desk.wait_for(done, Status::Completed).await;
        assert_eq!(stage.bank.questions(&first), asked, "nobody asks again");
    }
    assert_eq!(stage.balance("withdrawals:in_flight:INR").await, "200.00");
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "10.00");
    stage.end().await;
}

/// The bank's reference of another payment, a year ago or not: our own reference says whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn case_114_a_reference_of_the_banks_that_comes_again_moves_nothing_of_the_first() {
    let stage = Stage::start().await;
    let (one, first) = stage.sent("100.00").await;
    stage.bank.answer(&first, Word::Paid);
    stage.desk.wait_for(one, Status::Completed).await;
    stage.desk.advance(366 * 86_400).await;
    let (two, second) = stage.sent("100.00").await;
    let mut told = stage.bank.webhook(&second, Word::Paid);
    told["data"]["utr"] = serde_json::json!(format!("U-{first}"));
    let delivery = deliver(&stage.desk.pool, "hdfc", "msg_1", &told).await;
    assert_eq!(stage.concluded(delivery).await.0, "applied");
    stage.desk.wait_for(two, Status::Completed).await;
    // Our own reference under another one of the bank's: for people.
    let mut other = stage.bank.webhook(&first, Word::Paid);
    other["data"]["utr"] = serde_json::json!("U-OTHER");
    let delivery = deliver(&stage.desk.pool, "hdfc", "msg_2", &other).await;
    let (outcome, detail) = stage.concluded(delivery).await;
    assert_eq!(outcome, "parked", "{detail}");
    assert!(detail.contains("bank_reference_differs"), "{detail}");
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "200.00");
    stage.end().await;
}

/// What a bank's clock says never becomes ours: a payment settled in the year 9999 or on a leap day
/// is booked now.
#[tokio::test(flavor = "multi_thread")]
async fn case_115_whatever_the_banks_clock_says_it_is_booked_by_ours() {
    let stage = Stage::start().await;
    let times =
        ["9999-12-31T23:59:59.999Z", "2024-02-29T00:00:00.000Z", "1970-01-01T00:00:00.000Z"];
    for (number, time) in times.into_iter().enumerate() {
        let (id, first) = stage.sent("1.00").await;
        let mut told = stage.bank.webhook(&first, Word::Paid);
        told["data"]["settled_at"] = serde_json::json!(time);
        told["data"]["accepted_at"] = serde_json::json!(time);
        told["timestamp"] = serde_json::json!(time);
        let event = format!("msg_{number}");
        let delivery = deliver(&stage.desk.pool, "hdfc", &event, &told).await;
        assert_eq!(stage.concluded(delivery).await.0, "applied", "{time}");
        stage.desk.wait_for(id, Status::Completed).await;
        let history = stage.desk.read_models.withdrawal(id).await.unwrap().value.unwrap();
        let (before, at) = (&history.facts[2], &history.facts[3]);
        assert!(at.recorded_at >= before.recorded_at, "{time}");
        assert!(at.recorded_at <= chrono::Utc::now() + chrono::TimeDelta::seconds(5), "{time}");
    }
    stage.end().await;
}
