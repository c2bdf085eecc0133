//! Getting the aggregates that commands need into memory.

use tracing::{error, warn};

use super::{
    link::answered,
    subject::{FOLD_VERSION, Subject, address},
    worker::{Job, Worker},
};
use crate::{
    log::{
        LogError,
        load::{self, Loaded, Wanted},
    },
    planning::{self, StreamId},
};

impl Worker {
    /// The streams that a job needs and that are not in memory.
    pub(super) fn misses(&mut self, job: &Job) -> Vec<StreamId> {
        let operation = &job.command.operation;
        let mut streams = planning::streams(operation);
        if let Some(hold_id) = planning::account_of_hold(operation) {
            let hold = self.cache.peek(&StreamId::Hold(hold_id));
            let account = hold.and_then(|subject| subject.as_hold()?.account().cloned());
            streams.extend(account.map(StreamId::Account));
        }
        if let Some(operation) = planning::withdrawal_operation(operation) {
            let stream = StreamId::Withdrawal(operation.withdrawal_id());
            let withdrawal = self.cache.peek(&stream).and_then(Subject::as_withdrawal);
            let accounts = withdrawal
                .map(|withdrawal| planning::accounts_of_withdrawal(operation, withdrawal));
            streams.extend(accounts.into_iter().flatten().map(StreamId::Account));
        }
        if let Some(operation) = planning::deposit_operation(operation) {
            let stream = StreamId::Deposit(operation.deposit_id());
            let deposit = self.cache.peek(&stream).and_then(Subject::as_deposit);
            let accounts = deposit.map(|deposit| planning::accounts_of_deposit(operation, deposit));
            streams.extend(accounts.into_iter().flatten().map(StreamId::Account));
        }
        if let Some(operation) = planning::transfer_operation(operation) {
            let stream = StreamId::Transfer(operation.transfer_id());
            let transfer = self.cache.peek(&stream).and_then(Subject::as_transfer);
            let accounts =
                transfer.map(|transfer| planning::accounts_of_transfer(operation, transfer));
            streams.extend(accounts.into_iter().flatten().map(StreamId::Account));
        }
        if let Some(operation) = planning::payment_operation(operation) {
            let stream = StreamId::Payment(operation.payment_id());
            let payment = self.cache.peek(&stream).and_then(Subject::as_payment);
            let accounts = payment.map(|payment| planning::accounts_of_payment(operation, payment));
            streams.extend(accounts.into_iter().flatten().map(StreamId::Account));
        }
        streams.retain(|stream| !self.cache.touch(stream));
        streams
    }

    /// Loads streams into memory, by one query; only what is longer than a page takes more.
    /// Returns those that cannot be read.
    pub(super) async fn load(&mut self, streams: Vec<StreamId>) -> Result<Vec<StreamId>, LogError> {
        let mut unreadable = Vec::new();
        let mut reading: Vec<Reading> = streams.into_iter().map(Reading::new).collect();
        while !reading.is_empty() {
            // What is read afresh after a bad snapshot, or goes on after a full page.
            let mut again = Vec::new();
            self.read_page(&mut reading).await?;
            for stream in reading {
                match stream.end() {
                    Page::Last => {
                        self.snapshots.offer(&stream.id, stream.from, &stream.subject);
                        self.cache.put(stream.id, stream.subject);
                    }
                    Page::Full => {
                        self.snapshots.offer(&stream.id, stream.from, &stream.subject);
                        again.push(stream.next_page());
                    }
                    Page::BadSnapshot => again.push(Reading::afresh(stream.id)),
                    Page::Corrupt => unreadable.push(stream.id),
                }
            }
            reading = again;
        }
        Ok(unreadable)
    }

