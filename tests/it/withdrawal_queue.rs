//! Withdrawals sent to banks that answer, refuse, time out and forget: what the queue makes of it.

use ledger_core::withdrawal::WithdrawalStatus as Status;

use crate::{
    audit_engine::verified,
    support::queue::{Desk, REMOVED, SWAPPED, WALLET},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_is_sent_and_paid() {
    let desk = Desk::start().await;
    let id = desk.request("axis", "5000.00").await;
    let events = desk.wait_for(id, Status::Completed).await;
    assert_eq!(events, ["requested", "queued", "attempt_begun", "completed"]);
    assert_eq!(desk.ledger.balance(WALLET).await, "994990.00");
    assert_eq!(desk.ledger.balance("bank:axis:clearing_out:INR").await, "5000.00");
    assert_eq!(desk.ledger.balance("withdrawals:in_flight:INR").await, "0.00");
    let database = desk.ledger.database.clone();
    desk.stop().await;
    verified(&database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_104_after_a_time_out_nothing_is_sent_again_and_the_enquiry_tells() {
    let desk = Desk::start().await;
    let id = desk.request("hdfc", "5000.13").await;
    let events = desk.wait_for(id, Status::OutcomeUnknown).await;
    assert_eq!(events, ["requested", "queued", "attempt_begun", "outcome_unknown"]);
    assert_eq!(desk.ledger.balance("withdrawals:in_flight:INR").await, "5000.13");
    desk.advance(91).await;
    let events = desk.wait_for(id, Status::Completed).await;
    assert_eq!(events[3..], ["outcome_unknown", "completed"]);
    assert_eq!(desk.transfers("hdfc", id).await.len(), 1, "paid once");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_may_be_retried_gets_a_new_reference_and_a_final_one_gives_money_back() {
    let desk = Desk::start().await;
    let closed = desk.request("axis", "70.21").await;
    let events = desk.wait_for(closed, Status::Failed).await;
    assert_eq!(events[2..], ["attempt_begun", "attempt_refused", "failed"]);
    assert_eq!(desk.ledger.balance(WALLET).await, "1000000.00");
    let offline = desk.request("axis", "70.23").await;
    let refused = |events: &[String]| events.iter().filter(|e| *e == "attempt_refused").count();
    let mut seen = 0;
    for _ in 0..20 {
        seen = refused(&desk.wait_for(offline, Status::Queued).await);
        if seen >= 2 {
            break;
        }
        desk.advance(12).await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(seen >= 2, "tried {seen} times");
    desk.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_122_a_payee_that_was_swapped_or_removed_is_not_paid() {
    let desk = Desk::start().await;
    let swapped = desk.request_to(SWAPPED, "axis", "50.00").await;
    let removed = desk.request_to(REMOVED, "axis", "60.00").await;
    let sound = desk.request("axis", "70.00").await;
    // They do not stand in the way of who comes behind them.
    desk.wait_for(sound, Status::Completed).await;
    let blocks: Vec<(uuid::Uuid, String)> =
        sqlx::query_as("select withdrawal_id, code from withdrawal_blocks order by blocked_at")
            .fetch_all(&desk.pool)
            .await
            .unwrap();
    let mut codes: Vec<_> = blocks.iter().map(|(_, code)| code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["payee_mismatch", "payee_unavailable"]);
    for id in [swapped, removed] {
        desk.wait_for(id, Status::Queued).await;
        assert!(desk.transfers("axis", id).await.is_empty());
    }
    desk.stop().await;
}
