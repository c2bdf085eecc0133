//! The service in a process of its own, as `bahi serve` runs it, with one more route that does
//! nothing: the yardstick of what HTTP, the envelope and the key cost by themselves.

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use axum::{Router, extract::Query, http::StatusCode, routing::post};
use ledger_api::{
    db,
    http::{self, ApiParts, ApiState, FingerprintKey, Ledger, ServerConfig},
    identity::{self, Caller, KeyEnvironment, KeyRing, NewKey, Scope, ScopeSet},
    telemetry::{self, LogFormat, LogSettings},
    webhooks::signature::Keys,
    workers,
};
use ledger_core::{clock::System, engine::Engine, ids::BankAccountId};
use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    sync::{oneshot, watch},
};

use crate::{ACCOUNTS, callers::Load, stand::Stand, whole};

/// The word that makes this program the service.
pub(crate) const WORD: &str = "serve-for-the-bench";

/// A running service.
pub(crate) struct Service {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// A key with every scope.
    pub(crate) key: String,
    /// A bank account that every wallet's owner may withdraw to, if the whole service runs.
    payee: Option<BankAccountId>,
    /// What its webhooks are signed with.
    pub(crate) webhook_keys: Keys,
}

impl Service {
    /// Starts one on a fresh database, with its accounts opened.
    pub(crate) async fn on_fresh_ledger(
        stand: &Stand,
    ) -> anyhow::Result<(Arc<Self>, PgConnectOptions)> {
        let (url, database) = stand.ledger_url().await?;
        let opening = Load::start(database.clone(), ACCOUNTS, true).await?;
        opening.open().await?;
        opening.engine.shutdown().await;
        Ok((Arc::new(Self::start(&url).await?), database))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Starts the whole one on a fresh database, with its accounts opened.
    pub(crate) async fn whole(stand: &Stand) -> anyhow::Result<(Arc<Self>, PgConnectOptions)> {
        let (url, database) = stand.ledger_url().await?;
        let opening = Load::start(database.clone(), ACCOUNTS, true).await?;
        opening.open().await?;
        opening.engine.shutdown().await;
        Ok((Arc::new(Self::spawn(whole::WORD, &url).await?), database))
    }

    /// The bank account to withdraw to.
    pub(crate) fn payee(&self) -> anyhow::Result<BankAccountId> {
        self.payee.context("the whole service has a bank account")
    }

    /// Starts one on a database.
    pub(crate) async fn start(database: &str) -> anyhow::Result<Self> {
        Self::spawn(WORD, database).await
    }

    async fn spawn(word: &str, database: &str) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([word, database])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The access log is written, and goes nowhere.
            .stderr(Stdio::null())
            .spawn()?;
        let stdout = child.stdout.take().context("the service has a standard output")?;
        let stdout = tokio::process::ChildStdout::from_std(stdout)?;
        let mut lines = BufReader::new(stdout).lines();
        let line = lines.next_line().await?.context("the service has ended")?;
        let mut words = line.split(' ').map(str::to_owned);
        let (address, key) = words.next().zip(words.next()).context("an address and a key")?;
        let payee = words.next().map(|id| id.parse()).transpose()?;
        let webhook_keys = whole::SECRET.parse()?;
        Ok(Self { child, address, key, payee, webhook_keys })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It ends with its standard input; if not even that is left, it has ended.
        drop(self.child.stdin.take());
        self.child.wait().ok();
    }
}

/// What the child does.
pub(crate) async fn serve(database: &str) -> anyhow::Result<()> {
    let log = LogSettings { log: None, log_format: Some(LogFormat::Json) };
    telemetry::start(&log, "info")?;
    let metrics = telemetry::metrics()?;
    let database: PgConnectOptions = database.parse()?;
    let engine = Engine::start(crate::callers::config(database.clone())).await?;
    let projecting = crate::stand::project(database.clone(), &engine).await?;
    let reads = db::read_pool(database.clone(), 16);
    let health = db::health_pool(database);
    let new = NewKey {
        principal: "bench".parse()?,
        label: "the bench".to_owned(),
        scopes: ScopeSet::of(&Scope::ALL),
        environment: KeyEnvironment::Test,
    };
    let (_, key) = identity::create_key(&reads, &new).await?;
    let ledger: Arc<dyn Ledger> = Arc::new(engine.clone());
    let (_stop, stopping) = watch::channel(false);
    let state = ApiState::new(ApiParts {
        head: workers::follow_head(&ledger, health.clone()),
        ledger,
        keys: KeyRing::new(reads.clone()),
        reads,
        health,
        operators: ledger_api::http::Operators::default(),
        banks: Arc::default(),
        fingerprint_key: FingerprintKey::new([7; 32]),
        metrics: Some(metrics),
        clock: Arc::new(System),
        calendar: Arc::default(),
        ids: Arc::new(System),
        demo: true,
        people_settings: ledger_api::people::PeopleSettings::default(),
        stopping,
        handler_timeout: Duration::from_secs(10),
    });
    let more = Router::new().route("/noop", post(noop));
    let router = http::router_with(more, state);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).ok();
        ended.send(()).ok();
    });
    say(&format!("{address} {}", key.reveal()));
    let ended = async { end.await.unwrap_or_default() };
    http::serve(listener, router, ServerConfig::default(), ended).await?;
    engine.shutdown().await;
    let head = engine.status().borrow().head.position;
    projecting.stop(head).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "how the parent learns where it listens")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// How long the answer is to be.
#[derive(Deserialize)]
struct Length {
    bytes: usize,
}

/// Does nothing: the body is read, the key is checked, the answer is as long as a real one.
async fn noop(_: Caller, Query(length): Query<Length>, _: bytes::Bytes) -> (StatusCode, String) {
    (StatusCode::CREATED, "x".repeat(length.bytes))
}