    async fn read_page(&mut self, reading: &mut [Reading]) -> Result<(), LogError> {
        let wanted: Vec<Wanted> = reading.iter().map(Reading::wanted).collect();
        let mut parts = 0_u64;
        let each = |index: usize, part: Loaded| {
            parts = parts.saturating_add(1);
            if let Some(stream) = reading.get_mut(index) {
                stream.add(part);
            }
            Ok(())
        };
        let db = self.reader.get().await?;
        answered(load::load(db, &wanted, FOLD_VERSION, PAGE, each)).await?;
        self.counts.add_loaded(parts);
        Ok(())
    }
}

/// How many events of a stream are read at a time: a long one must not run into a time-out.
pub(super) const PAGE: u32 = 10_000;

/// A stream while it is read.
pub(super) struct Reading {
    pub(super) id: StreamId,
    pub(super) subject: Subject,
    /// The sequence of the snapshot that it stands on; 0 if on none.
    from: u64,
    /// What is known of it before this page; nothing, if a snapshot may say it.
    after: Option<u64>,
    /// Whether the log agrees with the snapshot.
    confirmed: bool,
    events: u32,
    trouble: Option<Page>,
}

/// How a page of a stream has ended.
#[derive(Clone, Copy)]
pub(super) enum Page {
    /// There is no more.
    Last,
    /// There may be more.
    Full,
    /// Its snapshot does not decode, or the log does not agree with it: it is as good as none.
    BadSnapshot,
    /// An event cannot be trusted.
    Corrupt,
}

impl Reading {
    pub(super) fn new(id: StreamId) -> Self {
        let subject = Subject::empty(&id);
        let (after, trouble) = (None, None);
        Self { id, subject, from: 0, after, confirmed: true, events: 0, trouble }
    }

    /// From the first event on.
    pub(super) fn afresh(id: StreamId) -> Self {
        Self { after: Some(0), ..Self::new(id) }
    }

    pub(super) fn next_page(self) -> Self {
        let after = Some(self.subject.sequence());
        Self { after, from: self.subject.sequence(), events: 0, ..self }
    }

    pub(super) fn wanted(&self) -> Wanted {
        let (aggregate_type, aggregate_id) = address(&self.id);
        Wanted { aggregate_type, aggregate_id, after: self.after }
    }

    pub(super) fn end(&self) -> Page {
        match self.trouble {
            Some(trouble) => trouble,
            // A snapshot of more than the log has.
            None if !self.confirmed => Page::BadSnapshot,
            None if self.events >= PAGE => Page::Full,
            None => Page::Last,
        }
    }

    pub(super) fn add(&mut self, part: Loaded) {
        if self.trouble.is_some() {
            return;
        }
        match part {
            Loaded::Snapshot { sequence, payload } => self.restore(sequence, &payload),
            Loaded::Event { sequence, position, event_type, event_version, payload } => {
                self.events = self.events.saturating_add(1);
                if !self.confirmed {
                    self.confirmed = sequence == self.from
                        && self.subject.agrees(&event_type, &event_version, &payload);
                    if !self.confirmed {
                        warn!(position, stream = ?self.id, "a snapshot is not what the log says");
                        self.trouble = Some(Page::BadSnapshot);
                    }
                    return;
                }
                let next = self.subject.sequence().saturating_add(1) == sequence;
                let applied = self.subject.apply(&event_type, &event_version, &payload);
                if let Some(error) = applied
                    .err()
                    .map(|e| e.to_string())
                    .or_else(|| (!next).then(|| "its sequence is not the next one".to_owned()))
                {
                    error!(position, stream = ?self.id, error, "an event cannot be trusted");
                    self.trouble = Some(Page::Corrupt);
                }
            }
        }
    }

    fn restore(&mut self, sequence: u64, payload: &[u8]) {
        match Subject::restore(&self.id, sequence, payload) {
            Ok(restored) => {
                (self.subject, self.from, self.confirmed) = (restored, sequence, false);
            }
            Err(error) => {
                warn!(%error, stream = ?self.id, "a snapshot does not decode");
                self.trouble = Some(Page::BadSnapshot);
            }
        }
    }
}
