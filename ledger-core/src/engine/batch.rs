//! One batch, from what was taken out of the queue to the last answer.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::time::Instant;
use tracing::{error, warn};

use super::{
    Answer, EngineState, SubmitError,
    cache::Undo,
    draft::{Draft, Sealed, WEIGHT_MAX, weight_of},
    idempotency::{self, Key},
    link::answered,
    subject::Subject,
    worker::{Job, Trouble, Worker},
};
use crate::{
    command::{Command, Outcome},
    log::{
        LogError,
        append::{self, Appended, Batch},
    },
    planning::{self, StreamId},
};

/// How long a batch is tried for at most, whatever stands in its way.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits after the first refusal; after the second, twice as long; and so on.
const PAUSE: Duration = Duration::from_millis(20);

/// How an attempt has ended.
pub(super) type Attempted = Result<Attempt, Trouble>;

/// What one attempt at a batch came to.
pub(super) enum Attempt {
    /// It is in the log, or nothing needed to be: these are the answers.
    Answered(Vec<Answer>),
    /// Nothing of it is in the log; decide afresh.
    Again,
    /// Some keys are used; find out which, answer those, decide the rest afresh.
    KeyUsed,
    /// The server refused it for a passing reason.
    Refused,
    /// The server refused it for what is in it.
    Unstorable,
}

impl Worker {
    /// Answers all jobs of a batch, however many attempts that takes.
    pub(super) async fn batch(&mut self, mut jobs: Vec<Job>) {
        while !jobs.is_empty() {
            let (leaders, followers) = self.split(jobs);
            self.settle(leaders, None).await;
            // By now the leaders' outcomes are known, so these are repeats.
            jobs = followers;
        }
    }

    /// Answers repeats of recent requests; puts aside those whose key another job of this batch
    /// has as well, and those that are too much for one batch.
    fn split(&mut self, jobs: Vec<Job>) -> (Vec<Job>, Vec<Job>) {
        let mut keys = BTreeSet::new();
        let mut weight = 0_usize;
        let (mut leaders, mut followers) = (Vec::with_capacity(jobs.len()), Vec::new());
        for job in jobs {
            let Some(job) = self.answer_recent(job) else { continue };
            let key = key_of(&job.command).filter(|_| !job.dry_run);
            weight = weight.saturating_add(weight_of(&job.command));
            let full = weight > WEIGHT_MAX && !leaders.is_empty();
            if full || key.is_some_and(|key| !keys.insert(key)) {
                followers.push(job);
            } else {
                leaders.push(job);
            }
        }
        (leaders, followers)
    }

    /// Answers a repeat of a recent request; gives any other job back.
    pub(super) fn answer_recent(&mut self, job: Job) -> Option<Job> {
        let idempotency = job.command.idempotency.as_ref().filter(|_| !job.dry_run);
        match idempotency.and_then(|i| self.recent.answer(&job.command.principal, i)) {
            Some(answer) => {
                job.answer(answer);
                None
            }
            None => Some(job),
        }
    }

    /// Goes on with jobs until all are answered. `first` is how a first attempt has ended.
    pub(super) async fn settle(&mut self, mut jobs: Vec<Job>, mut first: Option<Attempted>) {
        let began = Instant::now();
        let (mut refusals, mut reloaded) = (0_u32, false);
        while !jobs.is_empty() {
            if self.halted() {
                return answer_all(jobs, SubmitError::Halted);
            }
            if first.is_none() && began.elapsed() > PATIENCE {
                // Nothing of what was tried is in the log: callers may try again.
                return answer_all(jobs, SubmitError::Unavailable);
            }
            if first.is_none()
                && let Some(second) = second_of_an_object(&jobs)
            {
                // What it touches is known once the one before it was decided.
                let rest = jobs.split_off(second);
                Box::pin(self.settle(jobs, None)).await;
                jobs = rest;
                continue;
            }
            let attempted = if let Some(attempted) = first.take() {
                attempted
            } else {
                let attempted;
                (jobs, attempted) = self.attempt(jobs).await;
                self.turn.release().await;
                attempted
            };
            match attempted {
                Ok(Attempt::Answered(answers)) => return self.answer(jobs, answers),
                Ok(Attempt::Again) | Err(Trouble::Halted) => {}
                Ok(Attempt::KeyUsed) => {
                    let (rest, looked_up) = self.answer_used(jobs).await;
                    jobs = rest;
                    if matches!(looked_up, Err(Trouble::Down)) {
                        self.wait_for_database().await;
                    }
                }
                Ok(Attempt::Refused) => {
                    refusals = refusals.saturating_add(1);
                    tokio::time::sleep(PAUSE.saturating_mul(refusals)).await;
                }
                Ok(Attempt::Unstorable) if jobs.len() > 1 => {
                    // One of them is to blame, and the others shall not suffer for it.
                    let rest = jobs.split_off(jobs.len() / 2);
                    Box::pin(self.settle(jobs, None)).await;
                    jobs = rest;
                }
                Ok(Attempt::Unstorable) if reloaded => {
                    return answer_all(jobs, SubmitError::Corrupt);
                }
                Ok(Attempt::Unstorable) => reloaded = true,
                Err(Trouble::Down) => {
                    // Nothing of it is in the log, so nothing happened: callers may try again.
                    answer_all(jobs, SubmitError::Unavailable);
                    return self.wait_for_database().await;
                }
                Err(Trouble::Unknown) => return answer_all(jobs, SubmitError::OutcomeUnknown),
            }
        }
    }

