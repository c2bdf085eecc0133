//! What the tests stand on: a server, a log to write, a projector to run.

#[expect(dead_code, reason = "the tests of the whole ledger use more of it")]
#[path = "../../../../tests/it/support/database.rs"]
mod database;
pub(crate) mod log;
pub(crate) mod oracle;
pub(crate) mod random;

use std::time::Duration;

use projections::{Projector, ProjectorStatus, ReadModel, ReadModels};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};

use database::{APP, Database};
pub(crate) use log::{TestLog, credit, debit};

/// Far longer than anything here takes: a failing test ends by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A fresh, migrated database, as the application's role sees it.
pub(crate) async fn database() -> PgPool {
    let database = Database::create().await;
    let options = database.options(APP);
    // The pool keeps the database, and with it the server, for as long as it is used.
    let kept = PgPoolOptions::new().max_connections(10).after_connect(move |_, _| {
        let _kept = &database;
        Box::pin(async { Ok(()) })
    });
    kept.connect_with(options).await.unwrap()
}

/// A projector at work.
pub(crate) struct Running {
    pub(crate) status: watch::Receiver<ProjectorStatus>,
    pub(crate) task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Running {
    pub(crate) fn start(pool: &PgPool) -> Self {
        let (_, nudge) = watch::channel(0);
        let projector = Projector::new(pool.clone(), nudge);
        let (stop, stopped) = oneshot::channel::<()>();
        let status = projector.status();
        let shutdown = async move {
            drop(stopped.await);
        };
        let task = tokio::spawn(projector.run(shutdown));
        Self { status, task, stop }
    }

    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.task.await.unwrap();
    }
}

/// Projects everything that is in the log.
pub(crate) async fn project(pool: &PgPool, upto: u64) -> ReadModels {
    let running = Running::start(pool);
    let reads = ReadModels::new(pool.clone());
    reads.wait_for(upto, PATIENCE).await.unwrap();
    running.stop().await;
    reads
}

/// Every row of every read model, as text, in order.
pub(crate) async fn tables(pool: &PgPool) -> Vec<(&'static str, Vec<String>)> {
    let mut tables = Vec::new();
    for name in ReadModel::ALL.map(ReadModel::name).into_iter().chain(["transaction_days"]) {
        let sql = format!("select t::text from read.{name} t order by 1");
        let rows: Vec<String> = sqlx::query_scalar(&sql).fetch_all(pool).await.unwrap();
        tables.push((name, rows));
    }
    tables
}
