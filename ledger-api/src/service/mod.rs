//! The running service: its parts in one process, started in order and stopped in order.
//!
//! It listens before it is ready: who asks meanwhile is told so (`starting`), and a port that is
//! taken is found at once. Then it waits for the database as long as that takes, for a service that
//! ends because its database is late is a service in a crash loop. What waiting cannot cure (a
//! missing migration, an unsafe server, the wrong secret) ends it with the reason.
//!
//! Stopping: no new requests, those under way end (with a deadline), the engine appends what it
//! has, the rest follows. Ended without all that, it loses nothing either: nothing is answered
//! before it is in the log.

mod anchor;
mod banking;
mod error;
mod hooks_out;
mod parts;
mod people;
mod roles;
mod sandbox_clock;
mod starting;
mod statements;
mod supervisor;
mod tasks;

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use sqlx::PgPool;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    banks::BankRegistry,
    config::Settings,
    exchanges,
    house::House,
    http::{self, ServerConfig},
    logins::LoginSettings,
    machine,
    proofs::{CheckpointMaker, ProofSettings},
    setup::{Database, Secret, SetupError},
    shutdown,
    webhooks::Banks,
};
pub use anchor::AnchorError;
pub use banking::applier_for;
pub use error::ServiceError;
use parts::{Parts, Wanted};
pub use roles::{Role, Roles};
pub use sandbox_clock::SandboxClock;

/// The least and the longest pause between two looks at a database that is not there yet.
const BACK_OFF_MIN: Duration = Duration::from_millis(100);
const BACK_OFF_MAX: Duration = Duration::from_secs(2);
/// How long the engine may take to append what it has.
const ENGINE_DEADLINE: Duration = Duration::from_secs(10);
/// How long a bank may take to answer what was sent already.
const WORKER_DEADLINE: Duration = Duration::from_secs(12);
/// How long each of the other parts may take to end.
const PART_DEADLINE: Duration = Duration::from_secs(5);

/// Starts a task on a database, until it is told to stop.
type Keep<'a> = &'a mut dyn FnMut(PgPool, watch::Receiver<bool>) -> JoinHandle<()>;

/// What a service is started with.
pub struct ServiceConfig {
    /// Where the data and the database are.
    pub settings: Settings,
    /// What this process does.
    pub roles: Roles,
    /// How many accounts and holds are kept in memory; nothing = by the machine's memory.
    pub cache_accounts: Option<usize>,
    /// The banks that may send webhooks, if it takes any.
    pub banks: Banks,
    /// The banks that are called. None is called before it is needed.
    pub bank_registry: BankRegistry,
    /// The sandbox bank whose clock it goes by, if its days are to pass as they do there.
    pub sandbox_clock: Option<SandboxClock>,
    /// Who else may vouch for people.
    pub logins: LoginSettings,
    /// Where it listens, if it answers requests.
    pub listener: Option<TcpListener>,
    /// What `/metrics` shows.
    pub metrics: Option<PrometheusHandle>,
}

