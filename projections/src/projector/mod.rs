//! The projector: follows the log and keeps the read models up to it.
//!
//! It knows the log and the tables of the read models, and nothing of whoever appends: an engine of
//! the same process may save it from reading back what was just written, no more. Any number may
//! run, in any number of processes: one of them holds the checkpoint, the others wait. It keeps
//! nothing between steps but what is in the log, so it can be killed anywhere and another goes on.
//!
//! It has a database connection of its own, taken out of the pool: if the projector is dropped in
//! the middle of a step, the connection closes and the step never was.

pub(crate) mod chunk;
mod status;
mod supply;

use std::{
    future::Future,
    ops::RangeInclusive,
    pin::pin,
    time::{Duration, Instant},
};

use futures::{FutureExt, future::Fuse};
use ledger_core::log::{Position, Tail};
use sqlx::{Executor, PgConnection, PgPool};
use tokio::{sync::watch, time};

pub use status::{ProjectorState, ProjectorStatus, wait_for};

use crate::{
    error::{ProjectionError, describe},
    models::{ReadModel, Schema},
};
use chunk::{Job, Step};
pub(crate) use supply::Supply;

/// How often the log is looked at when nobody says that it grew.
const POLL: Duration = Duration::from_millis(50);
/// While it keeps up, the projector rests after a step for three times as long as the step took,
/// within these bounds: what comes meanwhile is folded together, which costs the database much
/// less than many small steps, and who appends has the cores. Alone, a transfer is seen within
/// milliseconds; under full load the read models are some tenths of a second behind.
const REST: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(200);
/// How long a stopped projector waits before it looks whether somebody took the cause away.
const STOPPED_RETRY: Duration = Duration::from_secs(5);
const BACK_OFF_MIN: Duration = Duration::from_millis(50);
const BACK_OFF_MAX: Duration = Duration::from_secs(2);
/// Events of one step, when there are so many: the more legs of an account fold into one row, the
/// less an event costs (measured: 30,000 take two thirds of the time of 10,000 for each). A step
/// of this size needs some 30 megabytes.
pub(crate) const EVENTS_MAX: u64 = 30_000;

/// Keeps the read models up to the log.
#[derive(Debug)]
pub struct Projector {
    pool: PgPool,
    nudge: watch::Receiver<Position>,
    tail: Option<Tail>,
    status: watch::Sender<ProjectorStatus>,
}

/// Why following ended.
enum End {
    Shutdown,
    Failed(ProjectionError),
}

impl Projector {
    /// A projector that is not running yet. `nudge` tells the head of the log as soon as this
    /// process knows it; without news the log is looked at every 50 ms.
    pub fn new(pool: PgPool, nudge: watch::Receiver<Position>) -> Self {
        let (status, _) = watch::channel(ProjectorStatus::starting());
        Self { pool, nudge, tail: None, status }
    }

    /// Takes what an engine of this process appends from there, while that has it.
    #[must_use]
    pub fn with_tail(self, tail: Option<Tail>) -> Self {
        Self { tail, ..self }
    }

    /// What the projector says about itself, from now on.
    pub fn status(&self) -> watch::Receiver<ProjectorStatus> {
        self.status.subscribe()
    }

    /// Follows the log until `shutdown` is ready. A step under way is finished first.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown.fuse());
        let mut back_off = BACK_OFF_MIN;
        loop {
            let position = self.status.borrow().position;
            let error = match self.follow(&mut shutdown).await {
                End::Shutdown => return,
                End::Failed(error) => error,
            };
            if self.status.borrow().position > position {
                back_off = BACK_OFF_MIN;
            }
            let pause = self.report(&error, back_off);
            tokio::select! {
                () = &mut shutdown => return,
                () = time::sleep(pause) => {}
            }
            back_off = (back_off * 2).min(BACK_OFF_MAX);
        }
    }

    /// Steps until shutdown or an error.
    async fn follow<S: Future<Output = ()>>(
        &mut self,
        shutdown: &mut std::pin::Pin<&mut Fuse<S>>,
    ) -> End {
        let mut db = match connect(&self.pool).await {
            Ok(db) => db,
            Err(error) => return End::Failed(error),
        };
        let job = Job {
            schema: Schema::Live,
            models: &ReadModel::ALL,
            events_max: EVENTS_MAX,
            upto: None,
        };
        let mut supply = Supply::new(self.pool.clone(), self.tail.clone());
        loop {
            let started = Instant::now();
            let (reach, state) = match chunk::step(&mut db, &mut supply, job).await {
                Ok(Step::Moved(reach) | Step::Idle(reach)) => (reach, ProjectorState::Following),
                Ok(Step::Busy(reach)) => (reach, standby()),
                Err(error) => return End::Failed(error),
            };
            let following = state == ProjectorState::Following;
            self.status.send_replace(ProjectorStatus::at(reach, state));
            if following && reach.position < reach.head {
                if shutdown.as_mut().now_or_never().is_some() {
                    return End::Shutdown;
                }
                continue;
            }
            let rest = started.elapsed().saturating_mul(3).clamp(*REST.start(), *REST.end());
            let news = async {
                time::sleep(rest).await;
                if following {
                    self.news(reach.position).await;
                } else {
                    time::sleep(POLL).await;
                }
            };
            tokio::select! {
                () = &mut *shutdown => return End::Shutdown,
                () = news => {}
            }
        }
    }

    /// Returns when the log may have grown past `position`.
    async fn news(&self, position: Position) {
        let mut nudge = self.nudge.clone();
        let told = async {
            let told = nudge.wait_for(|head| *head > position).await.is_ok();
            if !told {
                // Nobody is left to tell.
                std::future::pending::<()>().await;
            }
        };
        // Without news in time the log is looked at anyway, so the outcome says nothing.
        drop(time::timeout(POLL, told).await);
    }

    /// Says what went wrong, and how long to wait.
    fn report(&self, error: &ProjectionError, back_off: Duration) -> Duration {
        let reason = describe(error);
        let (state, pause) = match error {
            ProjectionError::Poison(poison) => {
                let state = ProjectorState::Stopped { position: poison.position, reason };
                (state, STOPPED_RETRY)
            }
            ProjectionError::Database(_)
            | ProjectionError::Log(_)
            | ProjectionError::Missing
            | ProjectionError::RebuildBusy => (ProjectorState::Waiting { reason }, back_off),
        };
        let changed = self.status.send_if_modified(|status| {
            let changed = status.state != state;
            status.state = state.clone();
            changed
        });
        if changed {
            match &state {
                ProjectorState::Stopped { position, reason } => {
                    tracing::error!(position, reason, "the projector stopped");
                }
                ProjectorState::Waiting { reason } => {
                    tracing::warn!(reason, "the projector waits");
                }
                ProjectorState::Following => {}
            }
        }
        pause
    }
}

fn standby() -> ProjectorState {
    ProjectorState::Waiting { reason: "another projector is at work".to_owned() }
}

/// A connection of one's own, set up as the pool sets up its connections.
pub(crate) async fn connect(pool: &PgPool) -> Result<PgConnection, ProjectionError> {
    let mut db = pool.acquire().await?.detach();
    // A step that the server forgets in a crash is made again: rows and checkpoint go together.
    // And its statements are short and many: compiling them costs more than it saves. What it reads
    // in an order is always what an index has in that order; of a log that grew since its
    // statistics were taken, the planner thinks that sorting a few rows is cheaper, and sorts all.
    db.execute("set synchronous_commit = off; set jit = off; set enable_sort = off").await?;
    Ok(db)
}
