//! Checkpoints and proofs on the wire.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, Utc};
use projections::audit::proof::{ConsistencyFile, ProofFile};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{http::Problem, proofs::StoredCheckpoint};

/// A signed head of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedCheckpoint)]
pub(super) struct CheckpointOut {
    /// Always `checkpoint`.
    #[schema(example = "checkpoint")]
    object: &'static str,
    /// What the log is called.
    #[schema(example = "bahi/2f6c1f0f2d5b8a11")]
    origin: String,
    /// How many events: the last position.
    size: u64,
    /// The root of the Merkle tree, base64.
    root: String,
    /// When it was made.
    made_at: DateTime<Utc>,
    /// The key that signed it, in hexadecimal.
    public_key: String,
    /// The witnesses that cosigned it.
    witnesses: Vec<String>,
    /// The signed note, as C2SP `tlog-checkpoint` has it.
    note: String,
}

impl From<StoredCheckpoint> for CheckpointOut {
    fn from(stored: StoredCheckpoint) -> Self {
        Self {
            object: "checkpoint",
            origin: stored.note.origin().to_owned(),
            size: stored.note.size(),
            root: BASE64_STANDARD.encode(stored.note.root()),
            made_at: stored.made_at,
            public_key: hex::encode(&stored.public_key),
            witnesses: stored.witnesses,
            note: stored.note.to_string(),
        }
    }
}

/// A proof that an event is in the log: a file for `bahi audit check`, which needs nothing else but
/// the log's key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InclusionProof)]
pub(crate) struct ProofOut {
    /// Always `bahi.proof.1`.
    #[schema(example = "bahi.proof.1")]
    format: String,
    /// The event, as an export has it.
    #[schema(value_type = Object)]
    event: Box<RawValue>,
    /// The hashes beside its way to the root, from the leaf up, in hexadecimal.
    path: Vec<String>,
    /// The signed note with the root.
    checkpoint: String,
}

impl ProofOut {
    pub(crate) fn of(proof: ProofFile) -> Result<Self, Problem> {
        let event = serde_json::value::to_raw_value(&proof.event);
        Ok(Self {
            format: proof.format,
            event: event.map_err(|error| Problem::internal(&error))?,
            path: proof.path,
            checkpoint: proof.checkpoint,
        })
    }
}

/// A proof that one checkpoint goes on from another: a file for `bahi audit check`, which needs
/// nothing else but the log's key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConsistencyProof)]
pub(super) struct ConsistencyOut {
    /// Always `bahi.consistency.1`.
    #[schema(example = "bahi.consistency.1")]
    format: String,
    /// The size of the smaller tree.
    from: u64,
    /// The size of the larger tree.
    to: u64,
    /// The hashes, as RFC 9162, 2.1.4 has them, in hexadecimal.
    path: Vec<String>,
    /// The signed note of the smaller one.
    from_checkpoint: String,
    /// The signed note of the larger one.
    to_checkpoint: String,
}

impl From<ConsistencyFile> for ConsistencyOut {
    fn from(file: ConsistencyFile) -> Self {
        let ConsistencyFile { format, from, to, path, from_checkpoint, to_checkpoint } = file;
        Self { format, from, to, path, from_checkpoint, to_checkpoint }
    }
}