/// A service that takes requests.
pub struct Service {
    databases: Databases,
    parts: Parts,
    stop: watch::Sender<bool>,
    http: Option<JoinHandle<()>>,
    supervisor: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts it. Nothing if `told` to stop before it was ready.
    ///
    /// # Errors
    /// [`ServiceError`] if waiting can't cure what is wrong.
    pub async fn start(
        config: ServiceConfig,
        mut told: watch::Receiver<bool>,
    ) -> Result<Option<Self>, ServiceError> {
        let ServiceConfig {
            settings,
            roles,
            cache_accounts,
            banks,
            bank_registry,
            sandbox_clock,
            logins,
            listener,
            metrics,
        } = config;
        let cache_accounts = cache_accounts.unwrap_or_else(machine::cache_accounts);
        let bank_registry = Arc::new(bank_registry);
        let (stop, stopping) = watch::channel(false);
        let sandbox = sandbox_clock.clone().filter(|_| settings.demo);
        let clock = sandbox_clock::of(sandbox_clock, &stopping);
        // Who only answers requests does not wait for a database that it has no need of.
        let own_inbox = settings.has_own_inbox().map_err(SetupError::Url)?;
        let has_inbox = roles.worker || roles.webhooks || !own_inbox;
        let house = if sandbox.is_some() { House::of_the_demo() } else { House::default() };
        let house = House::from_variables(house, std::env::var_os)?;
        let exchanges_kept_for = exchanges::kept_for(std::env::var_os)?;
        let address = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let wanted = Wanted {
            roles,
            cache_accounts,
            banks,
            bank_registry,
            metrics,
            clock,
            house,
            exchanges_kept_for,
            logins,
            demo: settings.demo,
            sandbox,
            address,
            has_inbox,
        };
        let starting = listener.map(starting::Starting::answer).transpose();
        let starting = starting.map_err(ServiceError::Listen)?;
        let databases = Databases::open(&settings, roles).await?;
        let supervisor = databases
            .main
            .cluster()
            .map(|c| supervisor::keep_running(Arc::clone(c), stopping.clone()));

        let starting_parts = wait_until_ready(&databases, &settings, &wanted, &stopping);
        let ready = tokio::select! {
            ready = starting_parts => Some(ready),
            () = shutdown::wait(&mut told) => None,
        };
        let parts = match ready {
            Some(Ok(parts)) => parts,
            unready => {
                stop.send_replace(true);
                ended("the supervisor", supervisor).await;
                databases.main.close().await?;
                return unready.map_or(Ok(None), |ready| ready.map(|_| None));
            }
        };
        let http = match starting {
            Some(starting) => {
                let listener = starting.end().await.map_err(ServiceError::Listen)?;
                let router = parts.router();
                Some(tokio::spawn(serve(listener, router, stopping)))
            }
            None => None,
        };
        tracing::info!("ready");
        Ok(Some(Self { databases, parts, stop, http, supervisor }))
    }

    /// The engine, if this process has one.
    pub fn engine(&self) -> Option<&ledger_core::engine::Engine> {
        self.parts.engine()
    }

    /// What its handlers share, if this process answers requests.
    pub fn state(&self) -> Option<&http::ApiState> {
        self.parts.api.as_ref()
    }

    /// The database it works on.
    pub fn database(&self) -> &Database {
        &self.databases.main
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// [`ServiceError`] if the private server does not stop.
    pub async fn stop(self) -> Result<(), ServiceError> {
        self.stop.send_replace(true);
        if let Some(http) = self.http {
            // It has a deadline of its own.
            log_panic("the HTTP server", http.await);
        }
        self.parts.stop().await;
        ended("the supervisor", self.supervisor).await;
        if let Some(stopped) = self.databases.main.close().await? {
            tracing::info!(?stopped, "private PostgreSQL");
        }
        Ok(())
    }
}

/// What a process works on.
struct Databases {
    /// The ledger's, or the inbox's where nothing works on the ledger.
    main: Database,
    /// The inbox's, where it is another one.
    inbox: Option<Database>,
}

impl Databases {
    async fn open(settings: &Settings, roles: Roles) -> Result<Self, ServiceError> {
        let inbox = settings.for_inbox().map_err(SetupError::Url)?;
        if !roles.ledger() {
            return Ok(Self { main: Database::open(&inbox).await?, inbox: None });
        }
        let main = Database::open(settings).await?;
        let apart = (roles.webhooks || roles.worker)
            && settings.has_own_inbox().map_err(SetupError::Url)?;
        let inbox = if apart { Some(Database::open(&inbox).await?) } else { None };
        Ok(Self { main, inbox })
    }

    fn inbox(&self) -> &Database {
        self.inbox.as_ref().unwrap_or(&self.main)
    }

