//! The hashes of the chain, made from docs/events.md and nothing else.

use sha2::{Digest, Sha256};

use super::record::Event;

pub(super) type Hash = [u8; 32];

/// What the chain starts from.
pub(super) const START: Hash = [0; 32];

const EVENT_TAG: &[u8] = b"bahi/event/1";
const BATCH_TAG: &[u8] = b"bahi/batch/1";

/// The hash of `event` after `before`.
pub(super) fn event(before: &Hash, event: &Event<'_>) -> Hash {
    // Hashed in one piece, which is cheaper than many small ones.
    let mut bytes = Vec::with_capacity(512 + event.payload.len() + event.metadata.len());
    part(&mut bytes, EVENT_TAG);
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(&event.position.to_be_bytes());
    part(&mut bytes, event.aggregate_type.as_bytes());
    part(&mut bytes, event.aggregate_id.as_bytes());
    bytes.extend_from_slice(&event.sequence.to_be_bytes());
    part(&mut bytes, event.event_type.as_bytes());
    part(&mut bytes, event.event_version.as_bytes());
    bytes.extend_from_slice(&event.recorded_at.to_be_bytes());
    part(&mut bytes, event.payload);
    part(&mut bytes, event.metadata);
    Sha256::digest(&bytes).into()
}

/// The hash of batch `number`, which has no events, after `before`.
pub(super) fn empty_batch(before: &Hash, number: i64) -> Hash {
    let mut bytes = Vec::with_capacity(64);
    part(&mut bytes, BATCH_TAG);
    bytes.extend_from_slice(before);
    bytes.extend_from_slice(&number.to_be_bytes());
    Sha256::digest(&bytes).into()
}

/// Adds bytes after their length, so that where one part ends is never in doubt.
pub(super) fn part(all: &mut Vec<u8>, bytes: &[u8]) {
    // PostgreSQL holds no value of 4 GiB, so that a length always fits.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    all.extend_from_slice(&length.to_be_bytes());
    all.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vectors_hold() {
        let vector = Event {
            position: 1,
            aggregate_type: "account",
            aggregate_id: "wallet:asha:INR",
            sequence: 1,
            event_type: "closed",
            event_version: "1.0",
            recorded_at: 1_795_356_135_000_001,
            payload: b"{}",
            metadata: b"{\"actor\":\"till\"}",
            hash: b"",
        };
        assert_eq!(
            hex::encode(event(&START, &vector)),
            "ff8cd0299e55bfb4897fedd8a3bb09e13c7918c90c4a51165cde4113683bc418"
        );
        assert_eq!(
            hex::encode(empty_batch(&START, 7)),
            "d2d67b7c01933f15f12f5ac7ef0d86dbfc0f97816f08a46e59c095f1f540e74d"
        );
    }
}
