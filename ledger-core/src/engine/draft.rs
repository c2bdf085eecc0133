//! A batch as it is decided: what each command comes to, and the rows that go into the log.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Answer,
    cache::{Cache, Undo},
    idempotency::Key,
    snapshots::Snapshots,
    subject::Subject,
    unit::{self, Decision, NewEvent},
    worker::Job,
};
use crate::{
    book::PeriodOperation,
    clock::{Clock, Timestamp},
    command::{Accepted, Command, Operation, Outcome},
    log::{
        EVENT_VERSION, Head, LogError, Rows,
        append::Batch,
        hash::{self, Hash, HashedFields},
    },
    planning::StreamId,
};

/// The most events that one append should have, so that it stays far from the statement time-out;
/// a single command may have more.
pub(super) const WEIGHT_MAX: usize = 10_000;

/// How many events a command may come to, about.
pub(super) fn weight_of(command: &Command) -> usize {
    match &command.operation {
        Operation::Post(postings) => postings.iter().map(|posting| posting.legs.len()).sum(),
        Operation::Reverse(reverse) => reverse.original_legs.len().saturating_add(1),
        Operation::CaptureHold(capture) => capture.to.len().saturating_add(3),
        // Its own events, the openings of accounts, and the legs of two transactions.
        Operation::Withdrawal(_)
        | Operation::Deposit(_)
        | Operation::Transfer(_)
        | Operation::Payment(_) => 20,
        // An event, an opening for each currency, and the legs.
        Operation::Period(period) => match &**period {
            PeriodOperation::CloseYear(close) => close.posting.legs.len().saturating_mul(2),
            PeriodOperation::Close { .. } | PeriodOperation::Reopen { .. } => 2,
        },
        // An event of each payment, the legs, and an opening.
        Operation::Settle(settle) => settle.payments.len().saturating_add(5),
        // Itself, an opening and a leg for each part, and the bank's.
        Operation::BankLine(line) => line.parts().len().saturating_mul(2).saturating_add(3),
        Operation::OpenAccount(_)
        | Operation::ChangeLimits(_)
        | Operation::Freeze(_)
        | Operation::Unfreeze { .. }
        | Operation::CloseAccount { .. }
        | Operation::PlaceHold(_)
        | Operation::IncreaseHold(_)
        | Operation::ReleaseHold { .. }
        | Operation::ExpireHold { .. }
        | Operation::OpenBook { .. }
        | Operation::AddCurrency(_)
        | Operation::DefineTier(_)
        | Operation::DefineTerms(_)
        | Operation::RotateCheckpointKey(_)
        | Operation::SetTier(_)
        | Operation::PaymentRequest(_) => 2,
        // Itself, and an opening for what it earns and its tax.
        Operation::DefineFee(_) => 3,
    }
}

/// A batch while it is decided, and until it is in the log. The aggregates in memory have changed
/// already; `undo` takes that back.
pub(super) struct Draft {
    after: Head,
    now: Timestamp,
    position: u64,
    hash: Hash,
    rows: Rows,
    /// The jobs, in order, and what each came to.
    pub(super) jobs: Vec<Job>,
    outcomes: Vec<Outcome>,
    /// The keys of the jobs: a second job with one of them waits.
    pub(super) keys: BTreeSet<Key>,
    /// How to take it back.
    pub(super) undo: Undo,
    /// Streams that have grown enough for a snapshot, as they are once this is in the log.
    pub(super) grown: Vec<(StreamId, u64, Subject)>,
    /// Whether there is anything to append: not for dry runs alone.
    pub(super) appends: bool,
}

/// A batch that goes to the log, and what is answered once it is there.
pub(super) struct Sealed {
    pub(super) batch: Arc<Batch>,
    pub(super) jobs: Vec<Job>,
    /// One answer per job, in order.
    pub(super) answers: Vec<Answer>,
    pub(super) keys: BTreeSet<Key>,
    pub(super) undo: Undo,
    pub(super) grown: Vec<(StreamId, u64, Subject)>,
}

