//! A batch as it is decided: what each command comes to, and the rows that go into the log.

use super::{
    Answer,
    cache::Undo,
    subject::FOLD_VERSION,
    unit::{self, Decision, NewEvent},
    worker::{Job, Worker},
};
use crate::{
    clock::Timestamp,
    command::{Accepted, Outcome},
    log::{
        EVENT_VERSION, Head, LogError,
        append::{Batch, Rows},
        hash::{self, Hash, HashedFields},
        load::{self, Loaded},
        read::signed,
    },
    planning::{self, StreamId},
};

/// A batch that was decided on the aggregates in memory, which have changed already.
pub(super) struct Draft {
    pub(super) batch: Batch,
    /// One answer per job, in order.
    pub(super) answers: Vec<Answer>,
    /// How to take it back.
    pub(super) undo: Undo,
    /// Whether there is anything to append: not for dry runs alone.
    pub(super) appends: bool,
}

/// Grows the rows of a batch event by event, and the chain with them.
struct Rolling {
    rows: Rows,
    position: u64,
    hash: Hash,
    now: Timestamp,
}

impl Rolling {
    fn push(&mut self, event: NewEvent) -> Result<(), LogError> {
        self.position = self.position.checked_add(1).ok_or(LogError::OutOfRange)?;
        let fields = HashedFields {
            position: self.position,
            aggregate_type: event.aggregate_type,
            aggregate_id: &event.aggregate_id,
            sequence: event.sequence,
            event_type: event.event_type,
            event_version: EVENT_VERSION,
            recorded_at: self.now,
            payload: &event.payload,
            metadata: &event.metadata,
        };
        self.hash = hash::event_hash(&self.hash, &fields);
        let rows = &mut self.rows;
        rows.aggregate_types.push(event.aggregate_type);
        rows.aggregate_ids.push(event.aggregate_id);
        rows.sequences.push(signed(event.sequence)?);
        rows.event_types.push(event.event_type);
        rows.payloads.push(event.payload);
        rows.metadatas.push(event.metadata);
        rows.hashes.push(self.hash);
        Ok(())
    }
}

impl Worker {
    /// Decides all jobs, one after the other, each on what the ones before it left.
    pub(super) fn draft(&mut self, jobs: &[Job]) -> Result<Draft, LogError> {
        let now = self.config.clock.now().max(self.head.recorded_at);
        let mut rolling = Rolling {
            rows: Rows::default(),
            position: self.head.position,
            hash: self.head.hash,
            now,
        };
        let mut undo = Undo::new();
        let mut outcomes = Vec::with_capacity(jobs.len());
        for job in jobs {
            let outcome = match unit::decide(&job.command, &self.cache, now) {
                Ok(decision) => {
                    let first_position = rolling.position.saturating_add(1);
                    let count = u64::try_from(decision.events.len()).unwrap_or(u64::MAX);
                    let receipt = decision.receipt.clone();
                    if !job.dry_run {
                        self.take(decision, &mut rolling, &mut undo)?;
                    }
                    Outcome::Accepted(Accepted {
                        first_position,
                        position: first_position.saturating_add(count).saturating_sub(1),
                        recorded_at: now,
                        receipt,
                    })
                }
                Err(rejection) => Outcome::Rejected(rejection),
            };
            remember(job, &outcome, &mut rolling.rows)?;
            outcomes.push(outcome);
        }
        Ok(self.finish(rolling, outcomes, undo, jobs.iter().any(|job| !job.dry_run)))
    }

    /// Makes a decision the truth of the aggregates in memory.
    fn take(
        &mut self,
        decision: Decision,
        rolling: &mut Rolling,
        undo: &mut Undo,
    ) -> Result<(), LogError> {
        for event in decision.events {
            rolling.push(event)?;
        }
        for (id, note) in decision.notes {
            rolling.rows.note_ids.push(id.to_string());
            rolling.rows.notes.push(note);
        }
        for (stream, subject) in decision.touched {
            let before = self.cache.put(stream.clone(), subject);
            undo.push((stream, before));
        }
        Ok(())
    }

    fn finish(&self, rolling: Rolling, outcomes: Vec<Outcome>, undo: Undo, appends: bool) -> Draft {
        let number = self.head.batch.saturating_add(1);
        let empty = rolling.rows.sequences.is_empty();
        let hash =
            if empty { hash::empty_batch_hash(&self.head.hash, number) } else { rolling.hash };
        let position = rolling.position;
        let head = Head { batch: number, position, hash, recorded_at: rolling.now };
        let answer = |outcome: Outcome| {
            let position = match &outcome {
                Outcome::Accepted(accepted) => accepted.position,
                Outcome::Rejected(_) => position,
            };
            Answer { outcome, replayed: false, position }
        };
        let answers = outcomes.into_iter().map(answer).collect();
        let batch = Batch { after: self.head, head, rows: rolling.rows };
        Draft { batch, answers, undo, appends }
    }

