//! What is decided while a bank is slow, and what a bank tells and does not confirm.

use std::time::Duration;

use ledger_core::withdrawal::{
    AttemptOutcome, RecordOutcome, Source, WithdrawalOperation, WithdrawalStatus as Status,
};

use super::{Stage, until};
use crate::support::{
    ledger::{Ledger, accepted},
    puppet::{Puppet, Word, conclusion, deliver},
};

/// Told to come again, and decided meanwhile by another process: it is not handed in any more, for
/// the bank might pay what was given back.
#[tokio::test(flavor = "multi_thread")]
async fn case_108_what_was_decided_meanwhile_is_not_handed_in_again() {
    let stage = Stage::start().await;
    let (id, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::TooFast);
    let elsewhere = Ledger::on(&stage.desk.ledger.database).await;
    let refused = RecordOutcome {
        withdrawal_id: id,
        attempt: 1,
        outcome: AttemptOutcome::RefusedFinal,
        source: Source::Enquiry,
        code: None,
        transaction_id: ledger_core::ids::TransactionId::from_uuid(uuid::Uuid::from_u128(9)),
    };
    accepted(elsewhere.submit(WithdrawalOperation::RecordOutcome(refused).into()).await);
    let before = stage.bank.submissions(&first);
    until("the sender gives up", async || {
        let sql = "select exists (select from bank_questions
                                  where withdrawal_id = $1 and number = 0)";
        sqlx::query_scalar(sql).bind(id.uuid()).fetch_one(&stage.desk.pool).await.unwrap()
    })
    .await;
    // One may have been under way.
    assert!(stage.bank.submissions(&first) <= before + 1, "handed in again and again");
    stage.desk.wait_for(id, Status::Failed).await;
    elsewhere.engine.shutdown().await;
    stage.end().await;
}

/// Every webhook that is not believed is a question to the bank, and banks allow few.
#[tokio::test(flavor = "multi_thread")]
async fn case_105_webhooks_ask_no_more_than_the_bank_allows() {
    let stage = Stage::with(Puppet::asked_at_most("hdfc", 2)).await;
    let (id, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::Silent);
    stage.desk.wait_for(id, Status::OutcomeUnknown).await;
    for event in ["msg_1", "msg_2", "msg_3", "msg_4"] {
        assert_eq!(stage.tell(event, &first, Word::Refused).await.0, "parked");
    }
    assert_eq!(stage.bank.questions(&first), 2);
    stage.end().await;
}

/// A webhook says that money came back, and the bank itself does not: it is no news until it does.
#[tokio::test(flavor = "multi_thread")]
async fn case_109_a_return_that_the_bank_does_not_confirm_waits() {
    let stage = Stage::start().await;
    let (id, first) = stage.sent("500.00").await;
    stage.bank.answer(&first, Word::Paid);
    stage.bank.find(&first, Word::Paid);
    stage.desk.wait_for(id, Status::Completed).await;
    let body = stage.bank.webhook(&first, Word::Returned);
    let delivery = deliver(&stage.desk.pool, "hdfc", "msg_1", &body).await;
    let (outcome, detail) = stage.concluded(delivery).await;
    assert_eq!(outcome, "parked", "{detail}");
    assert_eq!(stage.bank.questions(&first), 1);
    // Now the bank's books have it.
    stage.bank.find(&first, Word::Returned);
    until("it is applied", async || {
        stage.desk.advance(5).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        conclusion(&stage.desk.pool, delivery).await.is_some_and(|(it, _)| it == "applied")
    })
    .await;
    stage.desk.wait_for(id, Status::Returned).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_of_a_move_of_our_own_waits_for_nobody_and_moves_nothing() {
    let stage = Stage::start().await;
    let (_, first) = stage.sent("500.00").await;
    let sql = "insert into treasury_moves
        (id, reference, day, currency, direction, bank, amount, headroom, status, proposed_at,
         decided_at, decided_by)
        values (gen_random_uuid(), 'TM8F00A1B2C3D4E5F6', '2026-11-22', 'INR', 'top_up', 'hdfc',
                500, -500, 'approved', now(), now(), 'asha')";
    sqlx::query(sql).execute(&stage.desk.pool).await.unwrap();
    let mut told = stage.bank.webhook(&first, Word::Paid);
    for (reference, outcome) in
        [("TM8F00A1B2C3D4E5F6", "ignored"), ("TM8F00A1B2C3D4E5F7", "parked")]
    {
        told["data"]["reference"] = serde_json::json!(reference);
        let delivery = deliver(&stage.desk.pool, "hdfc", reference, &told).await;
        assert_eq!(stage.concluded(delivery).await.0, outcome, "{reference}");
    }
    assert_eq!(stage.balance("bank:hdfc:clearing_out:INR").await, "0.00");
    stage.end().await;
}
