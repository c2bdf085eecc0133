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
    let mut sha = Sha256::new();
    part(&mut sha, EVENT_TAG);
    sha.update(before);
    sha.update(event.position.to_be_bytes());
    part(&mut sha, event.aggregate_type.as_bytes());
    part(&mut sha, event.aggregate_id.as_bytes());
    sha.update(event.sequence.to_be_bytes());
    part(&mut sha, event.event_type.as_bytes());
    part(&mut sha, event.event_version.as_bytes());
    sha.update(event.recorded_at.to_be_bytes());
    part(&mut sha, event.payload);
    part(&mut sha, event.metadata);
    sha.finalize().into()
}

/// The hash of batch `number`, which has no events, after `before`.
pub(super) fn empty_batch(before: &Hash, number: i64) -> Hash {
    let mut sha = Sha256::new();
    part(&mut sha, BATCH_TAG);
    sha.update(before);
    sha.update(number.to_be_bytes());
    sha.finalize().into()
}

fn part(sha: &mut Sha256, bytes: &[u8]) {
    // PostgreSQL holds no value of 4 GiB, so that a length always fits.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    sha.update(length.to_be_bytes());
    sha.update(bytes);
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
