//! A database of one's own for each test, on one throwaway server per run.
//!
//! The server is the launcher's, as users get it. It starts with the first test that needs it and
//! stops with the last one. Every test's database is a copy of a migrated template and is used as
//! the application's own role, not as superuser.
//!
//! The tests of `projections` include this file, so it uses nothing else of this support.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use ledger_api::postgres::{self, Cluster, Mode, Options};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The application's role.
pub(crate) const APP: &str = "bahi_app";
/// The launcher's superuser: for tampering and for looking.
pub(crate) const SUPERUSER: &str = "bahi";

static SERVER: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static COUNTER: AtomicU32 = AtomicU32::new(0);

struct Server {
    cluster: Option<Cluster>,
    template: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Stopping waits for the server; a thread of its own may block.
        let cluster = self.cluster.take();
        std::thread::spawn(move || drop(cluster)).join().expect("the server stops");
    }
}

/// A database of one test.
#[derive(Clone)]
pub(crate) struct Database {
    server: Arc<Server>,
    /// Its name.
    pub(crate) name: String,
}

/// In the folder that cargo builds in: a test program lies in its `debug/deps`.
fn folder() -> PathBuf {
    let program = env::current_exe().expect("a test program");
    program.ancestors().nth(3).expect("cargo's folder").join("test-postgres")
}

async fn server() -> Arc<Server> {
    // One at a time makes the server; the others wait for it off the runtime's threads.
    tokio::task::spawn_blocking(|| {
        let mut shared = SERVER.lock().expect("no test panics while it starts the server");
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(start());
        *shared = Arc::downgrade(&server);
        server
    })
    .await
    .expect("the server starts")
}

fn start() -> Server {
    let options = Options {
        settings: vec![("max_connections".to_owned(), "300".to_owned())],
        ..Options::from_env(Mode::Throwaway)
    };
    let cluster = postgres::open_with(&folder(), &options).expect("a PostgreSQL for the tests");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let template = runtime.block_on(template(&cluster));
    // Nobody waits for the removal of old databases; what it does not get to is left to the next.
    let url = cluster.url("postgres", SUPERUSER);
    std::thread::spawn(move || runtime.block_on(drop_leftovers(&url)));
    Server { cluster: Some(cluster), template }
}

/// A migrated database to copy, named after the migrations so that a change makes a new one.
async fn template(cluster: &Cluster) -> String {
    use sha2::{Digest, Sha256};
    let migrations = ledger_core::log::MIGRATOR.iter();
    let hash = migrations.fold(Sha256::new(), |hasher, migration| {
        hasher.chain_update(migration.version.to_be_bytes()).chain_update(&*migration.checksum)
    });
    let name = format!("template_{}", &hex::encode(hash.finalize())[..12]);
    let url = cluster.url("postgres", SUPERUSER);
    let mut db = PgConnection::connect(&url).await.unwrap();
    // Another process may be making it: one after the other.
    sqlx::query("select pg_advisory_lock(1)").execute(&mut db).await.unwrap();
    if postgres::ensure_database(cluster, &name).await.unwrap() {
        let mut fresh = PgConnection::connect(&cluster.url(&name, SUPERUSER)).await.unwrap();
        ledger_core::log::MIGRATOR.run(&mut fresh).await.unwrap();
        sqlx::query("alter role bahi_app login").execute(&mut fresh).await.unwrap();
        fresh.close().await.unwrap();
    }
    db.close().await.unwrap();
    name
}

/// Removes the databases of test processes that are gone. The server may stop meanwhile.
async fn drop_leftovers(url: &str) -> sqlx::Result<()> {
    let mut db = PgConnection::connect(url).await?;
    let names: Vec<String> =
        sqlx::query_scalar("select datname from pg_database where datname like 'it\\_%'")
            .fetch_all(&mut db)
            .await?;
    for name in names {
        let pid = name.split('_').nth(1).and_then(|pid| pid.parse::<i32>().ok());
        let alive = pid.and_then(rustix::process::Pid::from_raw).is_some_and(|pid| {
            rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
        });
        if !alive {
            let sql = format!("drop database if exists \"{name}\" with (force)");
            sqlx::query(&sql).execute(&mut db).await?;
        }
    }
    db.close().await
}

impl Database {
    /// A fresh, migrated database.
    pub(crate) async fn create() -> Self {
        let server = server().await;
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("it_{}_{count}", std::process::id());
        let cluster = server.cluster.as_ref().unwrap();
        postgres::create_database(cluster, &name, Some(&server.template)).await.unwrap();
        Self { server, name }
    }

    /// Its URL for a role.
    pub(crate) fn url(&self, role: &str) -> String {
        self.server.cluster.as_ref().unwrap().url(&self.name, role)
    }

    /// Its options for a role.
    pub(crate) fn options(&self, role: &str) -> PgConnectOptions {
        self.url(role).parse().unwrap()
    }

    /// The folder of its server's socket.
    pub(crate) fn socket_dir(&self) -> &Path {
        self.server.cluster.as_ref().unwrap().socket_dir()
    }

    /// A pool as the application's role.
    pub(crate) async fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(4).connect_with(self.options(APP)).await.unwrap()
    }

    /// A connection as superuser.
    pub(crate) async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.url(SUPERUSER)).await.unwrap()
    }
}
