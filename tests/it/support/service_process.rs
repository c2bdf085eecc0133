//! The whole service in a process of its own, with its private PostgreSQL, as users run it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use ledger_api::{
    banks::BankRegistry,
    config::{DatabaseUrl, Settings},
    identity::{self, KeyEnvironment, NewKey, Scope, ScopeSet},
    postgres::{self, Cluster, Mode},
    service::{Roles, SandboxClock, Service, ServiceConfig},
    webhooks::Banks,
};
use rustix::process::Signal;
use sqlx::postgres::PgConnectOptions;
use tokio::{net::TcpListener, sync::watch};

use super::{
    database::SUPERUSER,
    process::{again, given_database},
    server::send,
};

/// The principal whose key the clients use.
pub(crate) const PRINCIPAL: &str = "clients";

/// The variable that makes the child the demonstration: its webhooks may go to this machine.
pub(crate) const DEMO: &str = "BAHI_TEST_DEMO";

/// What the child does, on the database that it was told or else a private one: serves until
/// it is killed, or until its parent lets go of it.
pub(crate) async fn be_a_service(folder: &Path) {
    let (tell, mut told) = watch::channel(false);
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        tell.send_replace(true);
    });
    let settings = Settings {
        data: folder.join("data"),
        database_url: given_database().unwrap_or_default().parse().unwrap(),
        inbox_database_url: DatabaseUrl::default(),
        secret_file: None,
        allow_unsafe_database: false,
        demo: std::env::var_os(DEMO).is_some(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listener = Some(listener);
    let roles = Roles::of(&[]);
    let config = ServiceConfig {
        settings,
        roles,
        cache_accounts: None,
        banks: Banks::from_environment().unwrap(),
        bank_registry: BankRegistry::from_environment().unwrap(),
        sandbox_clock: SandboxClock::from_environment().unwrap(),
        logins: ledger_api::logins::LoginSettings::default(),
        listener,
        metrics: None,
    };
    let service = Service::start(config, told.clone()).await.expect("a service");
    let Some(service) = service else { return };
    if !folder.join("key").exists() {
        let new = NewKey {
            principal: PRINCIPAL.parse().unwrap(),
            label: "the clients".to_owned(),
            scopes: ScopeSet::of(&Scope::ALL),
            environment: KeyEnvironment::Test,
        };
        let pool = service.database().pool(service.database().app().clone());
        let (_, token) = identity::create_key(&pool, &new).await.unwrap();
        put(folder, "key", token.reveal());
    }
    put(folder, "address", &format!("http://{address}"));
    ledger_api::shutdown::wait(&mut told).await;
    service.stop().await.expect("it stops in order");
}

/// Writes a file that is there as a whole or not at all.
pub(crate) fn put(folder: &Path, name: &str, text: &str) {
    let unfinished = folder.join(format!("{name}.new"));
    std::fs::write(&unfinished, text).unwrap();
    std::fs::rename(unfinished, folder.join(name)).unwrap();
}

/// The whole service in a process of its own.
pub(crate) struct ServiceProcess {
    folder: tempfile::TempDir,
    command: Command,
    child: Child,
}

impl ServiceProcess {
    /// Starts it on nothing.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let test = "service_kills::a_service_in_a_process_of_its_own";
        let command = again(test, folder.path());
        Self::run(folder, command).await
    }

    /// Starts it by a command that was made for this folder.
    pub(crate) async fn run(folder: tempfile::TempDir, mut command: Command) -> Self {
        let child = command.spawn().unwrap();
        let mut process = Self { folder, command, child };
        process.ready().await;
        process
    }

    async fn ready(&mut self) {
        let began = Instant::now();
        while !self.file("address").exists() {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "the service's process ended: {ended:?}");
            assert!(began.elapsed() < Duration::from_secs(60), "no service");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        std::fs::read_to_string(self.file("address")).unwrap()
    }

    /// The clients' key.
    pub(crate) fn key(&self) -> String {
        std::fs::read_to_string(self.file("key")).unwrap()
    }

    /// Kills it and starts another one in its place; the private PostgreSQL stays up meanwhile.
    pub(crate) async fn kill_and_restart(&mut self) {
        self.kill();
        self.restart().await;
    }

    /// Kills it, and leaves it dead.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_file(self.file("address")).unwrap();
    }

    /// Starts another one in the place of one that was killed.
    pub(crate) async fn restart(&mut self) {
        self.child = self.command.spawn().unwrap();
        self.ready().await;
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        send(self.child.id().try_into().unwrap(), signal);
    }

    /// Joins its PostgreSQL, to look into it as superuser.
    pub(crate) async fn look(&self) -> (Cluster, PgConnectOptions) {
        let folder = self.file("data").join("postgres");
        let open = move || postgres::open(&folder, Mode::Durable).unwrap();
        let cluster = tokio::task::spawn_blocking(open).await.unwrap();
        let superuser = cluster.url("bahi", SUPERUSER).parse().unwrap();
        (cluster, superuser)
    }

    /// Stops it in order, and its PostgreSQL with it.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        let began = Instant::now();
        let ended = loop {
            if let Some(ended) = self.child.try_wait().unwrap() {
                break ended;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "it does not stop");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(ended.success(), "{ended}");
    }
}

impl Drop for ServiceProcess {
    fn drop(&mut self) {
        // It ends in order, and takes its PostgreSQL along, unless it has ended already; a process
        // that is stopped ends when it goes on.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(Signal::CONT);
        }
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}
