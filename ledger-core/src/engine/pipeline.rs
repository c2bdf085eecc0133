//! The loop, and the two batches it has at a time: one on its way to the log, one being decided on
//! top of it. Deciding and appending take about as long as each other, so each has a core.
//!
//! The second batch stands on the first. If the first one is not simply won, both are undone in
//! memory and everything is settled the slow way (`batch`), one after the other. Nothing of the
//! second is sent, or answered, before the first is in the log.

use std::sync::Arc;

use sqlx::PgConnection;
use tokio::task::{JoinError, JoinHandle};
use tracing::{error, warn};

use super::{
    SubmitError,
    batch::{answer_all, key_of},
    draft::{Draft, Sealed},
    link::answered,
    worker::{Job, Trouble, Work, Worker},
};
use crate::{
    log::append::{self, Appended},
    planning::{self, StreamId},
};

/// A batch on its way to the log.
struct Flight {
    sealed: Sealed,
    landing: JoinHandle<Landed>,
}

/// How it ended, and the connection if that is still good.
type Landed = (Option<PgConnection>, Appended);

/// What is under way.
#[derive(Default)]
struct Pipeline {
    flight: Option<Flight>,
    next: Option<Draft>,
    /// Jobs that wait for what is under way: those whose key a job of it has, which are repeats
    /// once that one is answered, those for which the next batch has no room, and those whose
    /// accounts became known by it and are not in memory.
    later: Vec<Job>,
}

impl Pipeline {
    fn waiting(&self) -> usize {
        let next = self.next.as_ref().map_or(0, |draft| draft.jobs.len());
        next.saturating_add(self.later.len())
    }

    /// Whether something is going to land.
    fn is_moving(&self) -> bool {
        self.flight.is_some() || self.next.as_ref().is_some_and(|draft| draft.appends)
    }

    fn under_way(&self, job: &Job) -> bool {
        let Some(key) = key_of(&job.command).filter(|_| !job.dry_run) else { return false };
        self.flight.as_ref().is_some_and(|flight| flight.sealed.keys.contains(&key))
            || self.next.as_ref().is_some_and(|draft| draft.keys.contains(&key))
    }
}

impl Worker {
    /// Runs until the queue is closed and empty.
    pub(super) async fn turns(&mut self) {
        let mut pipeline = Pipeline::default();
        let mut work = Vec::new();
        loop {
            // Looked at once a turn: told between two looks, it would neither close the queue nor
            // wait to be told, and sleep for ever.
            let closing = self.closing();
            if closing {
                self.queue.close();
            }
            let room = self.config.batch_commands_max.max(1).saturating_sub(pipeline.waiting());
            tokio::select! {
                biased;
                landed = landing(&mut pipeline.flight) => {
                    self.after_landing(&mut pipeline, landed).await;
                    let later = std::mem::take(&mut pipeline.later);
                    self.add(&mut pipeline, later).await;
                    continue;
                }
                taken = self.queue.recv_many(&mut work, room), if room > 0 => {
                    if taken == 0 { break }
                }
                _ = self.closing.changed(), if !closing => continue,
            }
            let mut jobs = Vec::with_capacity(work.len());
            let mut refreshes = Vec::new();
            for item in work.drain(..) {
                match item {
                    Work::Job(job) => jobs.push(*job),
                    Work::Refresh(reply) => refreshes.push(reply),
                }
            }
            self.add(&mut pipeline, jobs).await;
            if !refreshes.is_empty() {
                self.drain(&mut pipeline).await;
                self.refresh(refreshes).await;
            }
        }
        self.drain(&mut pipeline).await;
    }

    /// Decides jobs on top of what is under way, and sends them off if nothing is in the air.
    async fn add(&mut self, pipeline: &mut Pipeline, jobs: Vec<Job>) {
        if self.turn.contended() || self.halted() {
            // Others append as well: a batch on top of a batch would seldom land.
            self.drain(pipeline).await;
            self.batch(jobs).await;
            return self.cache.trim();
        }
        if self.cache.is_over() {
            // What is under way must stay in memory until it has landed.
            self.drain(pipeline).await;
            self.cache.trim();
        }
        let mut fresh = Vec::with_capacity(jobs.len());
        for job in jobs {
            if pipeline.under_way(&job) {
                pipeline.later.push(job);
            } else {
                fresh.extend(self.answer_recent(job));
            }
        }
        let (fresh, loaded) = self.load_misses(fresh).await;
        if let Err(trouble) = loaded {
            self.drain(pipeline).await;
            return self.settle(fresh, Some(Err(trouble))).await;
        }
        let head = pipeline.flight.as_ref().map_or(self.head, |flight| flight.sealed.batch.head);
        for job in fresh {
            let full = pipeline.next.as_ref().is_some_and(|draft| !draft.has_room(&job));
            if full || pipeline.under_way(&job) || self.is_early(pipeline, &job) {
                pipeline.later.push(job);
                continue;
            }
            if self.halted() {
                job.answer(Err(SubmitError::Halted));
                continue;
            }
            let clock = &*self.config.clock;
            let draft = pipeline.next.get_or_insert_with(|| Draft::new(head, clock));
            if let Err(cause) = draft.decide(job, &mut self.cache) {
                error!(error = %cause, "a batch cannot be made: halting");
                self.halt();
            }
        }
        self.counts.set_cached(self.cache.len());
        self.launch(pipeline).await;
    }

