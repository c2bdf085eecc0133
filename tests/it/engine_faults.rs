//! Faults inside: a bug in the engine's own task, a clock that goes back, an append of which one
//! table is refused, a log that has what it should not have.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::TimeDelta;
use ledger_core::{
    clock::{Clock, System, Timestamp},
    command::{Operation, Outcome},
    engine::{Engine, EngineConfig, EngineState, SubmitError},
};

use crate::support::{
    checker,
    database::{Database, SUPERUSER},
    history::{History, Request, Target, Told},
    ledger::{accepted, command, config, transfer},
    load::{Load, fund, wallets},
};

/// A clock that is wrong by so many seconds, or whose reading is a bug.
#[derive(Default)]
struct BadClock {
    off_by_seconds: AtomicI64,
    panics: AtomicBool,
}

impl Clock for BadClock {
    fn now(&self) -> Timestamp {
        assert!(!self.panics.load(Ordering::Relaxed), "the bug that this test wants");
        System.now() + TimeDelta::seconds(self.off_by_seconds.load(Ordering::Relaxed))
    }
}

async fn with_clock(database: &Database) -> (Arc<BadClock>, Arc<Engine>) {
    let clock = Arc::new(BadClock::default());
    let port: Arc<dyn Clock> = clock.clone();
    let config = EngineConfig { clock: port, ..config(database) };
    (clock, Arc::new(Engine::start(config).await.unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn case_47_a_clock_that_goes_back_an_hour_changes_no_order() {
    let database = Database::create().await;
    let (clock, first) = with_clock(&database).await;
    let wallets = wallets(4);
    fund(&first, &wallets, "100.00").await;
    let second = Arc::new(Engine::start(config(&database)).await.unwrap());
    let history = Arc::new(History::default());
    let engines = [Arc::clone(&first), second];
    let running = Load::new(&wallets, 16).start(&engines, &history);
    for seconds in [0, 5, -3_600, -1, -86_400, 0] {
        clock.off_by_seconds.store(seconds, Ordering::Relaxed);
        running.more(200).await;
    }
    running.stop().await;
    // And a restart that finds a later time in the log than it has itself.
    first.shutdown().await;
    let (clock, restarted) = with_clock(&database).await;
    clock.off_by_seconds.store(-3_600, Ordering::Relaxed);
    let running = Load::new(&wallets, 16).start(&[restarted], &history);
    running.more(200).await;
    running.stop().await;
    // The checker holds that times never fall and that no id is there twice.
    checker::check_with(&database.options(SUPERUSER), &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_41_a_bug_in_the_engine_stops_it_and_leaves_the_log_whole() {
    let database = Database::create().await;
    let (clock, engine) = with_clock(&database).await;
    let wallets = wallets(4);
    fund(&engine, &wallets, "100.00").await;
    let history = Arc::new(History::default());
    let running = Load::new(&wallets, 32).start(&[Arc::clone(&engine)], &history);
    running.more(300).await;
    clock.panics.store(true, Ordering::Relaxed);
    let mut status = engine.status();
    let halted = status.wait_for(|status| status.state == EngineState::Halted);
    drop(tokio::time::timeout(Duration::from_secs(10), halted).await.expect("it halts").unwrap());
    running.stop().await;
    let late = command(Operation::Post(vec![transfer(&wallets[0], &wallets[1], "0.01")]));
    assert_eq!(engine.submit(late).await, Err(SubmitError::Halted));
    engine.shutdown().await;
    // Another process is not harmed; what was in the air is found out there.
    let next = Engine::start(config(&database)).await.unwrap();
    history.resolve(&next).await;
    checker::check_with(&database.options(SUPERUSER), &history).await;
}

/// Events and outcomes are one append: if either is refused, neither is there, and the batch's row
/// is not there either.
#[tokio::test(flavor = "multi_thread")]
async fn case_32_an_append_is_there_as_a_whole_or_not_at_all() {
    for table in ["idempotency", "events", "batches", "transaction_notes"] {
        let database = Database::create().await;
        let engine = Engine::start(config(&database)).await.unwrap();
        let wallets = wallets(2);
        fund(&engine, &wallets, "100.00").await;
        let before = checker::check(&database.options(SUPERUSER)).await;
        let mut db = database.superuser().await;
        let sql = format!(
            "create function refuse() returns trigger language plpgsql as
             $$ begin raise exception 'no' using errcode = 'check_violation'; end $$;
             create trigger refuse before insert on {table} for each row execute function refuse()"
        );
        sqlx::raw_sql(&sql).execute(&mut db).await.unwrap();
        let mut posting = transfer(&wallets[0], &wallets[1], "1.00");
        posting.note = Some("a note".to_owned());
        let post = || command(Operation::Post(vec![posting.clone()]));
        assert_eq!(engine.submit(post()).await, Err(SubmitError::Corrupt), "{table}");
        let after = checker::check(&database.options(SUPERUSER)).await;
        assert_eq!((after.events, after.batches), (before.events, before.batches), "{table}");
        sqlx::raw_sql(&format!("drop trigger refuse on {table}")).execute(&mut db).await.unwrap();
        accepted(engine.submit(post()).await);
        checker::check(&database.options(SUPERUSER)).await;
    }
}

/// The second guard: an event that came into a stream past all rules clashes with the next one.
/// What is in memory is thrown away and read afresh; nothing is written over it, nobody hangs.
#[tokio::test(flavor = "multi_thread")]
async fn case_50_a_stream_that_is_not_what_memory_says_is_read_afresh() {
    let database = Database::create().await;
    let engine = Engine::start(config(&database)).await.unwrap();
    let wallets = wallets(3);
    fund(&engine, &wallets, "100.00").await;
    let mut db = database.superuser().await;
    // No more may leave the first wallet, says somebody.
    let forged = "insert into events (position, aggregate_type, aggregate_id, sequence,
            event_type, event_version, payload, metadata, recorded_at, hash)
        select 1000000, aggregate_type, aggregate_id, 3,
            'limits_changed', '1.0', '{\"floor\":\"100.00\",\"ceiling\":null}', '{}',
            recorded_at, hash
        from events where aggregate_id = $1 and sequence = 2";
    sqlx::query(forged).bind(&wallets[0]).execute(&mut db).await.unwrap();
    let history = History::default();
    let request = |n: usize, from: usize, to: usize| Request {
        key: format!("guard-{n}"),
        from: wallets[from].clone(),
        to: wallets[to].clone(),
        amount: "1.00".to_owned(),
    };
    let requests: Vec<Request> = (0..20).map(|n| request(n, usize::from(n != 7), 2)).collect();
    let ask = requests.iter().map(|request| history.ask(&engine, request));
    let told = tokio::time::timeout(Duration::from_secs(10), futures::future::join_all(ask)).await;
    for (n, told) in told.expect("nobody hangs").into_iter().enumerate() {
        let Told::Outcome(outcome) = told else { panic!("{n}: {told:?}") };
        match outcome {
            Outcome::Rejected(rejection) => {
                assert_eq!((n, rejection.code.as_str()), (7, "insufficient_funds"));
            }
            Outcome::Accepted(_) => assert_ne!(n, 7),
        }
    }
}

/// An engine that is asked while nobody else is there keeps its promise of real time: who asks
/// after an answer comes after it. (The checker holds this for every load; here, one by one.)
#[tokio::test(flavor = "multi_thread")]
async fn one_after_the_other_is_one_after_the_other() {
    let database = Database::create().await;
    let engines = [
        Engine::start(config(&database)).await.unwrap(),
        Engine::start(config(&database)).await.unwrap(),
    ];
    let wallets = wallets(2);
    fund(&engines[0], &wallets, "100.00").await;
    let mut last = 0;
    for n in 0..60 {
        let request = Request {
            key: format!("order-{n}"),
            from: wallets[n % 2].clone(),
            to: wallets[1 - n % 2].clone(),
            amount: "1.00".to_owned(),
        };
        let id =
            ledger_core::ids::TransactionId::from_uuid(ledger_core::clock::Ids::fresh(&System));
        let Told::Outcome(Outcome::Accepted(answer)) = engines[n % 2].ask(&request, id).await
        else {
            panic!("{n}")
        };
        assert!(answer.first_position > last, "{n}");
        last = answer.position;
    }
}
