//! A failover to a server that lags: the log is shorter than the engine knows it, or another one.
//! The engine stops, and writes nothing on top of it.

use std::{sync::Arc, time::Duration};

use ledger_core::engine::{Engine, EngineConfig, EngineState, SubmitError};
use sqlx::{Connection, PgConnection};

use crate::support::{
    checker,
    database::{APP, Database, SUPERUSER},
    history::{History, Request, Told},
    ledger::{Ledger, config},
    load::{Load, fund, wallets},
    proxy::Proxy,
};

/// An engine behind a proxy whose database has been copied, and has moved on since.
struct Lagging {
    database: Database,
    proxy: Proxy,
    engine: Arc<Engine>,
    history: Arc<History>,
    wallets: Vec<String>,
}

impl Lagging {
    async fn start() -> Self {
        let database = Database::create().await;
        let wallets = wallets(4);
        let first = Engine::start(config(&database)).await.unwrap();
        fund(&first, &wallets, "100.00").await;
        first.shutdown().await;
        drop(first);
        let name = &database.name;
        cut_off(&database, &format!("create database \"{name}_old\" template \"{name}\"")).await;
        let proxy = Proxy::start(database.socket_dir());
        let through = database.options(APP).socket(proxy.socket_dir());
        let config = EngineConfig { database: through, ..config(&database) };
        let engine = Arc::new(Engine::start(config).await.unwrap());
        let history = Arc::new(History::default());
        let running = Load::new(&wallets, 8).start(&[Arc::clone(&engine)], &history);
        running.more(100).await;
        running.stop().await;
        Self { database, proxy, engine, history, wallets }
    }

    /// Puts the copy in the database's place, while nobody can connect.
    async fn fail_over(&self) {
        self.proxy.refuse();
        let name = &self.database.name;
        cut_off(&self.database, &format!("alter database \"{name}\" rename to \"{name}_new\""))
            .await;
        cut_off(&self.database, &format!("alter database \"{name}_old\" rename to \"{name}\""))
            .await;
    }

    fn request(&self, key: &str) -> Request {
        Request {
            key: key.to_owned(),
            from: self.wallets[0].clone(),
            to: self.wallets[1].clone(),
            amount: "1.00".to_owned(),
        }
    }

    /// Everything is refused, also after a while, and the log stays as it is.
    async fn assert_halted(&self) {
        let before = checker::check(&self.database.options(SUPERUSER)).await;
        let mut status = self.engine.status();
        let halted = status.wait_for(|status| status.state == EngineState::Halted);
        let halted = tokio::time::timeout(Duration::from_secs(20), halted).await;
        drop(halted.expect("it halts").unwrap());
        for n in 0..50 {
            let told = self.history.ask(&*self.engine, &self.request(&format!("no-{n}"))).await;
            assert!(matches!(told, Told::Nothing), "{told:?}");
        }
        assert_eq!(self.engine.refresh().await, Err(SubmitError::Halted));
        let after = checker::check(&self.database.options(SUPERUSER)).await;
        assert_eq!((before.events, before.batches), (after.events, after.batches));
        // An operator's restart goes on from what there is.
        self.engine.shutdown().await;
        assert_eq!(self.engine.status().borrow().state, EngineState::Stopped);
        let next = Ledger::on(&self.database).await;
        let told = History::default().ask(&next.engine, &self.request("next")).await;
        assert!(matches!(told, Told::Outcome(_)), "{told:?}");
        checker::check(&self.database.options(SUPERUSER)).await;
    }
}

/// Runs a statement that needs the databases of a test to be without sessions.
async fn cut_off(database: &Database, sql: &str) {
    let postgres = database.options(SUPERUSER).database("postgres");
    let mut db = PgConnection::connect_with(&postgres).await.unwrap();
    sqlx::query("select pg_terminate_backend(pid) from pg_stat_activity where datname like $1")
        .bind(format!("{}%", database.name))
        .execute(&mut db)
        .await
        .unwrap();
    // The server itself waits for sessions that are on their way out.
    sqlx::query(sql).execute(&mut db).await.unwrap();
    db.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn case_61_a_log_that_is_shorter_than_it_was_stops_the_engine() {
    let ledger = Lagging::start().await;
    ledger.fail_over().await;
    ledger.proxy.heal();
    let told = ledger.history.ask(&*ledger.engine, &ledger.request("first")).await;
    assert!(matches!(told, Told::Nothing), "{told:?}");
    ledger.assert_halted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_61_a_log_that_went_another_way_stops_the_engine() {
    let ledger = Lagging::start().await;
    ledger.fail_over().await;
    // Somebody else goes on with the old log, past where this engine was.
    let other = Ledger::on(&ledger.database).await;
    let history = Arc::new(History::default());
    let running = Load::new(&ledger.wallets, 8).start(&[Arc::new(other.engine)], &history);
    running.more(1_000).await;
    running.stop().await;
    ledger.proxy.heal();
    let told = ledger.history.ask(&*ledger.engine, &ledger.request("first")).await;
    assert!(matches!(told, Told::Nothing), "{told:?}");
    ledger.assert_halted().await;
}

/// Under load, with commands in flight, no caller is told of an acceptance that is not there.
#[tokio::test(flavor = "multi_thread")]
async fn case_61_in_the_middle_of_a_load() {
    let ledger = Lagging::start().await;
    let history = Arc::new(History::default());
    let load = Load::new(&ledger.wallets, 32);
    let running = load.start(&[Arc::clone(&ledger.engine)], &history);
    running.more(200).await;
    ledger.fail_over().await;
    let known = history.decided();
    ledger.proxy.heal();
    ledger.assert_halted().await;
    running.stop().await;
    // What was in the air when the server went is answered by nothing that the old log knows.
    assert_eq!(history.decided(), known);
}
