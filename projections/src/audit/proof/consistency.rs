//! A proof in a file, that one signed checkpoint goes on from another: whoever kept the first
//! learns that nothing before it was changed, cut off or put in, without the log.

use serde::{Deserialize, Serialize};

use super::{
    ProofError,
    checkpoint::SignedCheckpoint,
    file::parse_hash,
    keys::{LogKey, WitnessKey},
    merkle::Hash,
    path::verify_consistency,
};

/// What the file calls itself.
pub const CONSISTENCY_FORMAT: &str = "bahi.consistency.1";

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyFile {
    /// Always [`CONSISTENCY_FORMAT`].
    pub format: String,
    /// The size of the smaller tree.
    pub from: u64,
    /// The size of the larger tree.
    pub to: u64,
    /// The hashes, as RFC 9162, 2.1.4 has them, in hexadecimal.
    pub path: Vec<String>,
    /// The signed note of the smaller one.
    pub from_checkpoint: String,
    /// The signed note of the larger one.
    pub to_checkpoint: String,
}

impl ConsistencyFile {
    /// A proof of its parts.
    pub fn new(path: &[Hash], from: &SignedCheckpoint, to: &SignedCheckpoint) -> Self {
        Self {
            format: CONSISTENCY_FORMAT.to_owned(),
            from: from.size(),
            to: to.size(),
            path: path.iter().map(hex::encode).collect(),
            from_checkpoint: from.to_string(),
            to_checkpoint: to.to_string(),
        }
    }

    /// Whether a file says that it is one.
    pub fn is_one(json: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Said {
            format: String,
        }
        serde_json::from_slice(json).is_ok_and(|said: Said| said.format == CONSISTENCY_FORMAT)
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// [`ProofError`] if it is none.
    pub fn from_json(json: &[u8]) -> Result<Self, ProofError> {
        let proof: Self = serde_json::from_slice(json)?;
        if proof.format == CONSISTENCY_FORMAT { Ok(proof) } else { Err(ProofError::Format) }
    }

    /// Checks everything: both signatures, the witnesses' words, that both are of one log, the
    /// path. It gives the checkpoints.
    ///
    /// # Errors
    /// [`ProofError`], which says what does not hold.
    pub fn check(
        &self,
        keys: &[LogKey],
        witnesses: &[WitnessKey],
    ) -> Result<(SignedCheckpoint, SignedCheckpoint), ProofError> {
        let from = Self::note(&self.from_checkpoint, self.from, keys, witnesses)?;
        let to = Self::note(&self.to_checkpoint, self.to, keys, witnesses)?;
        let hashes = self.path.iter().map(|hash| parse_hash(hash));
        let path: Vec<Hash> = hashes.collect::<Option<_>>().ok_or(ProofError::Field("path"))?;
        let goes_on = from.origin() == to.origin()
            && verify_consistency((from.size(), from.root()), (to.size(), to.root()), &path);
        if goes_on { Ok((from, to)) } else { Err(ProofError::NotConsistent) }
    }

    fn note(
        text: &str,
        size: u64,
        keys: &[LogKey],
        witnesses: &[WitnessKey],
    ) -> Result<SignedCheckpoint, ProofError> {
        let note = SignedCheckpoint::parse(text)?;
        if note.size() != size {
            return Err(ProofError::Field("size"));
        }
        if !keys.iter().any(|key| note.is_signed_by(*key)) {
            return Err(ProofError::Unsigned);
        }
        match witnesses.iter().find(|witness| note.cosigned_at(witness).is_none()) {
            Some(silent) => Err(ProofError::NotCosigned(silent.name().to_owned())),
            None => Ok(note),
        }
    }
}
