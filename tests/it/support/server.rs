//! A PostgreSQL of a test's own, with durable settings, to be killed and stopped.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ledger_api::postgres::{self, Cluster, Mode, Options};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::database::{APP, SUPERUSER};

const DATABASE: &str = "ledger";

/// It stops, and its folder goes, when it is dropped.
pub(crate) struct Server {
    cluster: Option<Arc<Cluster>>,
    _folder: tempfile::TempDir,
}

impl Server {
    /// A fresh one, migrated.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("postgres");
        let settings = [("shared_buffers", "32MB"), ("max_wal_size", "256MB")];
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let options = Options { settings: settings.to_vec(), ..Options::from_env(Mode::Durable) };
        let open = move || postgres::open_with(&root, &options).expect("a server of its own");
        let cluster = tokio::task::spawn_blocking(open).await.unwrap();
        postgres::ensure_database(&cluster, DATABASE).await.unwrap();
        let server = Self { cluster: Some(Arc::new(cluster)), _folder: folder };
        let mut db = server.connect().await;
        ledger_core::log::MIGRATOR.run(&mut db).await.unwrap();
        sqlx::query("alter role bahi_app login").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        server
    }

    fn cluster(&self) -> &Arc<Cluster> {
        self.cluster.as_ref().unwrap()
    }

    /// The options of a role.
    pub(crate) fn options(&self, role: &str) -> PgConnectOptions {
        self.url(role).parse().unwrap()
    }

    /// The URL of a role.
    pub(crate) fn url(&self, role: &str) -> String {
        self.cluster().url(DATABASE, role)
    }

    /// A connection as superuser.
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options(SUPERUSER)).await.unwrap()
    }

    /// Sends the main process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        send(self.cluster().postmaster_pid().expect("it runs"), signal);
    }

    /// Kills it, and waits until it is gone; its other processes end by themselves.
    pub(crate) async fn kill(&self) {
        self.signal(Signal::KILL);
        let began = Instant::now();
        while self.cluster().is_running() {
            assert!(began.elapsed() < Duration::from_secs(10), "a killed server accepts");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Brings it back, waiting for what a killed one left behind.
    pub(crate) async fn restart(&self) {
        let cluster = Arc::clone(self.cluster());
        let started = tokio::task::spawn_blocking(move || cluster.ensure_running()).await.unwrap();
        assert!(started.unwrap(), "it was gone");
    }

    /// The processes that serve the application.
    pub(crate) async fn backends(&self) -> Vec<i32> {
        let mut db = self.connect().await;
        let pids = sqlx::query_scalar("select pid from pg_stat_activity where usename = $1")
            .bind(APP)
            .fetch_all(&mut db)
            .await
            .unwrap();
        db.close().await.unwrap();
        pids
    }
}

/// Sends a process that this test started a signal. It may have ended by itself.
pub(crate) fn send(pid: i32, signal: Signal) {
    let sent = kill_process(Pid::from_raw(pid).unwrap(), signal);
    assert!(matches!(sent, Ok(()) | Err(rustix::io::Errno::SRCH)), "{sent:?}");
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopping waits for the server; a thread of its own may block.
        let cluster = self.cluster.take();
        std::thread::spawn(move || drop(cluster)).join().expect("the server stops");
    }
}
