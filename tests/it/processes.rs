//! Engines in processes of their own: sharing one log, killed, stopped.
//!
//! `BAHI_CHAOS=long` makes the runs ten times as long.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_core::engine::Engine;
use rustix::process::Signal;

use crate::support::{
    checker::{self, Figures},
    database::{APP, Database, SUPERUSER},
    history::History,
    ledger::config,
    load::{Load, fund, times, wallets},
    process::{self, EngineProcess},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the other tests of this file, in processes of their own"]
async fn an_engine_in_a_process_of_its_own() {
    let folder = process::given_folder().expect("this test is run by another one");
    process::be_an_engine(&folder).await;
}

/// Engines' processes on a database of their own.
struct Processes {
    database: Database,
    wallets: Vec<String>,
    all: Vec<Arc<EngineProcess>>,
    history: Arc<History>,
}

impl Processes {
    async fn start(count: usize) -> Self {
        let database = Database::create().await;
        let wallets = wallets(8);
        let engine = Engine::start(config(&database)).await.unwrap();
        fund(&engine, &wallets, "200.00").await;
        engine.shutdown().await;
        let url = database.url(APP);
        let start = (0..count).map(|_| EngineProcess::start(&url));
        let all = futures::future::join_all(start).await;
        Self { database, wallets, all, history: Arc::default() }
    }

    async fn settle(&self) -> Figures {
        let unknown = self.history.resolve(&*self.all[0]).await;
        let figures = checker::check_with(&self.database.options(SUPERUSER), &self.history).await;
        println!("{unknown} unknown, {figures:?}");
        figures
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_the_log_fairly() {
    let processes = Processes::start(2).await;
    let load = Load::new(&processes.wallets, 16);
    let running = load.start(&processes.all, &processes.history);
    running.more(3_000 * times()).await;
    let answers = running.stop().await;
    println!("{answers:?} answers");
    let all: usize = answers.iter().sum();
    assert!(answers.iter().all(|share| share * 10 > all), "{answers:?}");
    processes.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_processes_share_a_hot_account() {
    let processes = Processes::start(4).await;
    let load = Load { hot: 10, ..Load::new(&processes.wallets, 8) };
    let running = load.start(&processes.all, &processes.history);
    running.more(3_000 * times()).await;
    let answers = running.stop().await;
    println!("{answers:?} answers");
    let all: usize = answers.iter().sum();
    assert!(answers.iter().all(|share| share * 50 > all), "{answers:?}");
    processes.settle().await;
}

/// Cases 27 and 28 too: what was on its way when it was killed had been committed, or had not.
#[tokio::test(flavor = "multi_thread")]
async fn case_37_a_process_that_is_killed_twenty_times_loses_nothing() {
    let processes = Processes::start(1).await;
    let load = Load::new(&processes.wallets, 32);
    let running = load.start(&processes.all, &processes.history);
    for kill in 0..20 * times() {
        // At another moment each time.
        running.more(40 + 7 * (kill % 20)).await;
        processes.all[0].kill_and_restart().await;
    }
    running.more(100).await;
    running.stop().await;
    let unknown = processes
        .history
        .entries()
        .iter()
        .filter(|(_, entry)| entry.outcome().is_none() && !entry.nothing_happened())
        .count();
    assert!(unknown >= 20, "{unknown} answers were lost");
    processes.settle().await;
}

/// One of two is killed, again and again, while the other works: nobody waits for the dead.
#[tokio::test(flavor = "multi_thread")]
async fn case_37_the_other_process_goes_on_while_one_is_killed() {
    let processes = Processes::start(2).await;
    let load = Load::new(&processes.wallets, 16);
    let running = load.start(&processes.all, &processes.history);
    for _ in 0..8 * times() {
        running.more(200).await;
        processes.all[1].kill_and_restart().await;
    }
    running.more(200).await;
    let answers = running.stop().await;
    println!("{answers:?} answers");
    processes.settle().await;
}

/// A process is stopped in the middle of what it does, perhaps while it has the turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_process_does_not_stop_the_other() {
    let processes = Processes::start(2).await;
    let load = Load::new(&processes.wallets, 16);
    let running = load.start(&processes.all, &processes.history);
    let mut longest = Duration::ZERO;
    for _ in 0..8 * times() {
        running.more(150).await;
        processes.all[1].signal(Signal::STOP);
        let began = Instant::now();
        let before = running.answers()[0];
        while running.answers()[0] < before + 50 {
            assert!(began.elapsed() < Duration::from_secs(8), "the other one stands still");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        longest = longest.max(began.elapsed());
        processes.all[1].signal(Signal::CONT);
        // It comes back, and what it had begun is found out.
        let before = running.answers()[1];
        let began = Instant::now();
        while running.answers()[1] < before + 20 {
            assert!(began.elapsed() < Duration::from_secs(15), "it does not come back");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    println!("50 answers of the other one took {longest:?} at most");
    assert!(longest < Duration::from_secs(5), "{longest:?}");
    running.stop().await;
    processes.settle().await;
}
