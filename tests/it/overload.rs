//! More than can be done: too many commands, too large ones, ones that cannot be stored, callers
//! that give up, and a database that answers nothing. Bounded, and clear answers.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_core::{
    chart::Direction,
    command::{Operation, Outcome},
    engine::{Engine, EngineConfig, SubmitError},
    ids::TransactionId,
    posting::Posting,
};
use sqlx::{Connection, PgConnection};

use crate::support::{
    checker,
    database::{APP, Database, SUPERUSER},
    history::{History, Request, Target, Told},
    ledger::{accepted, command, config, leg, opening, posting, rejected, transfer},
    load::{Load, fund, wallets},
    proxy::Proxy,
};

async fn engine(database: &Database, change: impl FnOnce(&mut EngineConfig)) -> Engine {
    let mut config = config(database);
    change(&mut config);
    Engine::start(config).await.unwrap()
}

/// Holds everything up: nobody can append before it is released.
async fn hold_up(database: &Database) -> PgConnection {
    let mut db = database.superuser().await;
    sqlx::query("begin").execute(&mut db).await.unwrap();
    sqlx::query("lock table batches in exclusive mode").execute(&mut db).await.unwrap();
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_empties_quickly() {
    let database = Database::create().await;
    let engine = engine(&database, |config| {
        config.queue_max = 100;
        config.batch_commands_max = 20;
    })
    .await;
    let wallets = wallets(2);
    fund(&engine, &wallets, "100.00").await;
    let lock = hold_up(&database).await;
    let mut asking = Vec::new();
    for _ in 0..2_000 {
        let engine = engine.clone();
        let operation = Operation::Post(vec![transfer(&wallets[0], &wallets[1], "0.01")]);
        asking.push(tokio::spawn(async move {
            let began = Instant::now();
            (engine.submit(command(operation)).await, began.elapsed())
        }));
    }
    // Everything that finds no room is refused while the others still wait.
    let refused = |asking: &[tokio::task::JoinHandle<_>]| {
        asking.iter().filter(|asking| asking.is_finished()).count()
    };
    let began = Instant::now();
    while refused(&asking) < 1_800 {
        assert!(began.elapsed() < Duration::from_secs(2), "{} refused", refused(&asking));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    lock.close().await.unwrap();
    let (mut happened, mut overloaded) = (0, 0);
    for asked in asking {
        match asked.await.unwrap() {
            (Ok(answer), _) => {
                assert!(matches!(answer.outcome, Outcome::Accepted(_)), "{answer:?}");
                happened += 1;
            }
            (Err(SubmitError::Overloaded), took) => {
                assert!(took < Duration::from_secs(1), "refused after {took:?}");
                overloaded += 1;
            }
            (Err(error), _) => panic!("{error}"),
        }
    }
    println!("{happened} happened, {overloaded} were refused");
    assert!(happened >= 100 && overloaded >= 1_800);
    let began = Instant::now();
    let after = Operation::Post(vec![transfer(&wallets[0], &wallets[1], "0.01")]);
    accepted(engine.submit(command(after)).await);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let figures = checker::check(&database.options(SUPERUSER)).await;
    assert_eq!(figures.transactions, happened + 1 + wallets.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn case_44_a_shutdown_answers_everything_that_was_accepted() {
    let database = Database::create().await;
    let engine = Arc::new(engine(&database, |config| config.batch_commands_max = 50).await);
    let wallets = wallets(4);
    fund(&engine, &wallets, "100.00").await;
    let history = Arc::new(History::default());
    let load = Load::new(&wallets, 200);
    let running = load.start(&[Arc::clone(&engine)], &history);
    running.more(400).await;
    let began = Instant::now();
    engine.shutdown().await;
    let drained = began.elapsed();
    engine.shutdown().await; // Twice is as good as once.
    let answers = running.stop().await;
    println!("{answers:?} answers; drained in {drained:?}");
    assert!(drained < Duration::from_secs(5), "{drained:?}");
    let late = command(Operation::Post(vec![transfer(&wallets[0], &wallets[1], "0.01")]));
    assert_eq!(engine.submit(late).await, Err(SubmitError::Unavailable));
    // Nothing is unknown: whoever was let in was answered.
    let unknown = history
        .entries()
        .iter()
        .filter(|(_, entry)| entry.attempts.iter().any(|a| matches!(a.told, Told::Unknown)))
        .count();
    assert_eq!(unknown, 0);
    checker::check_with(&database.options(SUPERUSER), &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_within_its_bound_under_a_steady_load() {
    let database = Database::create().await;
    let engine = engine(&database, |config| config.cache_entries_max = 64).await;
    let engine = Arc::new(engine);
    let wallets = wallets(400);
    fund(&engine, &wallets, "100.00").await;
    let history = Arc::new(History::default());
    let running =
        Load { hot: 0, ..Load::new(&wallets, 32) }.start(&[Arc::clone(&engine)], &history);
    let mut most = 0;
    for _ in 0..20 {
        running.more(100).await;
        most = most.max(engine.counts().cached());
    }
    running.stop().await;
    println!("{most} aggregates in memory at most");
    // The bound, and what two batches of 32 transfers may bring on top of it.
    assert!((32..=64 + 2 * 64).contains(&most), "{most}");
    checker::check_with(&database.options(SUPERUSER), &history).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_160_many_large_transactions_at_once_are_appended_in_parts() {
    let database = Database::create().await;
    let engine = engine(&database, |_| ()).await;
    let wallets = wallets(2);
    fund(&engine, &wallets, "1000.00").await;
    let big = || {
        let mut legs: Vec<_> =
            (0..99).map(|_| leg(Direction::Debit, &wallets[0], "0.01")).collect();
        legs.push(leg(Direction::Credit, &wallets[1], "0.99"));
        command(Operation::Post(vec![posting("transfer", legs)]))
    };
    let before = engine.counts().won();
    let began = Instant::now();
    let answers = futures::future::join_all((0..300).map(|_| engine.submit(big()))).await;
    for answer in answers {
        accepted(answer);
    }
    let batches = engine.counts().won() - before;
    println!("30,000 events in {batches} batches, {:?}", began.elapsed());
    assert!((3..=30).contains(&batches), "{batches}");
    checker::check(&database.options(SUPERUSER)).await;
}

/// A note with a control character is refused. What no rule foresaw and the tables refuse (here a
/// second note for one transaction, which ids made at the edge rule out) harms nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn case_70_what_cannot_be_stored_is_refused_and_its_neighbours_are_not() {
    let database = Database::create().await;
    let engine = engine(&database, |_| ()).await;
    let wallets = wallets(2);
    fund(&engine, &wallets, "100.00").await;
    let noted =
        Posting { note: Some("once".to_owned()), ..transfer(&wallets[0], &wallets[1], "0.01") };
    accepted(engine.submit(command(Operation::Post(vec![noted.clone()]))).await);
    let asked = (0..30).map(|n| {
        let plain = transfer(&wallets[0], &wallets[1], "0.01");
        let posting = match n {
            7 => noted.clone(),
            8 => Posting { note: Some("a\0b".to_owned()), ..plain },
            _ => plain,
        };
        engine.submit(command(Operation::Post(vec![posting])))
    });
    let all = futures::future::join_all(asked);
    let answers = tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
    for (n, answer) in answers.into_iter().enumerate() {
        match n {
            7 => assert_eq!(answer, Err(SubmitError::Corrupt)),
            8 => assert_eq!(rejected(answer).code, "note_invalid"),
            _ => drop(accepted(answer)),
        }
    }
    let figures = checker::check(&database.options(SUPERUSER)).await;
    assert_eq!(figures.transactions, 1 + 28 + wallets.len());
}

/// A client that waits for a while only, as a handler with a time-out does.
struct Impatient(Arc<Engine>, Duration);

impl Target for Impatient {
    async fn ask(&self, request: &Request, transaction: TransactionId) -> Told {
        tokio::time::timeout(self.1, self.0.ask(request, transaction))
            .await
            .unwrap_or(Told::Unknown)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_53_callers_that_give_up_leave_nothing_half_done() {
    let database = Database::create().await;
    let engine = Arc::new(engine(&database, |_| ()).await);
    let wallets = wallets(6);
    fund(&engine, &wallets, "100.00").await;
    let history = Arc::new(History::default());
    let patient = Arc::new(Impatient(Arc::clone(&engine), Duration::from_secs(30)));
    let hasty = Arc::new(Impatient(Arc::clone(&engine), Duration::from_micros(2_500)));
    let running = Load::new(&wallets, 32).start(&[patient, hasty], &history);
    running.more(2_000).await;
    running.stop().await;
    let unknown = history.resolve(&*engine).await;
    let figures = checker::check_with(&database.options(SUPERUSER), &history).await;
    println!("{unknown} gave up, {figures:?}");
    assert!(unknown > 50, "{unknown} gave up");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_56_a_line_that_is_half_open_is_given_up_in_time() {
    let database = Database::create().await;
    let proxy = Proxy::start(database.socket_dir());
    let through = database.options(APP).socket(proxy.socket_dir());
    let engine = Arc::new(engine(&database, |config| config.database = through).await);
    let wallets = wallets(2);
    fund(&engine, &wallets, "100.00").await;
    let fresh = crate::support::ledger::Ledger::on(&database).await;
    fresh.wallet("wallet:unseen:INR", "5.00").await;
    proxy.freeze();
    let began = Instant::now();
    // The one is appended, the other must first be read: neither may wait for ever.
    let read = engine.submit(command(Operation::Post(vec![transfer(
        "wallet:unseen:INR",
        &wallets[0],
        "1.00",
    )])));
    let answer = tokio::time::timeout(Duration::from_secs(20), read).await;
    println!("{answer:?} after {:?}", began.elapsed());
    assert_eq!(answer, Ok(Err(SubmitError::Unavailable)));
    proxy.heal();
    let history = History::default();
    let request = Request {
        key: "after".to_owned(),
        from: "wallet:unseen:INR".to_owned(),
        to: wallets[0].clone(),
        amount: "1.00".to_owned(),
    };
    let began = Instant::now();
    while !matches!(history.ask(&*engine, &request).await, Told::Outcome(_)) {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not recover");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    checker::check_with(&database.options(SUPERUSER), &history).await;
}

/// Case 49: somebody locks the log away for a while. Clean refusals or success, and afterwards
/// everything goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn case_49_a_lock_on_the_log_is_survived() {
    let database = Database::create().await;
    let engine = Arc::new(engine(&database, |_| ()).await);
    let wallets = wallets(6);
    fund(&engine, &wallets, "100.00").await;
    let history = Arc::new(History::default());
    let running = Load::new(&wallets, 32).start(&[Arc::clone(&engine)], &history);
    running.more(200).await;
    let mut told = BTreeMap::new();
    for lock in ["exclusive", "access exclusive", "access exclusive"] {
        let mut db = database.superuser().await;
        sqlx::query("begin").execute(&mut db).await.unwrap();
        let sql = format!("lock table batches in {lock} mode");
        sqlx::query(&sql).execute(&mut db).await.unwrap();
        // Held until the engine has run into its time-out.
        let began = Instant::now();
        let hit = |engine: &Engine| engine.counts().refused() + u64::from(!is_running(engine));
        let before = engine.counts().refused();
        while hit(&engine) <= before {
            assert!(began.elapsed() < Duration::from_secs(15), "{lock}: no time-out was met");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        db.close().await.unwrap();
        let again = running.more(200).await;
        told.insert(lock, (began.elapsed(), again));
    }
    running.stop().await;
    history.resolve(&*engine).await;
    let figures = checker::check_with(&database.options(SUPERUSER), &history).await;
    println!("{told:?}, {figures:?}");
}

fn is_running(engine: &Engine) -> bool {
    engine.status().borrow().state == ledger_core::engine::EngineState::Running
}

/// An engine that nobody holds any more ends, even while its database is away.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_handles_ends() {
    let database = Database::create().await;
    let proxy = Proxy::start(database.socket_dir());
    let through = database.options(APP).socket(proxy.socket_dir());
    let engine = engine(&database, |config| config.database = through).await;
    let mut status = engine.status();
    proxy.refuse();
    let lost = command(Operation::OpenAccount(opening("wallet:lost:INR")));
    let asked = tokio::time::timeout(Duration::from_millis(300), engine.submit(lost)).await;
    drop((asked, engine));
    let ended = tokio::time::timeout(Duration::from_secs(15), async {
        while status.changed().await.is_ok() {}
    });
    ended.await.expect("its task ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_30_refused_for_the_database_then_executed_once_with_the_same_key() {
    let database = Database::create().await;
    let engine = engine(&database, |_| ()).await;
    let wallets = wallets(2);
    fund(&engine, &wallets, "100.00").await;
    let lock = hold_up(&database).await;
    let request = Request {
        key: "again".to_owned(),
        from: wallets[0].clone(),
        to: wallets[1].clone(),
        amount: "1.00".to_owned(),
    };
    let history = History::default();
    let told = history.ask(&engine, &request).await;
    assert!(matches!(told, Told::Nothing), "{told:?}");
    lock.close().await.unwrap();
    for _ in 0..3 {
        let told = history.ask(&engine, &request).await;
        assert!(matches!(told, Told::Outcome(Outcome::Accepted(_))), "{told:?}");
    }
    let figures = checker::check_with(&database.options(SUPERUSER), &history).await;
    assert_eq!(figures.transactions, 1 + wallets.len());
}