    /// The streams that a job needs and that are not in memory.
    pub(super) fn misses(&mut self, job: &Job) -> Vec<StreamId> {
        let operation = &job.command.operation;
        let mut streams = planning::streams(operation);
        if let Some(hold_id) = planning::account_of_hold(operation) {
            let hold = self.cache.peek(&StreamId::Hold(hold_id));
            let account = hold.and_then(|subject| subject.as_hold()?.account().cloned());
            streams.extend(account.map(StreamId::Account));
        }
        streams.retain(|stream| !self.cache.touch(stream));
        streams
    }

    /// Loads streams into memory, by one query. Returns those that cannot be read.
    pub(super) async fn load(&mut self, streams: Vec<StreamId>) -> Result<Vec<StreamId>, LogError> {
        let loaded = self.load_from(&streams, FOLD_VERSION).await?;
        let mut unreadable = Vec::new();
        let mut again = Vec::new();
        for (stream, subject) in streams.into_iter().zip(loaded) {
            match subject {
                Fold::Done { subject, from } => {
                    self.snapshots.offer(&stream, from, &subject);
                    self.cache.put(stream, subject);
                }
                Fold::BadSnapshot => again.push(stream),
                Fold::Corrupt => unreadable.push(stream),
            }
        }
        // A snapshot that does not decode is as good as none. No fold has this version.
        if !again.is_empty() {
            for (stream, subject) in again.clone().into_iter().zip(self.load_from(&again, 0).await?)
            {
                match subject {
                    Fold::Done { subject, .. } => drop(self.cache.put(stream, subject)),
                    Fold::BadSnapshot | Fold::Corrupt => unreadable.push(stream),
                }
            }
        }
        Ok(unreadable)
    }

    async fn load_from(
        &mut self,
        streams: &[StreamId],
        fold_version: i32,
    ) -> Result<Vec<Fold>, LogError> {
        let addresses: Vec<_> = streams.iter().map(super::subject::address).collect();
        let wanted: Vec<_> = addresses.iter().map(|(kind, id)| (*kind, &**id)).collect();
        let mut folds: Vec<Fold> = streams.iter().map(Fold::empty).collect();
        let each = |index: usize, part: Loaded| {
            if let (Some(fold), Some(stream)) = (folds.get_mut(index), streams.get(index)) {
                fold.add(stream, part);
            }
            Ok(())
        };
        load::load(self.link.get().await?, &wanted, fold_version, each).await?;
        Ok(folds)
    }
}

/// A stream while it is read.
enum Fold {
    Done { subject: super::subject::Subject, from: u64 },
    BadSnapshot,
    Corrupt,
}

impl Fold {
    fn empty(stream: &StreamId) -> Self {
        Self::Done { subject: super::subject::Subject::empty(stream), from: 0 }
    }

    fn add(&mut self, stream: &StreamId, part: Loaded) {
        let Self::Done { subject, from } = self else {
            return;
        };
        match part {
            Loaded::Snapshot { sequence, payload } => {
                match super::subject::Subject::restore(stream, sequence, &payload) {
                    Ok(restored) => (*subject, *from) = (restored, sequence),
                    Err(error) => {
                        tracing::warn!(%error, ?stream, "a snapshot does not decode");
                        *self = Self::BadSnapshot;
                    }
                }
            }
            Loaded::Event { sequence, position, event_type, event_version, payload } => {
                let next = subject.sequence().saturating_add(1) == sequence;
                let applied = subject.apply(&event_type, &event_version, &payload);
                if let Some(error) = applied
                    .err()
                    .map(|e| e.to_string())
                    .or_else(|| (!next).then(|| "its sequence is not the next one".to_owned()))
                {
                    tracing::error!(position, ?stream, error, "an event cannot be trusted");
                    *self = Self::Corrupt;
                }
            }
        }
    }
}

/// Stores what a command with a key came to, beside its events.
fn remember(job: &Job, outcome: &Outcome, rows: &mut Rows) -> Result<(), LogError> {
    let Some(idempotency) = job.command.idempotency.as_ref().filter(|_| !job.dry_run) else {
        return Ok(());
    };
    let stored = serde_json::to_vec(outcome).map_err(|_| LogError::OutOfRange)?;
    rows.principals.push(job.command.principal.as_str().into());
    rows.keys.push(idempotency.key.as_str().into());
    rows.fingerprints.push(idempotency.fingerprint);
    rows.outcomes.push(stored);
    Ok(())
}
