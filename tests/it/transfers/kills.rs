//! A process that dies before, in or after each step of a transfer: the next one finds all of the
//! step or nothing of it, and asking again with the same key comes to one transfer.

use ledger_core::{engine::Engine, transfer::TransferStatus};

use super::{One, RECEIVERS, SENDER, begun, status};
use crate::{
    audit_engine::verified,
    support::{
        database::Database,
        ledger::{self, Ledger, accepted, keyed},
    },
};

/// The client's request is cut off at a moment of its own, its engine is thrown away, and it asks
/// the next engine again with the same key.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_cut_off_is_there_once() {
    let database = Database::create().await;
    let first = Ledger::on(&database).await;
    begun(&first).await;
    first.engine.shutdown().await;
    let mut paid = 0;
    for cut_us in [0, 200, 500, 1_000, 2_000, 4_000, 8_000] {
        let one = One::new();
        let ends = [
            (one.sent(), TransferStatus::PendingClaim),
            (one.ruled(), TransferStatus::ClaimInReview),
            (one.decide(cut_us != 2_000), TransferStatus::Completed),
        ];
        for (step, (ask, expected)) in ends.into_iter().enumerate() {
            let command = keyed(&format!("cut-{cut_us}-{step}"), 0, ask.into());
            let dying = Engine::start(ledger::config(&database)).await.unwrap();
            // Dropped while the request is on its way, or just after: nobody hears the answer.
            let cut = std::time::Duration::from_micros(cut_us);
            drop(tokio::time::timeout(cut, dying.submit(command.clone())).await);
            drop(dying);
            let next = Engine::start(ledger::config(&database)).await.unwrap();
            let is = status(&accepted(next.submit(command).await));
            let expected =
                if cut_us == 2_000 && step == 2 { TransferStatus::Cancelled } else { expected };
            assert_eq!(is, expected, "{cut_us} µs, step {step}");
            next.shutdown().await;
        }
        paid += i64::from(cut_us != 2_000);
    }
    let last = Ledger::on(&database).await;
    assert_eq!(last.balance(SENDER).await, format!("{}.00", 100_000 - 255 * paid));
    assert_eq!(last.balance(RECEIVERS[0]).await, format!("{}.00", 250 * paid));
    last.engine.shutdown().await;
    verified(&database).await;
}
