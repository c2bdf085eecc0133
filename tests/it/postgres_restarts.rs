//! A PostgreSQL that is killed, stopped, or throws its sessions out, while transfers run. It is a
//! server of each test's own, with the settings that users get.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_core::engine::{Engine, EngineConfig, EngineState};
use rustix::process::Signal;

use crate::support::{
    checker::{self, Figures},
    database::{APP, SUPERUSER},
    history::History,
    load::{Load, Running, fund, times, wallets},
    server::{Server, send},
};

/// Engines with a load on a server of its own.
struct Loaded {
    server: Server,
    engines: Vec<Arc<Engine>>,
    history: Arc<History>,
    running: Running,
}

impl Loaded {
    async fn start(count: usize) -> Self {
        let server = Server::start().await;
        let mut engines = Vec::new();
        for _ in 0..count {
            let config = EngineConfig::new(server.options(APP));
            engines.push(Arc::new(Engine::start(config).await.unwrap()));
        }
        let wallets = wallets(6);
        fund(&engines[0], &wallets, "500.00").await;
        let history = Arc::new(History::default());
        let running = Load::new(&wallets, 16).start(&engines, &history);
        running.more(100).await;
        Self { server, engines, history, running }
    }

    /// Ends the load, has what is not known asked again, and checks it all.
    async fn settle(self) -> Figures {
        self.running.more(200).await;
        let answers = self.running.stop().await;
        let unknown = self.history.resolve(&*self.engines[0]).await;
        let superuser = self.server.options(SUPERUSER);
        let figures = checker::check_with(&superuser, &self.history).await;
        println!("{answers:?} answers, {unknown} unknown, {figures:?}");
        for engine in &self.engines {
            println!("  {:?}", engine.counts());
        }
        figures
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn case_37_a_server_that_is_killed_five_times_loses_nothing() {
    let loaded = Loaded::start(1).await;
    for _ in 0..5 * times() {
        loaded.server.kill().await;
        let began = Instant::now();
        loaded.server.restart().await;
        let restarted = began.elapsed();
        loaded.running.more(100).await;
        println!("restarted after {restarted:?}, 100 answers after {:?}", began.elapsed());
    }
    let figures = loaded.settle().await;
    assert!(figures.given_up > 0, "the outages were met: {figures:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn case_57_sessions_that_are_ended_again_and_again() {
    let loaded = Loaded::start(2).await;
    let mut db = loaded.server.connect().await;
    let mut ended = 0;
    for _ in 0..25 * times() {
        let rows = sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1",
        )
        .bind(APP)
        .fetch_all(&mut db)
        .await
        .unwrap();
        ended += rows.len();
        loaded.running.more(20).await;
    }
    drop(db);
    println!("{ended} sessions ended");
    assert!(ended >= 50, "{ended}");
    loaded.settle().await;
}

/// A killed backend makes the server end all sessions and recover, by itself.
#[tokio::test(flavor = "multi_thread")]
async fn case_57_a_backend_that_is_killed_takes_all_sessions_along() {
    let loaded = Loaded::start(1).await;
    for _ in 0..3 {
        let backends = loaded.server.backends().await;
        send(backends[0], Signal::KILL);
        // The server may still be recovering when these are asked for.
        loaded.running.more(100).await;
    }
    loaded.settle().await;
}

/// The engine's backends are stopped in the middle of what they do, until the engine has given them
/// up; what they had begun ends after it was fenced off, or keeps the fence waiting.
#[tokio::test(flavor = "multi_thread")]
async fn case_56_backends_that_are_stopped_until_they_are_given_up() {
    let loaded = Loaded::start(1).await;
    let began = Instant::now();
    let stopped = loaded.server.backends().await;
    send_all(&stopped, Signal::STOP);
    let mut status = loaded.engines[0].status();
    let given_up = status.wait_for(|status| status.state == EngineState::Recovering);
    let given_up = tokio::time::timeout(Duration::from_secs(30), given_up).await;
    drop(given_up.expect("a stopped server is noticed").unwrap());
    println!("given up after {:?}", began.elapsed());
    send_all(&stopped, Signal::CONT);
    loaded.running.more(200).await;
    println!("200 answers after {:?}", began.elapsed());
    loaded.settle().await;
}

fn send_all(pids: &[i32], signal: Signal) {
    for pid in pids {
        send(*pid, signal);
    }
}

/// A short stop of everything is just a delay.
#[tokio::test(flavor = "multi_thread")]
async fn case_56_a_server_that_pauses_for_a_moment() {
    let loaded = Loaded::start(2).await;
    for _ in 0..2 {
        let all = loaded.server.backends().await;
        send_all(&all, Signal::STOP);
        loaded.server.signal(Signal::STOP);
        let before: usize = loaded.running.answers().iter().sum();
        // The pause itself is what is tested.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let during: usize = loaded.running.answers().iter().sum();
        loaded.server.signal(Signal::CONT);
        send_all(&all, Signal::CONT);
        let again = loaded.running.more(100).await;
        println!("{} answers during the pause, 100 within {again:?} after it", during - before);
    }
    loaded.settle().await;
}
