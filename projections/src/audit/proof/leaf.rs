//! What a leaf of the tree is: an event with all its columns, and its link of the chain.
//!
//! The bytes can be made from one exported line of the event, so that whoever has a receipt needs
//! only the events that it is about. They hold the chain's hash, which stands for everything before
//! the event; so a signed root binds all that the chain binds, batches without events included.

use super::{
    super::{hash::part, record::Event},
    merkle::{Hash, leaf_hash},
};

const LEAF_TAG: &[u8] = b"bahi/leaf/1";

/// An event as the tree has it.
#[derive(Debug, Clone, Copy)]
pub struct LeafEvent<'a> {
    /// Its place in the log.
    pub position: i64,
    /// The kind of its stream.
    pub aggregate_type: &'a str,
    /// The stream's id.
    pub aggregate_id: &'a str,
    /// Its place in the stream.
    pub sequence: i64,
    /// The kind of fact.
    pub event_type: &'a str,
    /// The version of its shape.
    pub event_version: &'a str,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    /// The stored bytes.
    pub payload: &'a [u8],
    /// The stored bytes.
    pub metadata: &'a [u8],
    /// Its link of the chain.
    pub hash: &'a [u8],
}

impl LeafEvent<'_> {
    /// The bytes of the leaf.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(512 + self.payload.len() + self.metadata.len());
        part(&mut bytes, LEAF_TAG);
        bytes.extend_from_slice(&self.position.to_be_bytes());
        part(&mut bytes, self.aggregate_type.as_bytes());
        part(&mut bytes, self.aggregate_id.as_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        part(&mut bytes, self.event_type.as_bytes());
        part(&mut bytes, self.event_version.as_bytes());
        bytes.extend_from_slice(&self.recorded_at.to_be_bytes());
        part(&mut bytes, self.payload);
        part(&mut bytes, self.metadata);
        part(&mut bytes, self.hash);
        bytes
    }

    /// The hash of the leaf.
    pub fn leaf_hash(&self) -> Hash {
        leaf_hash(&self.bytes())
    }
}

impl<'a> From<&Event<'a>> for LeafEvent<'a> {
    fn from(event: &Event<'a>) -> Self {
        Self {
            position: event.position,
            aggregate_type: event.aggregate_type,
            aggregate_id: event.aggregate_id,
            sequence: event.sequence,
            event_type: event.event_type,
            event_version: event.event_version,
            recorded_at: event.recorded_at,
            payload: event.payload,
            metadata: event.metadata,
            hash: event.hash,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_test_vector_holds() {
        let hash = hex::decode("ff8cd0299e55bfb4897fedd8a3bb09e13c7918c90c4a51165cde4113683bc418")
            .unwrap();
        let leaf = LeafEvent {
            position: 1,
            aggregate_type: "account",
            aggregate_id: "wallet:asha:INR",
            sequence: 1,
            event_type: "closed",
            event_version: "1.0",
            recorded_at: 1_795_356_135_000_001,
            payload: b"{}",
            metadata: b"{\"actor\":\"till\"}",
            hash: &hash,
        };
        assert_eq!(
            hex::encode(leaf.leaf_hash()),
            "36c4c4440ac4795c18e5aa372154defa465bc869267f0372138c4b63bcfedea2"
        );
    }
}