    /// One attempt, alone: nothing else is under way. Gives the jobs back that have no answer yet.
    async fn attempt(&mut self, jobs: Vec<Job>) -> (Vec<Job>, Attempted) {
        if let Err(trouble) = self.await_turn().await {
            return (jobs, Err(trouble));
        }
        let (jobs, loaded) = self.load_misses(jobs).await;
        if let Err(trouble) = loaded {
            return (jobs, Err(trouble));
        }
        let mut draft = Draft::new(self.head, &*self.config.clock);
        for job in jobs {
            if let Err(cause) = draft.decide(job, &mut self.cache) {
                error!(error = %cause, "a batch cannot be made: halting");
                return (draft.jobs, Err(self.halt()));
            }
        }
        let appends = draft.appends;
        let Sealed { batch, jobs, answers, undo, grown, .. } = draft.seal();
        if !appends {
            return (jobs, Ok(Attempt::Answered(answers)));
        }
        let key = self.config.batch_key.as_ref();
        let appended = match self.link.get().await {
            Ok(db) => answered(async { Ok(append::append(db, &batch, key).await) })
                .await
                .unwrap_or_else(Appended::Unknown),
            Err(error) => {
                warn!(%error, "the database cannot be reached");
                self.cache.undo(undo);
                return (jobs, Err(Trouble::Down));
            }
        };
        if let Appended::Won { turn_wanted } = appended {
            self.turn.won(turn_wanted);
            self.landed(&batch, grown);
            return (jobs, Ok(Attempt::Answered(answers)));
        }
        (jobs, self.resolve(appended, &batch, undo, answers).await)
    }

    async fn await_turn(&mut self) -> Result<(), Trouble> {
        if self.turn.contended() {
            self.catch_up().await?;
            self.turn.take().await;
            let others = self.catch_up().await?;
            self.turn.saw(others);
        }
        Ok(())
    }

    /// Loads what the jobs need. Two rounds, because a hold's account is known once the hold is.
    /// Answers the jobs that need a stream which cannot be read.
    pub(super) async fn load_misses(
        &mut self,
        mut jobs: Vec<Job>,
    ) -> (Vec<Job>, Result<(), Trouble>) {
        for _ in 0..2 {
            let missing: BTreeSet<StreamId> =
                jobs.iter().flat_map(|job| self.misses(job)).collect();
            if missing.is_empty() {
                break;
            }
            let missing: Vec<StreamId> = missing.into_iter().collect();
            let mut loaded = self.load(missing.clone()).await;
            if loaded.is_err() {
                // The connection may have ended while it was idle.
                self.reader.broken();
                loaded = self.load(missing).await;
            }
            match loaded {
                Ok(unreadable) if unreadable.is_empty() => {}
                Ok(unreadable) => {
                    let (corrupt, readable): (Vec<Job>, Vec<Job>) =
                        jobs.into_iter().partition(|job| {
                            self.misses(job).iter().any(|miss| unreadable.contains(miss))
                        });
                    answer_all(corrupt, SubmitError::Corrupt);
                    jobs = readable;
                }
                Err(cause) => {
                    warn!(error = %cause, "aggregates cannot be loaded");
                    self.reader.broken();
                    return (jobs, Err(Trouble::Down));
                }
            }
        }
        (jobs, Ok(()))
    }

    /// A batch is in the log.
    pub(super) fn landed(&mut self, batch: &Arc<Batch>, grown: Vec<(StreamId, u64, Subject)>) {
        self.head = batch.head;
        // Before the news of it, so that who hears them finds it.
        self.tail.push(batch);
        self.counts.add_won();
        self.publish(EngineState::Running);
        for (stream, before, subject) in grown {
            self.snapshots.offer(&stream, before, &subject);
        }
    }

