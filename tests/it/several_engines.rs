//! Several engines on one log: each with connections of its own, so separate writers, as separate
//! processes are. Nothing is lost, nothing happens twice, everybody makes progress.

use std::{sync::Arc, time::Instant};

use ledger_core::{command::Operation, engine::Engine};
use rust_decimal::Decimal;

use crate::support::{
    checker::{self, Books, Log},
    database::{Database, SUPERUSER},
    history::{History, Request, Told},
    ledger::{accepted, command, config, opening},
    load::{Load, fund, times, wallets},
};

/// Answers that a run goes on for.
const ANSWERS: usize = 3_000;

async fn engines(database: &Database, count: usize) -> Vec<Arc<Engine>> {
    let mut engines = Vec::new();
    for _ in 0..count {
        engines.push(Arc::new(Engine::start(config(database)).await.unwrap()));
    }
    engines
}

/// Runs a load on some engines and checks everything; says how many answers each gave.
async fn run(count: usize, load: impl FnOnce(&[String]) -> Load) -> Vec<usize> {
    run_on(count, 8, load).await
}

async fn run_on(
    count: usize,
    wallet_count: usize,
    load: impl FnOnce(&[String]) -> Load,
) -> Vec<usize> {
    let database = Database::create().await;
    let engines = engines(&database, count).await;
    let wallets = wallets(wallet_count);
    fund(&engines[0], &wallets, "100.00").await;
    let history = Arc::new(History::default());
    let began = Instant::now();
    let running = load(&wallets).start(&engines, &history);
    running.more(ANSWERS * times()).await;
    let answers = running.stop().await;
    let took = began.elapsed();
    history.resolve(&*engines[0]).await;
    let superuser = database.options(SUPERUSER);
    let figures = checker::check_with(&superuser, &history).await;
    println!("{count} engines: {answers:?} answers in {took:?}, {figures:?}");
    assert!(figures.accepted > ANSWERS / 4, "many transfers find money: {figures:?}");
    assert_total(&superuser, &wallets, &format!("{}.00", wallet_count * 100)).await;
    answers
}

