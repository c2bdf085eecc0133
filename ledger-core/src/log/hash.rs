//! The hash chain over the log: SHA-256, each event's hash over the one before it.
//!
//! Every field is fixed in width or has its length before it, so no two different logs hash the
//! same bytes. Integers are 8 bytes big-endian, lengths 4 bytes big-endian. The test vector below
//! is published in docs/events.md; anybody can check it with any SHA-256.

use sha2::{Digest, Sha256};

use super::Position;
use crate::clock::Timestamp;

/// A hash of the chain.
pub type Hash = [u8; 32];

/// What the chain starts from: the head of an empty log.
pub const GENESIS: Hash = [0; 32];

const EVENT_TAG: &[u8] = b"bahi/event/1";
const BATCH_TAG: &[u8] = b"bahi/batch/1";

/// What is hashed of an event.
#[derive(Debug, Clone, Copy)]
pub struct HashedFields<'a> {
    /// Its place in the log.
    pub position: Position,
    /// The kind of stream.
    pub aggregate_type: &'a str,
    /// The stream.
    pub aggregate_id: &'a str,
    /// Its place in the stream, from 1.
    pub sequence: u64,
    /// Its type.
    pub event_type: &'a str,
    /// Its version.
    pub event_version: &'a str,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its payload, byte for byte.
    pub payload: &'a [u8],
    /// Its metadata, byte for byte.
    pub metadata: &'a [u8],
}

/// The hash of an event that follows `before`.
pub fn event_hash(before: &Hash, event: &HashedFields<'_>) -> Hash {
    let mut hasher = Sha256::new();
    part(&mut hasher, EVENT_TAG);
    hasher.update(before);
    hasher.update(event.position.to_be_bytes());
    part(&mut hasher, event.aggregate_type.as_bytes());
    part(&mut hasher, event.aggregate_id.as_bytes());
    hasher.update(event.sequence.to_be_bytes());
    part(&mut hasher, event.event_type.as_bytes());
    part(&mut hasher, event.event_version.as_bytes());
    hasher.update(event.recorded_at.timestamp_micros().to_be_bytes());
    part(&mut hasher, event.payload);
    part(&mut hasher, event.metadata);
    hasher.finalize().into()
}

/// The head after a batch without events: the head before, with the batch's number mixed in.
pub fn empty_batch_hash(before: &Hash, number: u64) -> Hash {
    let mut hasher = Sha256::new();
    part(&mut hasher, BATCH_TAG);
    hasher.update(before);
    hasher.update(number.to_be_bytes());
    hasher.finalize().into()
}

fn part(hasher: &mut Sha256, bytes: &[u8]) {
    // Bodies are bounded far below 4 GiB; a longer one could not be in the table.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    hasher.update(length.to_be_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector() -> HashedFields<'static> {
        HashedFields {
            position: 1,
            aggregate_type: "account",
            aggregate_id: "wallet:asha:INR",
            sequence: 1,
            event_type: "closed",
            event_version: "1.0",
            recorded_at: chrono::DateTime::from_timestamp_micros(1_795_356_135_000_001).unwrap(),
            payload: b"{}",
            metadata: b"{\"actor\":\"till\"}",
        }
    }

    #[test]
    fn the_published_test_vectors_hold() {
        // Made by an independent implementation; docs/events.md shows how.
        let expected = "ff8cd0299e55bfb4897fedd8a3bb09e13c7918c90c4a51165cde4113683bc418";
        assert_eq!(hex::encode(event_hash(&GENESIS, &vector())), expected);
        let empty = "d2d67b7c01933f15f12f5ac7ef0d86dbfc0f97816f08a46e59c095f1f540e74d";
        assert_eq!(hex::encode(empty_batch_hash(&GENESIS, 7)), empty);
    }

    #[test]
    fn every_field_is_part_of_the_hash() {
        let base = event_hash(&GENESIS, &vector());
        let mut changed = vec![event_hash(&[1; 32], &vector())];
        let mut change = |edit: fn(&mut HashedFields<'static>)| {
            let mut fields = vector();
            edit(&mut fields);
            changed.push(event_hash(&GENESIS, &fields));
        };
        change(|f| f.position = 2);
        change(|f| f.aggregate_type = "hold");
        change(|f| f.aggregate_id = "wallet:asha:USD");
        change(|f| f.sequence = 2);
        change(|f| f.event_type = "opened");
        change(|f| f.event_version = "1.1");
        change(|f| f.recorded_at += chrono::TimeDelta::microseconds(1));
        change(|f| f.payload = b"{ }");
        change(|f| f.metadata = b"{}");
        changed.push(base);
        let all = changed.len();
        changed.sort_unstable();
        changed.dedup();
        assert_eq!(changed.len(), all, "two different inputs hashed alike");
    }
}
