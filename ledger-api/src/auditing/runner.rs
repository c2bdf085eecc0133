//! Makes the checks that auditors ask for: one at a time, and however many processes do it, each by
//! one of them. What it reads it reads like an auditor with a copy of the log; what it writes is
//! how far it is and what came of it.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use ledger_core::clock::{Clock, Timestamp};
use projections::audit::{self, AuditError, Options, Progress, Report};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
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
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl AuditRunner {
    /// Works until `stopping` turns true. A check that is under way then is made again later.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
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

    /// Makes one and notes what came of it; nothing if it is time to stop.
    async fn make(&self, run: &Run, stopping: &watch::Receiver<bool>) {
        let Some(made) = self.check(run, stopping).await else { return };
        let outcome = made.as_ref().map(RunOutcome::of).map_err(|error| {
            let error = projections::describe(error);
            tracing::warn!(%error, run = %run.id, "a check of the log could not be made");
            error
        });
        let noted = outcome.as_ref().map_err(String::as_str);
        if let Err(error) = self.runs.finish(run.id, noted, self.clock.now()).await {
            tracing::warn!(%error, run = %run.id, "what a check came to was not noted");
        }
    }

    async fn check(
        &self,
        run: &Run,
        stopping: &watch::Receiver<bool>,
    ) -> Option<Result<Report, AuditError>> {
        let read_models = run.kind == RunKind::Replay.as_str();
        let options = Options { read_models, ..Options::default() };
        let (tell, told) = watch::channel(None);
        let reading = read(self.reader.clone(), options, tell, stopping.clone());
        tokio::pin!(reading);
        let mut tick = time::interval(TELL_EVERY);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                report = &mut reading => return report,
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
            let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(reader);
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
