//! What commands that work on the database have in common.

use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use ledger_api::{
    config::Settings,
    service::{check_anchor, move_anchor},
    setup::Database,
};
use ledger_core::{
    chart::Authority,
    clock::{Ids, System},
    command::{Accepted, Command, Idempotency, Operation, Outcome, Rejection},
    engine::{Engine, EngineConfig, EngineStatus},
    ids::{Principal, RequestId},
    log::BatchKey,
};
use sqlx::PgPool;

/// Opens the database, does `job`, and leaves things as they were: a private server that nobody
/// else uses is stopped again, also if the job failed.
pub(super) async fn with_database<T>(
    settings: &Settings,
    job: impl AsyncFnOnce(&Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    opened(settings, async |database| {
        database.check_shape().await?;
        job(database).await
    })
    .await
}

/// [`with_database`], for a job that only reads, as whoever logs in.
pub(super) async fn with_reader<T>(
    settings: &Settings,
    job: impl AsyncFnOnce(&PgPool) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    must_exist(settings)?;
    opened(settings, async |database| {
        database.check_readable().await?;
        let pool = database.pool(database.reader().clone());
        let done = job(&pool).await;
        pool.close().await;
        done
    })
    .await
}

/// Refuses where no private ledger was ever made. A command that looks at one would make an empty
/// one and find it in order: from the wrong folder, `audit verify` would say that all is well.
pub(super) fn must_exist(settings: &Settings) -> anyhow::Result<()> {
    let private = settings.database_url.options()?.is_none();
    anyhow::ensure!(
        !private || settings.data.exists(),
        "there is no ledger in {}: say where it is with --data or DATABASE_URL; `bahi serve` makes \
         a new one",
        settings.data.display()
    );
    Ok(())
}

async fn opened<T>(
    settings: &Settings,
    job: impl AsyncFnOnce(&Database) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let database = Database::open(settings).await?;
    let done = job(&database).await;
    let closed = database.close().await;
    let done = done?;
    closed?;
    Ok(done)
}

/// [`with_database`], with an engine on it. It may work beside a running service: any number of
/// processes append to one log.
pub(super) async fn with_engine<T>(
    settings: &Settings,
    job: impl AsyncFnOnce(&Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_engine_on(settings, async |_, engine| job(engine).await).await
}

/// [`with_engine`], for a job that also works on the database itself.
pub(super) async fn with_engine_on<T>(
    settings: &Settings,
    job: impl AsyncFnOnce(&Database, &Engine) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    with_database(settings, async |database| {
        database.check(settings.allow_unsafe_database).await?;
        check_anchor(database, settings).await?;
        // What is appended here is to carry the MAC of this installation, as all else.
        let batch_key = Some(BatchKey::new(database.secret(settings).await?.batch_key()));
        let config = EngineConfig { batch_key, ..EngineConfig::new(database.app().clone()) };
        let engine = Engine::start(config).await.context("the log can't be read")?;
        let done = job(database, &engine).await;
        engine.shutdown().await;
        move_anchor(database, settings).await?;
        done
    })
    .await
}

/// Asks the ledger for one thing.
pub(super) async fn submit(
    engine: &Engine,
    principal: &Principal,
    idempotency: Option<Idempotency>,
    authority: Authority,
    operation: Operation,
) -> anyhow::Result<Result<Accepted, Rejection>> {
    let command = Command {
        principal: principal.clone(),
        idempotency,
        request: RequestId::from_uuid(System.fresh()),
        authority,
        approval: None,
        operation,
    };
    let answer = engine.submit(command).await.context("the ledger did not answer")?;
    Ok(match answer.outcome {
        Outcome::Accepted(accepted) => Ok(accepted),
        Outcome::Rejected(rejection) => Err(rejection),
    })
}

/// The engine's status, no older than this call.
pub(super) async fn status_now(engine: &Engine) -> anyhow::Result<EngineStatus> {
    engine.refresh().await.context("the log can't be read")?;
    Ok(engine.status().borrow().clone())
}

/// A bar on the standard error while something long goes on; nothing unless that is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// `done` events of `of`, if that is known.
    pub(super) fn at(&self, done: u64, of: Option<u64>) {
        if let Some(of) = of
            && self.0.length() != Some(of)
        {
            self.0.set_length(of);
            let style = "{msg} {wide_bar} {human_pos} of {human_len}, {per_sec}, {eta} to go";
            if let Ok(style) = ProgressStyle::with_template(style) {
                self.0.set_style(style);
            }
        }
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