    fn all(&self) -> impl Iterator<Item = &Database> {
        std::iter::once(&self.main).chain(&self.inbox)
    }
}

async fn serve(listener: TcpListener, router: axum::Router, mut stopping: watch::Receiver<bool>) {
    let stop = async move { shutdown::wait(&mut stopping).await };
    if let Err(error) = http::serve(listener, router, ServerConfig::default(), stop).await {
        tracing::error!(%error, "the HTTP server ended");
    }
}

/// Tries until the parts run; says each new reason for waiting once.
async fn wait_until_ready(
    databases: &Databases,
    settings: &Settings,
    wanted: &Wanted,
    stopping: &watch::Receiver<bool>,
) -> Result<Parts, ServiceError> {
    let mut pause = BACK_OFF_MIN;
    let mut said = String::new();
    loop {
        let error = match try_start(databases, settings, wanted, stopping).await {
            Ok(parts) => return Ok(parts),
            Err(error) if error.is_transient() => error,
            Err(error) => return Err(error),
        };
        let reason = chain(&error);
        if reason != said {
            tracing::warn!(%reason, "waiting for the database");
            said = reason;
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(BACK_OFF_MAX);
    }
}

async fn try_start(
    databases: &Databases,
    settings: &Settings,
    wanted: &Wanted,
    stopping: &watch::Receiver<bool>,
) -> Result<Parts, ServiceError> {
    for database in databases.all() {
        for finding in database.check(settings.allow_unsafe_database).await? {
            tracing::warn!(code = finding.code, "{}", finding.message);
        }
    }
    let secret: Secret = databases.main.secret(settings).await?;
    if let Some(inbox) = &databases.inbox {
        // What was sealed with another secret would not open here.
        inbox.secret(settings).await?;
    }
    let mut parts = if wanted.roles.ledger() {
        let database = &databases.main;
        check_anchor(database, settings).await?;
        let both = (database, databases.inbox());
        let mut parts = Parts::start(both, &secret, wanted, stopping).await?;
        let file = settings.anchor_file();
        parts
            .keep(database, "the anchor", &mut |pool, stop| anchor::keep(pool, file.clone(), stop));
        if wanted.roles.worker {
            let proofs = ProofSettings::from_environment(&settings.data)?;
            parts.start_checks(database, proofs.mac_key(&secret), &wanted.clock);
            parts.keep(database, "the checkpoints", &mut |pool, stop| {
                tasks::make_checkpoints(&CheckpointMaker::new(pool, proofs.clone()), &stop)
            });
        }
        parts
    } else {
        Parts::none()
    };
    if wanted.roles.webhooks {
        parts.start_intake(databases.inbox(), &secret, wanted);
    }
    Ok(parts)
}

/// Whether the log still has all that was seen of it. Whoever appends asks first.
///
/// # Errors
/// [`AnchorError`] if it has not.
pub async fn check_anchor(database: &Database, settings: &Settings) -> Result<(), AnchorError> {
    let pool = database.pool(database.app().clone());
    let contained = anchor::check(&pool, &settings.anchor_file()).await;
    pool.close().await;
    contained
}

/// Notes the end of the log. Whoever appended does so last.
///
/// # Errors
/// [`AnchorError`] if that can't be done.
pub async fn move_anchor(database: &Database, settings: &Settings) -> Result<(), AnchorError> {
    let pool = database.pool(database.app().clone());
    let moved = anchor::cast(&pool, &settings.anchor_file()).await;
    pool.close().await;
    moved
}

/// An error with all its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Waits for a task that was told to end.
async fn ended(what: &'static str, task: Option<JoinHandle<()>>) {
    let Some(task) = task else {
        return;
    };
    ended_within(PART_DEADLINE, what, task).await;
}

async fn ended_within(deadline: Duration, what: &'static str, task: JoinHandle<()>) {
    shutdown::within(deadline, what, async { log_panic(what, task.await) }).await;
}

fn log_panic(what: &'static str, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(what, %error, "ended by a panic");
    }
}