    /// Whether a job touches accounts that were not known when the others were loaded: those of a
    /// withdrawal or deposit that a job before it has begun, or gone on with.
    fn is_early(&mut self, pipeline: &Pipeline, job: &Job) -> bool {
        let Some(object) = object_of(job) else { return false };
        // What waits comes first: the steps of one object keep their order.
        pipeline.later.iter().any(|waiting| object_of(waiting).as_ref() == Some(&object))
            || (pipeline.is_moving() && !self.misses(job).is_empty())
    }

    /// Sends off what is decided, if nothing is in the air.
    async fn launch(&mut self, pipeline: &mut Pipeline) {
        if pipeline.flight.is_some() {
            return;
        }
        let Some(draft) = pipeline.next.take() else { return };
        let appends = draft.appends;
        let sealed = draft.seal();
        if self.halted() {
            return answer_all(sealed.jobs, SubmitError::Halted);
        }
        if !appends {
            return self.answer(sealed.jobs, sealed.answers);
        }
        let mut db = match self.link.take().await {
            Ok(db) => db,
            Err(error) => {
                warn!(%error, "the database cannot be reached");
                self.cache.undo(sealed.undo);
                return self.settle(sealed.jobs, Some(Err(Trouble::Down))).await;
            }
        };
        let (batch, key) = (Arc::clone(&sealed.batch), self.config.batch_key.clone());
        let landing = tokio::spawn(async move {
            let appending = async { Ok(append::append(&mut db, &batch, key.as_ref()).await) };
            match answered(appending).await {
                Ok(appended) => (Some(db), appended),
                // Its answer may still come: the connection is of no use any more.
                Err(error) => (None, Appended::Unknown(error)),
            }
        });
        pipeline.flight = Some(Flight { sealed, landing });
    }

    async fn after_landing(&mut self, pipeline: &mut Pipeline, landed: Result<Landed, JoinError>) {
        let Some(Flight { sealed, .. }) = pipeline.flight.take() else { return };
        let Sealed { batch, jobs, answers, undo, grown, .. } = sealed;
        let appended = match landed {
            Ok((connection, appended)) => {
                if let Some(connection) = connection {
                    self.link.give(connection);
                }
                appended
            }
            Err(error) => Appended::Unknown(sqlx::Error::Protocol(error.to_string())),
        };
        let mut later = Vec::new();
        if let Appended::Won { turn_wanted } = appended {
            self.landed(&batch, grown);
            self.turn.won(turn_wanted);
            if self.turn.contended() {
                if let Some(next) = pipeline.next.take() {
                    self.cache.undo(next.undo);
                    later = next.jobs;
                }
            } else {
                // The database has nothing to do: send the next one before answering these.
                self.launch(pipeline).await;
            }
            self.answer(jobs, answers);
            return self.batch(later).await;
        }
        if let Some(next) = pipeline.next.take() {
            self.cache.undo(next.undo);
            later = next.jobs;
        }
        let first = self.resolve(appended, &batch, undo, answers).await;
        self.settle(jobs, Some(first)).await;
        self.batch(later).await;
    }

    /// Brings everything that is under way to its end.
    async fn drain(&mut self, pipeline: &mut Pipeline) {
        while pipeline.flight.is_some() {
            let landed = landing(&mut pipeline.flight).await;
            self.after_landing(pipeline, landed).await;
        }
        let later = std::mem::take(&mut pipeline.later);
        self.batch(later).await;
    }
}

/// The withdrawal or deposit that a job is about.
fn object_of(job: &Job) -> Option<StreamId> {
    planning::object_of(&job.command.operation)
}

/// The end of what is in the air; never, if nothing is.
async fn landing(flight: &mut Option<Flight>) -> Result<Landed, JoinError> {
    match flight {
        Some(flight) => (&mut flight.landing).await,
        None => std::future::pending().await,
    }
}
