//! Case 53: callers that go away. What they handed in happens once or not at all, nothing of
//! theirs stays behind, and the engine goes on for everybody else.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use ledger_core::command::{Command, Operation};
use sqlx::Row;

use crate::support::{
    books::Books,
    ledger::{Ledger, accepted, command, transfer},
};

fn pay() -> Command {
    command(Operation::Post(vec![transfer("wallet:a:INR", "wallet:b:INR", "0.01")]))
}

async fn ledger() -> Ledger {
    let ledger = Ledger::start().await;
    ledger.wallet("wallet:a:INR", "1000.00").await;
    ledger.open("wallet:b:INR").await;
    ledger
}

/// Sends every command again: what had happened is told, what had not happens now. Then each has
/// happened exactly once.
async fn assert_once_each(ledger: &Ledger, commands: Vec<Command>) {
    let count = commands.len();
    let answers = ledger.engine.submit_all(commands).await.unwrap();
    for answer in answers {
        accepted(answer);
    }
    let pool = ledger.database.pool().await;
    let books = Books::of(&pool).await;
    books.assert_whole();
    assert_eq!(books.accounts["wallet:b:INR"].sequence, u64::try_from(count).unwrap() + 1);
    // No session was left in a transaction.
    let mut owner = ledger.database.superuser().await;
    let idle = "select count(*) from pg_stat_activity
                where datname = current_database() and state like 'idle in transaction%'";
    let idle: i64 = sqlx::query(idle).fetch_one(&mut owner).await.unwrap().get(0);
    assert_eq!(idle, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn case_53_a_caller_that_leaves_at_once_takes_nothing_back() {
    let ledger = ledger().await;
    let commands: Vec<Command> = (0..2_000).map(|_| pay()).collect();
    let mut answered = 0;
    for command in &commands {
        // Polled once, which hands it in, and dropped. A thread that is suspended in the middle of
        // the poll finds the answer there; that is rare, or nobody left early here.
        if let Some(answer) = ledger.engine.submit(command.clone()).now_or_never() {
            accepted(answer);
            answered += 1;
        }
    }
    assert!(answered < 200, "{answered} of 2,000 did not leave before their answer");
    assert_once_each(&ledger, commands).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_53_callers_that_leave_at_any_time() {
    let ledger = ledger().await;
    let commands: Vec<Command> = (0..1_000).map(|_| pay()).collect();
    for chunk in commands.chunks(50) {
        let mut tasks = Vec::new();
        for command in chunk.iter().cloned() {
            let engine = ledger.engine.clone();
            tasks.push(tokio::spawn(async move { engine.submit(command).await }));
        }
        // Some have not begun, some wait for the append, some are answered.
        for (number, task) in tasks.iter().enumerate() {
            if number % 10 == 9 {
                tokio::task::yield_now().await;
            }
            task.abort();
        }
        for task in tasks {
            if let Ok(answer) = task.await {
                accepted(answer);
            }
        }
    }
    assert_once_each(&ledger, commands).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_41_a_caller_that_panics_harms_nobody() {
    let ledger = ledger().await;
    let commands: Vec<Command> = (0..100).map(|_| pay()).collect();
    for (number, command) in commands.iter().enumerate() {
        let call = async {
            let mut answer = Box::pin(ledger.engine.submit(command.clone()));
            // One half panics with the command on its way, the other with the answer in hand.
            if number % 2 == 0 {
                assert!(answer.as_mut().now_or_never().is_some(), "the caller's own mistake");
            }
            drop(answer.await);
            panic!("the caller's own mistake");
        };
        assert!(AssertUnwindSafe(call).catch_unwind().await.is_err());
    }
    assert_once_each(&ledger, commands).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_handed_in_is_done_though_every_handle_is_gone() {
    let ledger = ledger().await;
    let other = Ledger::on(&ledger.database).await;
    let commands: Vec<Command> = (0..500).map(|_| pay()).collect();
    for command in &commands {
        drop(other.engine.submit(command.clone()).now_or_never());
    }
    let mut status = other.engine.status();
    drop(other);
    let ended = status.wait_for(|s| s.state == ledger_core::engine::EngineState::Stopped);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), ended).await;
    assert!(ended.expect("the engine ends").is_ok());
    let pool = ledger.database.pool().await;
    let done = Books::of(&pool).await.accounts["wallet:b:INR"].sequence - 1;
    assert_eq!(done, 500, "handed in, so done");
    assert_once_each(&ledger, commands).await;
}
