//! A signed checkpoint: the root of the tree at a size, in the words of C2SP `tlog-checkpoint`.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::{
    keys::{LogKey, Signer, WitnessKey},
    merkle::Hash,
    note::{Note, NoteError, NoteSignature, is_name},
};

/// A head of the log with its signatures, of which nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    origin: String,
    size: u64,
    root: Hash,
    note: Note,
}

impl SignedCheckpoint {
    /// Signs a head.
    ///
    /// # Errors
    /// [`NoteError::Text`] if no log may be called so.
    pub fn sign(origin: &str, size: u64, root: &Hash, signer: &Signer) -> Result<Self, NoteError> {
        if !is_name(origin) {
            return Err(NoteError::Text);
        }
        let text = format!("{origin}\n{size}\n{}\n", BASE64_STANDARD.encode(root));
        let signatures = vec![signer.sign(origin, &text)];
        let note = Note { text, signatures };
        Ok(Self { origin: origin.to_owned(), size, root: *root, note })
    }

    /// Reads a note that is a checkpoint.
    ///
    /// # Errors
    /// [`NoteError`] if it is none.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let note = Note::parse(text)?;
        let mut lines = note.text.lines();
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Text);
        };
        // What else a log may say stands in lines of its own, which are signed as they are.
        if !is_name(origin) || lines.any(str::is_empty) {
            return Err(NoteError::Text);
        }
        let size = parse_size(size).ok_or(NoteError::Text)?;
        let root = parse_hash(root).ok_or(NoteError::Text)?;
        Ok(Self { origin: origin.to_owned(), size, root, note })
    }

    /// Which log it is of.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many events: the last position.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub const fn root(&self) -> &Hash {
        &self.root
    }

    /// What is signed.
    pub fn text(&self) -> &str {
        &self.note.text
    }

    /// Its signatures.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.note.signatures
    }

    /// Adds a signature, unless it is there.
    pub fn add(&mut self, signature: NoteSignature) {
        if !self.note.signatures.contains(&signature) {
            self.note.signatures.push(signature);
        }
    }

    /// Whether the log's key signed it.
    pub fn is_signed_by(&self, key: LogKey) -> bool {
        let mut lines = self.note.signatures.iter();
        lines.any(|line| key.verifies(&self.origin, line, &self.note.text))
    }

    /// When the witness cosigned it, in seconds since 1970; nothing if it did not.
    pub fn cosigned_at(&self, witness: &WitnessKey) -> Option<u64> {
        let lines = self.note.signatures.iter();
        lines.filter_map(|line| witness.cosigned_at(line, &self.note.text)).max()
    }
}

impl std::fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.note.fmt(f)
    }
}

/// A number in its one form: decimal, without a sign or zeros before it.
fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size.to_string() == text && i64::try_from(size).is_ok()).then_some(size)
}

fn parse_hash(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok()
}
