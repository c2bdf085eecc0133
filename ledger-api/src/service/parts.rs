//! The parts of a running service, by role.

mod watching;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_core::{
    clock::{Clock, System},
    engine::{Engine, EngineConfig},
    log::BatchKey,
};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::{ProjectorStatus, ReadModels};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use super::{
    ENGINE_DEADLINE, Keep, Roles, SandboxClock, ServiceError, WORKER_DEADLINE, banking, ended,
    ended_within, hooks_out, tasks,
};
use crate::{
    banks::BankRegistry,
    db,
    deposits::CreditDesk,
    house::House,
    http::{self, ApiParts, ApiState, FingerprintKey, Ledger},
    identity::KeyRing,
    logins::LoginSettings,
    payments::{BankCalendar, Calendars},
    routes::hooks::{self, Hooks},
    setup::{Database, Secret},
    shutdown,
    vault::WrappingKey,
    webhooks::{Banks, Intake},
    workers::{self, DepositKeeper, OutsideKeeper, OutsideParts},
};

/// Connections that requests read with.
const READ_CONNECTIONS_MAX: u32 = 16;
/// Connections that the banks' workers use.
const WORKER_CONNECTIONS_MAX: u32 = 8;
/// How long a request may take.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is to run.
pub(super) struct Wanted {
    pub(super) roles: Roles,
    pub(super) cache_accounts: usize,
    pub(super) banks: Banks,
    pub(super) bank_registry: Arc<BankRegistry>,
    pub(super) metrics: Option<PrometheusHandle>,
    pub(super) clock: Arc<dyn Clock>,
    /// What the house decides about its own money.
    pub(super) house: House,
    /// How long exchanges with banks are kept.
    pub(super) exchanges_kept_for: TimeDelta,
    /// Who else may vouch for people.
    pub(super) logins: LoginSettings,
    /// Whether this is the demonstration.
    pub(super) demo: bool,
    /// The switches of its banks.
    pub(super) sandbox: Option<SandboxClock>,
    /// Where it listens.
    pub(super) address: Option<SocketAddr>,
    /// Whether this process knows the inbox.
    pub(super) has_inbox: bool,
}