impl Draft {
    /// A batch that will follow `after`.
    pub(super) fn new(after: Head, clock: &dyn Clock) -> Self {
        Self {
            after,
            now: clock.now().max(after.recorded_at),
            position: after.position,
            hash: after.hash,
            rows: Rows::default(),
            jobs: Vec::new(),
            outcomes: Vec::new(),
            keys: BTreeSet::new(),
            undo: Undo::new(),
            grown: Vec::new(),
            appends: false,
        }
    }

    /// Whether a job can come in beside those that are there.
    pub(super) fn has_room(&self, job: &Job) -> bool {
        self.jobs.is_empty()
            || self.rows.events().saturating_add(weight_of(&job.command)) <= WEIGHT_MAX
    }

    /// Decides a job on what the ones before it left.
    ///
    /// # Errors
    /// [`LogError`] only where numbers run out.
    pub(super) fn decide(&mut self, job: Job, cache: &mut Cache) -> Result<(), LogError> {
        let outcome = match unit::decide(&job.command, cache, self.now) {
            Ok(decision) => {
                let first_position = self.position.saturating_add(1);
                let count = u64::try_from(decision.events.len()).unwrap_or(u64::MAX);
                let receipt = decision.receipt.clone();
                if !job.dry_run {
                    self.take(decision, cache)?;
                }
                Outcome::Accepted(Accepted {
                    first_position,
                    position: first_position.saturating_add(count).saturating_sub(1),
                    recorded_at: self.now,
                    receipt,
                })
            }
            Err(rejection) => Outcome::Rejected(rejection),
        };
        if !job.dry_run {
            self.appends = true;
            self.remember(&job, &outcome)?;
        }
        self.outcomes.push(outcome);
        self.jobs.push(job);
        Ok(())
    }

    /// Makes a decision the truth of the aggregates in memory.
    fn take(&mut self, decision: Decision, cache: &mut Cache) -> Result<(), LogError> {
        for event in decision.events {
            self.push(&event)?;
        }
        for (id, note) in decision.notes {
            self.rows.push_note(&id.to_string(), &note);
        }
        for (stream, subject) in decision.touched {
            let grown = Snapshots::wants(cache.peek(&stream), &subject);
            if let Some(before) = grown {
                self.grown.push((stream.clone(), before, subject.clone()));
            }
            let before = cache.put(stream.clone(), subject);
            self.undo.push((stream, before));
        }
        Ok(())
    }

    fn push(&mut self, event: &NewEvent) -> Result<(), LogError> {
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
        self.rows.push_event(&fields, &self.hash)
    }

    /// Stores what a command with a key came to, beside its events.
    fn remember(&mut self, job: &Job, outcome: &Outcome) -> Result<(), LogError> {
        let Some(idempotency) = &job.command.idempotency else { return Ok(()) };
        let stored = outcome.to_stored().map_err(|_| LogError::OutOfRange)?;
        self.keys.insert((job.command.principal.clone(), idempotency.key.clone()));
        let (principal, key) = (job.command.principal.as_str(), idempotency.key.as_str());
        self.rows.push_outcome(principal, key, &idempotency.fingerprint, &stored);
        Ok(())
    }

    /// The batch as it goes to the log.
    pub(super) fn seal(self) -> Sealed {
        let number = self.after.batch.saturating_add(1);
        let hash = if self.rows.events() == 0 {
            hash::empty_batch_hash(&self.after.hash, number)
        } else {
            self.hash
        };
        let position = self.position;
        let head = Head { batch: number, position, hash, recorded_at: self.now };
        let answer = |outcome: Outcome| {
            let position = match &outcome {
                Outcome::Accepted(accepted) => accepted.position,
                Outcome::Rejected(_) => position,
            };
            Answer { outcome, replayed: false, position }
        };
        Sealed {
            batch: Arc::new(Batch { after: self.after, head, rows: self.rows }),
            jobs: self.jobs,
            answers: self.outcomes.into_iter().map(answer).collect(),
            keys: self.keys,
            undo: self.undo,
            grown: self.grown,
        }
    }
}
