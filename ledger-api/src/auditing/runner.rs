//! Makes the checks that auditors ask for: one at a time, and however many processes do it, each by
//! one of them. What it reads it reads like an auditor with a copy of the log; what it writes is
//! how far it is and what came of it. A rebuild writes besides, by the application's role, into a
//! schema of its own, which is empty again afterwards.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_core::clock::{Clock, Timestamp};
use projections::{
    ProjectionError,
    audit::{self, AuditError, MacKey, Options, Progress, Report},
};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{runtime::Handle, sync::watch, task::spawn_blocking, time};

use super::{AuditRuns, Run, RunKind, RunOutcome};

/// How often it looks whether one was asked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it says how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// After how long without a word another process takes over.
const LEASE: TimeDelta = TimeDelta::minutes(2);

/// What makes checks.
#[derive(Clone)]
pub struct AuditRunner {
    /// The checks.
    pub runs: AuditRuns,
    /// How to read the log for as long as it takes.
    pub reader: PgConnectOptions,
    /// How to make tables of it, as the application, for as long as that takes.
    pub maker: PgConnectOptions,
    /// What batches of the log are authenticated with.
    pub mac_key: Option<MacKey>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl AuditRunner {
    /// Works until `stopping` turns true. A check that is under way then is made again later.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        self.clear().await;
        while !*stopping.borrow() {
            match self.runs.take(self.clock.now(), self.leased_until()).await {
                Ok(Some(run)) => {
                    self.make(&run, &stopping).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "the checks were not looked at"),
            }
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn leased_until(&self) -> Timestamp {
        let now = self.clock.now();
        now.checked_add_signed(LEASE).unwrap_or(now)
    }

    /// Drops the tables of a rebuild whose process died.
    async fn clear(&self) {
        let pool = one_connection(self.maker.clone());
        if let Err(error) = projections::clear_replay(&pool).await {
            let error = projections::describe(&error);
            tracing::warn!(%error, "what a rebuild may have left behind was not looked at");
        }
        pool.close().await;
    }

    /// Makes one and notes what came of it; nothing if it is time to stop.
    async fn make(&self, run: &Run, stopping: &watch::Receiver<bool>) {
        let Some(made) = self.check(run, stopping).await else { return };
        if let Err(error) = &made {
            tracing::warn!(%error, run = %run.id, "a check of the log could not be made");
        }
        let noted = made.as_ref().map_err(String::as_str);
        if let Err(error) = self.runs.finish(run.id, noted, self.clock.now()).await {
            tracing::warn!(%error, run = %run.id, "what a check came to was not noted");
        }
    }

    async fn check(
        &self,
        run: &Run,
        stopping: &watch::Receiver<bool>,
    ) -> Option<Result<RunOutcome, String>> {
        let (tell, told) = watch::channel(None);
        let kind = run.kind.clone();
        let making = async {
            if kind == RunKind::Rebuild.as_str() {
                return rebuilt(self.maker.clone(), tell, stopping.clone()).await;
            }
            let read_models = kind == RunKind::Replay.as_str();
            let mac_key = self.mac_key.clone();
            let options = Options { read_models, mac_key, ..Options::default() };
            let report = read(self.reader.clone(), options, tell, stopping.clone()).await?;
            Some(match report {
                Ok(report) => Ok(RunOutcome::of(&report)),
                Err(error) => Err(projections::describe(&error)),
            })
        };
        tokio::pin!(making);
        let mut tick = time::interval(TELL_EVERY);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                made = &mut making => return made,
                _ = tick.tick() => {
                    let progress = *told.borrow();
                    self.tell(run, progress).await;
                }
            }
        }
    }

    async fn tell(&self, run: &Run, progress: Option<Progress>) {
        let Some(progress) = progress else { return };
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let far = (signed(progress.events), progress.of.map(signed));
        if let Err(error) = self.runs.note(run.id, far, self.leased_until()).await {
            tracing::debug!(%error, "how far a check is was not noted");
        }
    }
}

/// Reads the whole log, on a thread of its own: it calculates for as long as there is something to
/// read. Nothing if it was told to stop before the end.
async fn read(
    reader: PgConnectOptions,
    options: Options,
    tell: watch::Sender<Option<Progress>>,
    mut stopping: watch::Receiver<bool>,
) -> Option<Result<Report, AuditError>> {
    let runtime = Handle::current();
    let reading = spawn_blocking(move || {
        runtime.block_on(async {
            let pool = one_connection(reader);
            let job = audit::verify_database(&pool, &options, |progress| {
                tell.send_replace(Some(progress));
            });
            let report = tokio::select! {
                report = job => Some(report),
                _ = stopping.wait_for(|stop| *stop) => None,
            };
            pool.close().await;
            report
        })
    });
    reading.await.unwrap_or(Some(Err(AuditError::Stopped)))
}

/// Makes every read model again in empty tables and compares. Nothing if it was told to stop before
/// the end.
async fn rebuilt(
    maker: PgConnectOptions,
    tell: watch::Sender<Option<Progress>>,
    mut stopping: watch::Receiver<bool>,
) -> Option<Result<RunOutcome, String>> {
    let pool = one_connection(maker);
    let job = async {
        let made = projections::replay_beside(&pool, |position, head| {
            tell.send_replace(Some(Progress { events: position, of: Some(head) }));
        });
        let made = made.await?;
        let (position, event) = (made.position, super::event_at(&pool, made.position).await);
        let hash = match event.map_err(ProjectionError::from)? {
            Some((event, _)) => event.hash.to_vec(),
            None => vec![0; 32],
        };
        tracing::info!(position, "the read models were made again and compared");
        Ok::<_, ProjectionError>(RunOutcome::of_tables(made, hash))
    };
    let made = tokio::select! {
        made = job => Some(made.map_err(|error| projections::describe(&error))),
        _ = stopping.wait_for(|stop| *stop) => None,
    };
    pool.close().await;
    made
}

fn one_connection(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new().max_connections(1).connect_lazy_with(options)
}
