//! What stands in the log: recorded events and the batches that brought them.

use super::hash::{self, Hash, HashedFields};
use crate::clock::Timestamp;

/// A place in the log: global, gapless, in commit order, from 1. Zero is before the first event.
pub type Position = u64;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Its place in the log.
    pub position: Position,
    /// The kind of stream: `account`, `hold`, `reversal`, `book`.
    pub aggregate_type: String,
    /// The stream.
    pub aggregate_id: String,
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// Its type, in snake_case.
    pub event_type: String,
    /// Its version.
    pub event_version: String,
    /// Its payload: exactly the bytes that were hashed.
    pub payload: Vec<u8>,
    /// Its metadata: exactly the bytes that were hashed.
    pub metadata: Vec<u8>,
    /// When it was recorded. Never earlier than the event before; not an order.
    pub recorded_at: Timestamp,
    /// Its link of the chain.
    pub hash: Hash,
}

impl RecordedEvent {
    /// The hash that this event has if it follows `before`.
    pub fn hash_after(&self, before: &Hash) -> Hash {
        let fields = HashedFields {
            position: self.position,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            recorded_at: self.recorded_at,
            payload: &self.payload,
            metadata: &self.metadata,
        };
        hash::event_hash(before, &fields)
    }
}

/// The end of the log as somebody knows it: its last batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last batch; 0 for an empty log.
    pub batch: u64,
    /// The position of the last event; 0 for an empty log.
    pub position: Position,
    /// The hash of the chain up to here.
    pub hash: Hash,
    /// When the last batch was recorded.
    pub recorded_at: Timestamp,
}
