//! The rows that one append brings, column by column.

use super::{
    AppendedEvent, LogError,
    column::Column,
    hash::{Hash, HashedFields},
    read::signed,
};
use crate::clock::Timestamp;

/// The columns of the events, outcomes and notes of one append.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(super) aggregate_types: Column<str>,
    pub(super) aggregate_ids: Column<str>,
    pub(super) sequences: Column<i64>,
    pub(super) event_types: Column<str>,
    pub(super) payloads: Column<[u8]>,
    pub(super) metadatas: Column<[u8]>,
    pub(super) hashes: Column<[u8]>,
    pub(super) principals: Column<str>,
    pub(super) keys: Column<str>,
    pub(super) fingerprints: Column<[u8]>,
    pub(super) outcomes: Column<[u8]>,
    pub(super) note_ids: Column<str>,
    pub(super) notes: Column<str>,
}

impl Rows {
    /// How many events there are.
    pub(crate) const fn events(&self) -> usize {
        self.sequences.len()
    }

    /// How many bytes they are on the wire, about.
    pub(super) fn size(&self) -> usize {
        [
            self.aggregate_types.size(),
            self.aggregate_ids.size(),
            self.sequences.size(),
            self.event_types.size(),
            self.payloads.size(),
            self.metadatas.size(),
            self.hashes.size(),
            self.principals.size(),
            self.keys.size(),
            self.fingerprints.size(),
            self.outcomes.size(),
            self.note_ids.size(),
            self.notes.size(),
        ]
        .iter()
        .sum()
    }

    /// The events, which know neither their places nor their time: those are the batch's.
    pub(super) fn each_event(&self) -> impl Iterator<Item = AppendedEvent<'_>> {
        let streams = self.aggregate_types.texts().zip(self.aggregate_ids.texts());
        let bodies = self.event_types.texts().zip(self.payloads.bodies());
        let all = streams.zip(self.sequences.numbers()).zip(bodies);
        all.map(|(((aggregate_type, aggregate_id), sequence), (event_type, payload))| {
            AppendedEvent {
                position: 0,
                aggregate_type,
                aggregate_id,
                sequence: sequence.unsigned_abs(),
                event_type,
                payload,
                recorded_at: Timestamp::default(),
            }
        })
    }

    /// Adds an event, with the hash over its fields.
    ///
    /// # Errors
    /// [`LogError::OutOfRange`] if its sequence is no number of the database's.
    pub(crate) fn push_event(
        &mut self,
        event: &HashedFields<'_>,
        hash: &Hash,
    ) -> Result<(), LogError> {
        self.sequences.push(&signed(event.sequence)?);
        self.aggregate_types.push(event.aggregate_type);
        self.aggregate_ids.push(event.aggregate_id);
        self.event_types.push(event.event_type);
        self.payloads.push(event.payload);
        self.metadatas.push(event.metadata);
        self.hashes.push(hash);
        Ok(())
    }

    /// Adds what a command with a key came to.
    pub(crate) fn push_outcome(
        &mut self,
        principal: &str,
        key: &str,
        fingerprint: &[u8; 32],
        outcome: &[u8],
    ) {
        self.principals.push(principal);
        self.keys.push(key);
        self.fingerprints.push(fingerprint);
        self.outcomes.push(outcome);
    }

    /// Adds words to keep beside the log.
    pub(crate) fn push_note(&mut self, transaction_id: &str, note: &str) {
        self.note_ids.push(transaction_id);
        self.notes.push(note);
    }
}
