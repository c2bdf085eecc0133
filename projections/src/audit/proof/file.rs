//! A proof in one file: an event, its path through the tree, and a signed checkpoint. With the key
//! of the log, that is all that anybody needs.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    super::{export::exact, time},
    checkpoint::SignedCheckpoint,
    keys::{LogKey, WitnessKey},
    leaf::LeafEvent,
    merkle::Hash,
    note::NoteError,
    path::verify_inclusion,
};

/// The first field of a proof.
pub const PROOF_FORMAT: &str = "bahi.proof.1";

/// A proof that an event is in the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofFile {
    /// What this is.
    pub format: String,
    /// The event, as an export has it.
    pub event: ProvenEvent,
    /// The hashes beside its way to the root, from the leaf up, in hexadecimal.
    pub path: Vec<String>,
    /// The signed note with the root.
    pub checkpoint: String,
}

/// An event with its exact bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenEvent {
    /// Its place in the log.
    pub position: i64,
    /// The kind of its stream.
    pub aggregate_type: String,
    /// The stream's id.
    pub aggregate_id: String,
    /// Its place in the stream.
    pub sequence: i64,
    /// The kind of fact.
    pub event_type: String,
    /// The version of its shape.
    pub event_version: String,
    /// When it was recorded.
    pub recorded_at: String,
    /// The stored bytes, where JSON can hold them unchanged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payload: Option<Box<RawValue>>,
    /// The stored bytes otherwise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payload_base64: Option<String>,
    /// The stored bytes, where JSON can hold them unchanged.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata: Option<Box<RawValue>>,
    /// The stored bytes otherwise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata_base64: Option<String>,
    /// Its link of the chain.
    pub hash: String,
}

/// Why a proof shows nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is not a proof.
    #[error("this is not a proof")]
    Json(#[from] serde_json::Error),
    /// It is one of another kind.
    #[error("this is not a proof of the kind {PROOF_FORMAT}")]
    Format,
    /// A field of the event or a hash of the path cannot be.
    #[error("the proof's {0} is malformed")]
    Field(&'static str),
    /// Its checkpoint is none.
    #[error("the proof's checkpoint is none")]
    Note(#[from] NoteError),
    /// No key that was given has signed the checkpoint.
    #[error("the checkpoint is not signed by the key")]
    Unsigned,
    /// A witness that was asked for has not cosigned it.
    #[error("the checkpoint is not cosigned by {0}")]
    NotCosigned(String),
    /// The path does not lead from the event to the root.
    #[error("the event is not in the log of the checkpoint: it or its path was changed")]
    NotIncluded,
    /// The path does not lead from the one root to the other.
    #[error("the later checkpoint does not go on from the earlier: one of them is of another log")]
    NotConsistent,
}

impl ProvenEvent {
    /// The event of a leaf.
    pub fn of(event: &LeafEvent<'_>) -> Self {
        let (payload, payload_base64) = exact(event.payload);
        let (metadata, metadata_base64) = exact(event.metadata);
        Self {
            position: event.position,
            aggregate_type: event.aggregate_type.to_owned(),
            aggregate_id: event.aggregate_id.to_owned(),
            sequence: event.sequence,
            event_type: event.event_type.to_owned(),
            event_version: event.event_version.to_owned(),
            recorded_at: time::text(event.recorded_at),
            payload: payload.map(ToOwned::to_owned),
            payload_base64,
            metadata: metadata.map(ToOwned::to_owned),
            metadata_base64,
            hash: hex::encode(event.hash),
        }
    }

    /// The hash of its leaf.
    ///
    /// # Errors
    /// [`ProofError::Field`] if a field cannot be.
    pub fn leaf_hash(&self) -> Result<Hash, ProofError> {
        let field = |name| move || ProofError::Field(name);
        let payload = bytes(self.payload.as_deref(), self.payload_base64.as_deref());
        let metadata = bytes(self.metadata.as_deref(), self.metadata_base64.as_deref());
        let leaf = LeafEvent {
            position: self.position,
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence,
            event_type: &self.event_type,
            event_version: &self.event_version,
            recorded_at: time::parse(&self.recorded_at).ok_or_else(field("recorded_at"))?,
            payload: &payload.ok_or_else(field("payload"))?,
            metadata: &metadata.ok_or_else(field("metadata"))?,
            hash: &parse_hash(&self.hash).ok_or_else(field("hash"))?,
        };
        Ok(leaf.leaf_hash())
    }
}

impl ProofFile {
    /// A proof of its parts.
    pub fn new(event: ProvenEvent, path: &[Hash], checkpoint: &SignedCheckpoint) -> Self {
        Self {
            format: PROOF_FORMAT.to_owned(),
            event,
            path: path.iter().map(hex::encode).collect(),
            checkpoint: checkpoint.to_string(),
        }
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofError`] if it is none.
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        let proof: Self = serde_json::from_slice(json)?;
        if proof.format == PROOF_FORMAT { Ok(proof) } else { Err(ProofError::Format) }
    }

    /// Checks everything: the key's signature, the witnesses' words, the path. It gives the
    /// checkpoint.
    ///
    /// # Errors
    /// [`ProofError`], which says what does not hold.
    pub fn check(
        &self,
        keys: &[LogKey],
        witnesses: &[WitnessKey],
    ) -> Result<SignedCheckpoint, ProofError> {
        let checkpoint = SignedCheckpoint::parse(&self.checkpoint)?;
        if !keys.iter().any(|key| checkpoint.is_signed_by(*key)) {
            return Err(ProofError::Unsigned);
        }
        if let Some(silent) = witnesses.iter().find(|w| checkpoint.cosigned_at(w).is_none()) {
            return Err(ProofError::NotCosigned(silent.name().to_owned()));
        }
        let leaf = self.event.leaf_hash()?;
        let hashes = self.path.iter().map(|hash| parse_hash(hash));
        let path: Vec<Hash> = hashes.collect::<Option<_>>().ok_or(ProofError::Field("path"))?;
        let index = self.event.position.checked_sub(1).and_then(|index| u64::try_from(index).ok());
        let index = index.ok_or(ProofError::Field("position"))?;
        if verify_inclusion(&leaf, index, checkpoint.size(), checkpoint.root(), &path) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded)
        }
    }
}

fn bytes(raw: Option<&RawValue>, base64: Option<&str>) -> Option<Vec<u8>> {
    match (raw, base64) {
        (Some(raw), None) => Some(raw.get().as_bytes().to_vec()),
        (None, Some(text)) => BASE64_STANDARD.decode(text).ok(),
        (None, None) | (Some(_), Some(_)) => None,
    }
}

pub(super) fn parse_hash(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    (lower && hex::decode_to_slice(text, &mut hash).is_ok()).then_some(hash)
}
