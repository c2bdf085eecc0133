//! The parts of a running service, by role.

use std::{path::PathBuf, sync::Arc, time::Duration};

use ledger_core::{
    clock::System,
    engine::{Engine, EngineConfig},
};
use metrics_exporter_prometheus::PrometheusHandle;
use projections::{ProjectorStatus, ReadModels};
use sqlx::PgPool;
use tokio::{sync::watch, task::JoinHandle};

use super::{ENGINE_DEADLINE, Roles, ServiceError, anchor, ended, tasks};
use crate::{
    banks::BankRegistry,
    db,
    http::{self, ApiParts, ApiState, FingerprintKey, Ledger},
    identity::KeyRing,
    routes::hooks::{self, Hooks},
    setup::{Database, Secret},
    shutdown,
    webhooks::{Banks, Intake},
    workers,
};

/// Connections that requests read with.
const READ_CONNECTIONS_MAX: u32 = 16;
/// How long a request may take.
const HANDLER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is to run.
pub(super) struct Wanted {
    pub(super) roles: Roles,
    pub(super) cache_accounts: usize,
    pub(super) banks: Banks,
    pub(super) bank_registry: Arc<BankRegistry>,
    pub(super) metrics: Option<PrometheusHandle>,
}

/// What runs.
pub(super) struct Parts {
    engine: Option<Engine>,
    projector: Option<watch::Receiver<ProjectorStatus>>,
    api: Option<ApiState>,
    hooks: Option<Hooks>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    pools: Vec<PgPool>,
    stop: watch::Sender<bool>,
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
            pools: Vec::new(),
            stop: watch::channel(false).0,
        }
    }

    /// Starts what the roles need that work on the ledger.
    pub(super) async fn start(
        database: &Database,
        secret: &Secret,
        wanted: &Wanted,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Self, ServiceError> {
        let roles = wanted.roles;
        let engine = if roles.api || roles.worker {
            let config = EngineConfig {
                cache_entries_max: wanted.cache_accounts,
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
            if roles.worker {
                parts.start_sweeper(database, &engine);
            }
            if roles.api {
                let api = parts.api(database, secret, engine, stopping, wanted);
                parts.api = Some(api);
            }
        }
        Ok(parts)
    }

    fn api(
        &mut self,
        database: &Database,
        secret: &Secret,
        engine: Engine,
        stopping: &watch::Receiver<bool>,
        wanted: &Wanted,
    ) -> ApiState {
        let ledger: Arc<dyn Ledger> = Arc::new(engine);
        let reads = self.kept(db::read_pool(database.app().clone(), READ_CONNECTIONS_MAX));
        let health = self.kept(db::health_pool(database.app().clone()));
        let parts = ApiParts {
            head: workers::follow_head(&ledger, health.clone()),
            ledger,
            keys: KeyRing::new(reads.clone()),
            reads,
            health,
            banks: Arc::clone(&wanted.bank_registry),
            fingerprint_key: FingerprintKey::new(*secret.bytes()),
            metrics: wanted.metrics.clone(),
            clock: Arc::new(System),
            ids: Arc::new(System),
            stopping: stopping.clone(),
            handler_timeout: HANDLER_TIMEOUT,
        };
        match &self.projector {
            Some(status) => ApiState::with_projector(parts, status.clone()),
            None => ApiState::new(parts),
        }
    }

    fn start_projector(&mut self, database: &Database) {
        let pool = self.kept(database.pool(database.app().clone()));
        let nudge = tasks::nudge(self.engine.as_ref());
        let (task, status) = tasks::project(&pool, &nudge, &self.stop.subscribe());
        self.tasks.push(("the projector", task));
        self.projector = Some(status);
    }

    fn start_sweeper(&mut self, database: &Database, engine: &Engine) {
        let pool = self.kept(database.pool(database.app().clone()));
        let mut read_models = ReadModels::new(pool);
        if let Some(status) = &self.projector {
            read_models = read_models.with_projector(status.clone());
        }
        let task = tasks::sweep(engine, &read_models, &self.stop.subscribe());
        self.tasks.push(("the sweeper", task));
    }

    /// Starts to take webhooks. It knows the inbox and nothing else.
    pub(super) fn start_intake(&mut self, inbox: &Database, wanted: &Wanted) {
        let (intake, keeper) = Intake::new(inbox.app().clone());
        let task = tasks::keep_inbox(&keeper, &self.stop.subscribe());
        self.tasks.push(("the intake", task));
        self.hooks = Some(Hooks::new(hooks::Parts {
            banks: wanted.banks.clone(),
            intake,
            health: self.kept(db::health_pool(inbox.app().clone())),
            metrics: wanted.metrics.clone(),
            clock: Arc::new(System),
            ids: Arc::new(System),
            handler_timeout: HANDLER_TIMEOUT,
        }));
    }

    /// Keeps what is in the log in a file as well.
    pub(super) fn keep_anchor(&mut self, database: &Database, file: PathBuf) {
        let pool = self.kept(database.pool(database.app().clone()));
        self.tasks.push(("the anchor", anchor::keep(pool, file, self.stop.subscribe())));
    }

    fn kept(&mut self, pool: PgPool) -> PgPool {
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

    /// Stops everything: first what appends, then what reads.
    pub(super) async fn stop(self) {
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