    /// Undoes an append in memory that was not simply won, and says what follows.
    pub(super) async fn resolve(
        &mut self,
        appended: Appended,
        batch: &Batch,
        undo: Undo,
        answers: Vec<Answer>,
    ) -> Attempted {
        let unstorable = matches!(appended, Appended::Unstorable(_));
        let touched = undo.iter().filter(|_| unstorable).map(|(stream, _)| stream.clone());
        let suspects: Vec<StreamId> = touched.collect();
        self.cache.undo(undo);
        match appended {
            Appended::Won { .. } | Appended::Lost => {
                self.turn.lost();
                self.counts.add_lost();
                if self.catch_up().await? {
                    Ok(Attempt::Again)
                } else {
                    // Nobody appended, and yet our batch does not follow: not the log we knew.
                    error!(batch = self.head.batch, "the log refuses to be appended to: halting");
                    Err(self.halt())
                }
            }
            Appended::KeyUsed => Ok(Attempt::KeyUsed),
            Appended::Refused(error) => {
                warn!(%error, "the database refused an append");
                self.counts.add_refused();
                // Another process may have appended meanwhile.
                self.catch_up().await?;
                Ok(Attempt::Refused)
            }
            Appended::Unstorable(error) => {
                error!(%error, "the database cannot store a batch");
                self.counts.add_refused();
                // What it stands on may be wrong in memory: load it afresh.
                for stream in &suspects {
                    self.cache.forget(stream);
                }
                self.catch_up().await?;
                Ok(Attempt::Unstorable)
            }
            Appended::Unknown(error) => {
                warn!(%error, "the outcome of an append is unknown: fencing");
                self.link.broken();
                let landed = self.fence(batch).await?;
                self.counts.add_resolved(landed);
                Ok(if landed { Attempt::Answered(answers) } else { Attempt::Again })
            }
        }
    }

    /// Looks up the keys of jobs, answers those that are used, and returns the others.
    async fn answer_used(&mut self, jobs: Vec<Job>) -> (Vec<Job>, Result<(), Trouble>) {
        let stored = match self.stored_outcomes(&jobs).await {
            Ok(stored) => stored,
            Err(cause) => {
                warn!(error = %cause, "keys cannot be looked up");
                self.link.broken();
                return (jobs, Err(Trouble::Down));
            }
        };
        // The outcomes may be newer than what is cached.
        if let Err(trouble) = self.catch_up().await {
            return (jobs, Err(trouble));
        }
        let mut rest = Vec::with_capacity(jobs.len());
        for job in jobs {
            let found = job.command.idempotency.as_ref().filter(|_| !job.dry_run).and_then(|i| {
                let principal = job.command.principal.as_str();
                let used = |s: &&append::StoredOutcome| {
                    s.principal == principal && s.key == i.key.as_str()
                };
                stored.iter().find(used).map(|s| (s, s.fingerprint == i.fingerprint))
            });
            let Some((stored, same)) = found else {
                rest.push(job);
                continue;
            };
            match Outcome::from_stored(&stored.outcome) {
                Ok(outcome) => {
                    let answer = idempotency::replay(same, outcome, self.head.position);
                    job.answer(answer);
                }
                Err(cause) => {
                    error!(error = %cause, "a stored outcome cannot be read");
                    job.answer(Err(SubmitError::Corrupt));
                }
            }
        }
        (rest, Ok(()))
    }

    async fn stored_outcomes(
        &mut self,
        jobs: &[Job],
    ) -> Result<Vec<append::StoredOutcome>, LogError> {
        let keys: Vec<Key> = jobs.iter().filter_map(|job| key_of(&job.command)).collect();
        let principals: Vec<&str> = keys.iter().map(|(principal, _)| principal.as_str()).collect();
        let texts: Vec<&str> = keys.iter().map(|(_, key)| key.as_str()).collect();
        answered(append::outcomes(self.link.get().await?, &principals, &texts)).await
    }

    pub(super) fn answer(&mut self, jobs: Vec<Job>, answers: Vec<Answer>) {
        for (job, answer) in jobs.into_iter().zip(answers) {
            if let Some(key) = key_of(&job.command).filter(|_| !job.dry_run) {
                let fingerprint =
                    job.command.idempotency.as_ref().map(|i| i.fingerprint).unwrap_or_default();
                let (outcome, position) = (answer.outcome.clone(), answer.position);
                self.recent.remember(key, fingerprint, outcome, position);
            }
            job.answer(Ok(answer));
        }
    }
}

/// The first job on a withdrawal or deposit that a job before it is about as well.
fn second_of_an_object(jobs: &[Job]) -> Option<usize> {
    let mut seen = BTreeSet::new();
    jobs.iter().position(|job| {
        planning::object_of(&job.command.operation).is_some_and(|object| !seen.insert(object))
    })
}

pub(super) fn key_of(command: &Command) -> Option<Key> {
    let idempotency = command.idempotency.as_ref()?;
    Some((command.principal.clone(), idempotency.key.clone()))
}

pub(super) fn answer_all(jobs: Vec<Job>, error: SubmitError) {
    for job in jobs {
        job.answer(Err(error));
    }
}
