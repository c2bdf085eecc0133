//! The engine's promises, one engine on one database.

use ledger_core::command::{Operation, Outcome};

use crate::support::ledger::{Ledger, accepted, keyed, rejected, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn case_1_fifty_parallel_withdrawals_of_the_whole_balance_accept_one() {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "100.00").await;
    ledger.open("till:out:INR").await;
    let transfers = (0..50).map(|_| ledger.transfer("wallet:a:INR", "till:out:INR", "100.00"));
    let answers = futures::future::join_all(transfers).await;
    let (mut accepted, mut refused) = (0, 0);
    for answer in answers {
        match answer.unwrap().outcome {
            Outcome::Accepted(_) => accepted += 1,
            Outcome::Rejected(rejection) => {
                assert_eq!(rejection.code, "insufficient_funds");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (1, 49));
    assert_eq!(ledger.balance("wallet:a:INR").await, "0.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_21_to_23_a_key_makes_it_happen_once() {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "100.00").await;
    ledger.wallet("wallet:b:INR", "0").await;
    let post = || Operation::Post(vec![transfer("wallet:a:INR", "wallet:b:INR", "1.00")]);
    let first = ledger.engine.submit(keyed("k", 1, post())).await.unwrap();
    let again = ledger.engine.submit(keyed("k", 1, post())).await.unwrap();
    assert!(!first.replayed && again.replayed);
    assert_eq!(first.outcome, again.outcome);
    let other = ledger.engine.submit(keyed("k", 2, post())).await;
    assert_eq!(other, Err(ledger_core::engine::SubmitError::KeyReused));
    // Another process, which has nothing in memory, gives the same answer.
    let second = Ledger::on(&ledger.database).await;
    let there = second.engine.submit(keyed("k", 1, post())).await.unwrap();
    assert!(there.replayed);
    assert_eq!(first.outcome, there.outcome);
    let other = second.engine.submit(keyed("k", 2, post())).await;
    assert_eq!(other, Err(ledger_core::engine::SubmitError::KeyReused));
    assert_eq!(ledger.balance("wallet:a:INR").await, "99.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_29_a_rejection_is_kept_under_its_key() {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "1.00").await;
    ledger.wallet("wallet:b:INR", "0").await;
    let post = || Operation::Post(vec![transfer("wallet:a:INR", "wallet:b:INR", "5.00")]);
    let refused = rejected(ledger.engine.submit(keyed("k", 1, post())).await);
    assert_eq!(refused.code, "insufficient_funds");
    accepted(ledger.transfer("till:main:INR", "wallet:a:INR", "10.00").await);
    let other = Ledger::on(&ledger.database).await;
    for engine in [&ledger.engine, &other.engine] {
        let again = engine.submit(keyed("k", 1, post())).await;
        assert!(again.as_ref().unwrap().replayed);
        assert_eq!(rejected(again), refused);
    }
    accepted(ledger.engine.submit(keyed("new", 1, post())).await);
}
