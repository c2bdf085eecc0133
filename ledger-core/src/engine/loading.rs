//! Getting the aggregates that commands need into memory.

use super::{
    subject::{FOLD_VERSION, Subject, address},
    worker::{Job, Worker},
};
use crate::{
    log::{
        LogError,
        load::{self, Loaded},
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
        let addresses: Vec<_> = streams.iter().map(address).collect();
        let wanted: Vec<_> = addresses.iter().map(|(kind, id)| (*kind, &**id)).collect();
        let mut folds: Vec<Fold> = streams.iter().map(Fold::empty).collect();
        let each = |index: usize, part: Loaded| {
            if let (Some(fold), Some(stream)) = (folds.get_mut(index), streams.get(index)) {
                fold.add(stream, part);
            }
            Ok(())
        };
        load::load(self.reader.get().await?, &wanted, fold_version, each).await?;
        Ok(folds)
    }
}

/// A stream while it is read.
enum Fold {
    Done { subject: Subject, from: u64 },
    BadSnapshot,
    Corrupt,
}

impl Fold {
    fn empty(stream: &StreamId) -> Self {
        Self::Done { subject: Subject::empty(stream), from: 0 }
    }

    fn add(&mut self, stream: &StreamId, part: Loaded) {
        let Self::Done { subject, from } = self else {
            return;
        };
        match part {
            Loaded::Snapshot { sequence, payload } => {
                match Subject::restore(stream, sequence, &payload) {
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