/// What runs.
pub(super) struct Parts {
    engine: Option<Engine>,
    projector: Option<watch::Receiver<ProjectorStatus>>,
    pub(super) api: Option<ApiState>,
    hooks: Option<Hooks>,
    pub(super) tasks: Vec<(&'static str, JoinHandle<()>)>,
    /// What must get to its end before the engine does.
    workers: Vec<(&'static str, JoinHandle<()>)>,
    pools: Vec<PgPool>,
    pub(super) stop: watch::Sender<bool>,
}

impl Parts {
    /// Nothing that runs.
    pub(super) fn none() -> Self {
        Self {
            engine: None,
            projector: None,
            api: None,
            hooks: None,
            tasks: Vec::new(),
            workers: Vec::new(),
            pools: Vec::new(),
            stop: watch::channel(false).0,
        }
    }

    /// Starts what the roles need that work on the ledger.
    pub(super) async fn start(
        (database, inbox): (&Database, &Database),
        secret: &Secret,
        wanted: &Wanted,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Self, ServiceError> {
        let roles = wanted.roles;
        let engine = if roles.api || roles.worker {
            let config = EngineConfig {
                cache_entries_max: wanted.cache_accounts,
                batch_key: Some(BatchKey::new(secret.batch_key())),
                clock: Arc::clone(&wanted.clock),
                ..EngineConfig::new(database.app().clone())
            };
            Some(Engine::start(config).await.map_err(ServiceError::Engine)?)
        } else {
            None
        };
        let mut parts = Self { engine, ..Self::none() };
        if roles.projector {
            parts.start_projector(database);
        }
        if let Some(engine) = parts.engine.clone() {
            parts.start_exchanges(database, secret, wanted);
            if roles.worker {
                parts.start_sweeper(database, &engine, wanted)?;
                let desk = parts.start_deposits(database, secret, &engine, wanted);
                parts.start_outside(database, secret, &engine, wanted)?;
                let (databases, told) = ((database, inbox), stopping);
                parts.start_banking(databases, secret, &engine, wanted, told);
                parts.start_statements((database, secret), (&engine, desk), wanted)?;
            }
            if roles.worker {
                parts.start_alarms((database, inbox), secret, &wanted.clock);
                parts.start_people(database, secret, &engine, wanted)?;
                parts.start_payouts(database, secret, &engine, wanted)?;
                parts.start_hooks_out(database, secret, wanted);
            }
            if roles.api {
                let api = parts.api((database, inbox), secret, engine, stopping, wanted)?;
                parts.api = Some(api);
            }
        }
        Ok(parts)
    }

    fn api(
        &mut self,
        (database, inbox): (&Database, &Database),
        secret: &Secret,
        engine: Engine,
        stopping: &watch::Receiver<bool>,
        wanted: &Wanted,
    ) -> Result<ApiState, ServiceError> {
        let ledger: Arc<dyn Ledger> = Arc::new(engine);
        let reads = self.kept(db::read_pool(database.app().clone(), READ_CONNECTIONS_MAX));
        let health = self.kept(db::health_pool(database.app().clone()));
        let people_settings = wanted.people_settings()?;
        let mut operators = wanted.operators()?;
        if wanted.has_inbox {
            let inbox = self.kept(db::read_pool(inbox.app().clone(), WORKER_CONNECTIONS_MAX));
            let with = banking::With {
                ledger: Arc::clone(&ledger),
                read_models: self.read_models(reads.clone()),
                pool: reads.clone(),
                inbox,
                banks: Arc::clone(&wanted.bank_registry),
                secret: *secret.bytes(),
                clock: Arc::clone(&wanted.clock),
                house: wanted.house,
            };
            operators.inbox = Some(with.inbox());
            operators.applier = banking::applier(&with);
        }
        let parts = ApiParts {
            operators,
            head: workers::follow_head(&ledger, health.clone()),
            ledger,
            keys: KeyRing::new(reads.clone()),
            reads,
            health,
            banks: Arc::clone(&wanted.bank_registry),
            fingerprint_key: FingerprintKey::new(*secret.bytes()),
            metrics: wanted.metrics.clone(),
            clock: Arc::clone(&wanted.clock),
            ids: Arc::new(System),
            calendar: Arc::new(BankCalendar::from_environment()?),
            demo: wanted.demo,
            people_settings,
            stopping: stopping.clone(),
            handler_timeout: HANDLER_TIMEOUT,
        };
        let state = match &self.projector {
            Some(status) => ApiState::with_projector(parts, status.clone()),
            None => ApiState::new(parts),
        };
        self.pools.extend(state.audit.pools());
        let passwords = state.passwords.clone();
        // If it fails, the first unknown login does it.
        tokio::spawn(async move { passwords.warm().await.ok() });
        Ok(state)
    }

    fn start_projector(&mut self, database: &Database) {
        let pool = self.kept(database.pool(database.app().clone()));
        let nudge = tasks::nudge(self.engine.as_ref());
        let tail = self.engine.as_ref().map(Engine::tail);
        let (task, status) = tasks::project(&pool, &nudge, tail, &self.stop.subscribe());
        self.tasks.push(("the projector", task));
        self.projector = Some(status);
    }

    fn start_sweeper(
        &mut self,
        database: &Database,
        engine: &Engine,
        wanted: &Wanted,
    ) -> Result<(), ServiceError> {
        let pool = self.kept(database.pool(database.app().clone()));
        let (read_models, stop) = (self.read_models(pool.clone()), self.stop.subscribe());
        let clock = &wanted.clock;
        self.tasks.push(("the sweeper", tasks::sweep(engine, &read_models, clock, &stop)));
        let with = (clock, wanted.look_every());
        let payments = tasks::keep_payments(engine, (&read_models, pool), with, &stop);
        self.tasks.push(("the payments", payments.map_err(ServiceError::Principal)?));
        Ok(())
    }

    /// Starts what looks after deposits; what hands in what banks say of them.
    fn start_deposits(
        &mut self,
        database: &Database,
        secret: &Secret,
        engine: &Engine,
        wanted: &Wanted,
    ) -> CreditDesk {
        let pool = self.kept(database.pool(database.app().clone()));
        let desk = CreditDesk::new(
            Arc::new(engine.clone()),
            Arc::clone(&wanted.bank_registry),
            Arc::new(System),
            pool.clone(),
            secret.bytes(),
        );
        let keeper = DepositKeeper {
            desk: desk.clone(),
            read_models: self.read_models(pool.clone()),
            pool,
            clock: Arc::clone(&wanted.clock),
        };
        let task = tasks::keep_deposits(&keeper, &self.stop.subscribe());
        self.tasks.push(("the deposits", task));
        desk
    }

    /// Starts what makes payments of money from outside.
    fn start_outside(
        &mut self,
        database: &Database,
        secret: &Secret,
        engine: &Engine,
        wanted: &Wanted,
    ) -> Result<(), ServiceError> {
        let pool = self.kept(database.pool(database.app().clone()));
        let calendar = Arc::new(BankCalendar::from_environment()?);
        let keeper = OutsideKeeper::new(OutsideParts {
            ledger: Arc::new(engine.clone()),
            read_models: self.read_models(pool.clone()),
            calendars: Calendars::new(calendar, pool.clone()),
            pool,
            secret: secret.bytes(),
            banks: Arc::clone(&wanted.bank_registry),
            clock: Arc::clone(&wanted.clock),
            ids: Arc::new(System),
        });
        let keeper = keeper.map_err(ServiceError::Principal)?;
        let task = tasks::keep_outside(&keeper, &self.stop.subscribe());
        self.tasks.push(("the payments from outside", task));
        Ok(())
    }

    /// Starts to tell of what happens.
    fn start_hooks_out(&mut self, database: &Database, secret: &Secret, wanted: &Wanted) {
        let pool = self.kept(db::read_pool(database.app().clone(), WORKER_CONNECTIONS_MAX));
        let with = (pool.clone(), self.read_models(pool));
        let told = (tasks::nudge(self.engine.as_ref()), self.stop.subscribe());
        self.tasks.extend(hooks_out::start(with, secret, wanted, &told));
    }

    pub(super) fn read_models(&self, pool: PgPool) -> ReadModels {
        let read_models = ReadModels::new(pool);
        let Some(status) = &self.projector else { return read_models };
        read_models.with_projector(status.clone())
    }

    /// Starts to work for the banks that are called: sends, asks, and applies what they told.
    fn start_banking(
        &mut self,
        (database, inbox): (&Database, &Database),
        secret: &Secret,
        engine: &Engine,
        wanted: &Wanted,
        stopping: &watch::Receiver<bool>,
    ) {
        if wanted.bank_registry.is_empty() {
            return;
        }
        let pool = self.kept(db::read_pool(database.app().clone(), WORKER_CONNECTIONS_MAX));
        let inbox = self.kept(db::read_pool(inbox.app().clone(), WORKER_CONNECTIONS_MAX));
        let with = banking::With {
            ledger: Arc::new(engine.clone()),
            read_models: self.read_models(pool.clone()),
            pool,
            inbox,
            banks: Arc::clone(&wanted.bank_registry),
            secret: *secret.bytes(),
            clock: Arc::clone(&wanted.clock),
            house: wanted.house,
        };
        self.workers.extend(banking::start(&with, stopping));
    }

    /// Starts to take webhooks. It knows the inbox and the secret and nothing else.
    pub(super) fn start_intake(&mut self, inbox: &Database, secret: &Secret, wanted: &Wanted) {
        let wrapping = WrappingKey::derive(secret.bytes());
        let (intake, keeper) = Intake::new(inbox.app().clone(), wrapping);
        let task = tasks::keep_inbox(&keeper, &self.stop.subscribe());
        self.tasks.push(("the intake", task));
        self.hooks = Some(Hooks::new(hooks::Parts {
            banks: wanted.banks.clone(),
            intake,
            health: self.kept(db::health_pool(inbox.app().clone())),
            metrics: wanted.metrics.clone(),
            // A delivery's time is the machine's, whatever clock the ledger goes by.
            clock: Arc::new(System),
            ids: Arc::new(System),
            handler_timeout: HANDLER_TIMEOUT,
        }));
    }

    /// Starts what keeps something of the log outside the database.
    pub(super) fn keep(&mut self, database: &Database, what: &'static str, start: Keep<'_>) {
        let pool = self.kept(database.pool(database.app().clone()));
        self.tasks.push((what, start(pool, self.stop.subscribe())));
    }

    pub(super) fn kept(&mut self, pool: PgPool) -> PgPool {
        self.pools.push(pool.clone());
        pool
    }

    /// The engine, if there is one.
    pub(super) fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// The routes of what answers requests.
    pub(super) fn router(&self) -> axum::Router {
        match (self.api.clone(), self.hooks.clone()) {
            (Some(api), Some(hooks)) => http::router(api).merge(hooks::routes(hooks)),
            (Some(api), None) => http::router(api),
            (None, Some(hooks)) => hooks::alone(hooks),
            (None, None) => axum::Router::new(),
        }
    }

    /// Stops everything: first who waits for banks, for their answers are to be appended, then what
    /// appends, then what reads.
    pub(super) async fn stop(self) {
        for (what, task) in self.workers {
            ended_within(WORKER_DEADLINE, what, task).await;
        }
        if let Some(engine) = &self.engine {
            shutdown::within(ENGINE_DEADLINE, "the engine", engine.shutdown()).await;
        }
        self.stop.send_replace(true);
        // The intake ends when nobody can hand in anything any more.
        drop(self.hooks);
        for (what, task) in self.tasks {
            ended(what, Some(task)).await;
        }
        for pool in self.pools {
            pool.close().await;
        }
    }
}