/// Transfers between wallets leave the sum of the wallets as it was.
async fn assert_total(
    superuser: &sqlx::postgres::PgConnectOptions,
    wallets: &[String],
    total: &str,
) {
    let books = Books::check(&Log::read(superuser).await);
    let sum: Decimal = wallets.iter().map(|wallet| books.balance(wallet)).sum();
    assert_eq!(sum, total.parse().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_engine_loses_nothing_and_does_nothing_twice() {
    run(1, |wallets| Load::new(wallets, 32)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_share_the_log_fairly() {
    let answers = run(2, |wallets| Load::new(wallets, 32)).await;
    let all: usize = answers.iter().sum();
    assert!(answers.iter().all(|share| share * 10 > all), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn four_engines_share_the_log_and_all_make_progress() {
    let answers = run(4, |wallets| Load::new(wallets, 16)).await;
    let all: usize = answers.iter().sum();
    assert!(answers.iter().all(|share| share * 50 > all), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_4_opposite_transfers_neither_lock_up_nor_starve() {
    let database = Database::create().await;
    let engines = engines(&database, 2).await;
    let wallets = wallets(2);
    fund(&engines[0], &wallets, "1000.00").await;
    let history = Arc::new(History::default());
    // 64 clients; between two wallets every transfer meets the opposite one.
    let running = Load::new(&wallets, 32).start(&engines, &history);
    running.more(ANSWERS * times()).await;
    let answers = running.stop().await;
    assert!(answers.iter().all(|share| share * 10 > ANSWERS), "{answers:?}");
    let superuser = database.options(SUPERUSER);
    checker::check_with(&superuser, &history).await;
    assert_total(&superuser, &wallets, "2000.00").await;
    let of = |from: &str| {
        let entries = history.entries();
        entries.iter().filter(|(_, e)| e.request.from == from && e.span().is_some()).count()
    };
    let (there, back) = (of(&wallets[0]), of(&wallets[1]));
    assert!(there * 10 > ANSWERS && back * 10 > ANSWERS, "there {there}, back {back}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_5_transfers_in_cycles_conserve_the_total() {
    run_on(3, 3, |wallets| Load { hot: 0, ..Load::new(wallets, 22) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_15_a_hot_account_loses_no_credit() {
    run_on(2, 12, |wallets| Load { hot: 10, ..Load::new(wallets, 32) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_17_a_storm_on_one_wallet_answers_everybody() {
    // Larger amounts than the wallets can bear for long: many rejections, decided on stale state
    // again and again.
    let load = |wallets: &[String]| Load { hot: 10, amount_max: 9_000, ..Load::new(wallets, 32) };
    run_on(4, 2, load).await;
}

/// Case 2: the whole balance is asked for by many clients of several engines at once.
#[tokio::test(flavor = "multi_thread")]
async fn case_2_one_of_many_withdrawals_of_the_whole_balance_is_accepted() {
    let database = Database::create().await;
    let engines = engines(&database, 3).await;
    let wallets = wallets(4);
    fund(&engines[0], &wallets[..1], "100.00").await;
    fund_empty(&engines[0], &wallets[1..]).await;
    let history = History::default();
    let ask = (0..51).map(|n| {
        let request = Request {
            key: format!("all-{n}"),
            from: wallets[0].clone(),
            to: wallets[1 + n % 3].clone(),
            amount: "100.00".to_owned(),
        };
        let (history, engine) = (&history, &engines[n % 3]);
        async move { history.ask(&**engine, &request).await }
    });
    let told = futures::future::join_all(ask).await;
    assert!(told.iter().all(|told| matches!(told, Told::Outcome(_))), "{told:?}");
    let figures = checker::check_with(&database.options(SUPERUSER), &history).await;
    assert_eq!((figures.accepted, figures.rejected), (1, 50));
}

/// One key, sent to several engines at the same moment, each with a transaction of its own.
#[tokio::test(flavor = "multi_thread")]
async fn case_22_one_key_at_several_engines_at_once_happens_once() {
    let database = Database::create().await;
    let engines = engines(&database, 3).await;
    let wallets = wallets(2);
    fund(&engines[0], &wallets, "100.00").await;
    let history = History::default();
    for round in 0..40 {
        let request = Request {
            key: format!("same-{round}"),
            from: wallets[0].clone(),
            to: wallets[1].clone(),
            amount: "1.00".to_owned(),
        };
        let ask = (0..12).map(|n| history.ask(&*engines[n % 3], &request));
        let told = futures::future::join_all(ask).await;
        assert!(told.iter().all(|told| matches!(told, Told::Outcome(_))), "{told:?}");
    }
    let superuser = database.options(SUPERUSER);
    let figures = checker::check_with(&superuser, &history).await;
    assert_eq!(figures.accepted, 40);
    assert_total(&superuser, &wallets, "200.00").await;
}

/// What is read back through a second engine is never behind what the first one acknowledged.
#[tokio::test(flavor = "multi_thread")]
async fn case_63_an_engine_that_is_refreshed_knows_what_was_acknowledged_elsewhere() {
    let database = Database::create().await;
    let engines = engines(&database, 2).await;
    let wallets = wallets(2);
    fund(&engines[0], &wallets, "100.00").await;
    let history = History::default();
    for round in 0..30 {
        let request = Request {
            key: format!("seen-{round}"),
            from: wallets[round % 2].clone(),
            to: wallets[1 - round % 2].clone(),
            amount: "1.00".to_owned(),
        };
        history.ask(&*engines[round % 2], &request).await;
        let other = &engines[1 - round % 2];
        other.refresh().await.unwrap();
        let acknowledged = engines[round % 2].status().borrow().head;
        assert_eq!(other.status().borrow().head, acknowledged, "round {round}");
    }
    checker::check_with(&database.options(SUPERUSER), &history).await;
}

async fn fund_empty(engine: &Engine, wallets: &[String]) {
    for wallet in wallets {
        accepted(engine.submit(command(Operation::OpenAccount(opening(wallet)))).await);
    }
}
