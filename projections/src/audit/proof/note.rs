//! Signed notes, as C2SP `signed-note` has them: a text, an empty line, lines with signatures.
//!
//! Read strictly: what two readers could take for two different notes is none.

use base64::{Engine, prelude::BASE64_STANDARD};

/// More signatures than anybody asks for.
const SIGNATURES_MAX: usize = 64;
/// No note of ours comes near it.
const NOTE_BYTES_MAX: usize = 64 << 10;

/// A text with signatures, of which nothing is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed, with its last line feed.
    pub text: String,
    /// The signatures, in their order.
    pub signatures: Vec<NoteSignature>,
}

/// A line with a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Whose it is said to be.
    pub name: String,
    /// The first bytes of the hash of name and key.
    pub key_id: [u8; 4],
    /// The signature's bytes, as its kind of key has them.
    pub signature: Vec<u8>,
}

/// Why a text is no note, or no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It is longer than notes are.
    #[error("the note is too long")]
    TooLong,
    /// It has characters that no note has.
    #[error("the note has a control character or does not end with a line feed")]
    Malformed,
    /// There is no empty line between the text and the signatures, or nothing after it.
    #[error("the note has no signatures")]
    Unsigned,
    /// A line after the text is no signature.
    #[error("a line of the note is no signature")]
    Signature,
    /// It has more signatures than anybody asks for.
    #[error("the note has too many signatures")]
    TooMany,
    /// The text is not origin, size and root.
    #[error("the note's text is no checkpoint: origin, size and root, a line each")]
    Text,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`NoteError`] if it is none.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong);
        }
        if !text.ends_with('\n') || text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Malformed);
        }
        // The last empty line: a text may have some of its own.
        let at = text.rfind("\n\n").ok_or(NoteError::Unsigned)?;
        let (text, lines) = text.split_at(at + 1);
        let signatures: Vec<NoteSignature> = lines
            .get(1..)
            .unwrap_or_default()
            .lines()
            .map(NoteSignature::parse)
            .collect::<Result<_, _>>()?;
        match signatures.len() {
            0 => Err(NoteError::Unsigned),
            1..=SIGNATURES_MAX => Ok(Self { text: text.to_owned(), signatures }),
            _ => Err(NoteError::TooMany),
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// [`NoteError::Signature`] if it is none.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("— ").ok_or(NoteError::Signature)?;
        let (name, base64) = rest.split_once(' ').ok_or(NoteError::Signature)?;
        let bytes = BASE64_STANDARD.decode(base64).map_err(|_| NoteError::Signature)?;
        let (key_id, signature) = bytes.split_first_chunk().ok_or(NoteError::Signature)?;
        if !is_name(name) || signature.is_empty() {
            return Err(NoteError::Signature);
        }
        Ok(Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&self.key_id[..], &self.signature].concat();
        write!(f, "— {} {}", self.name, BASE64_STANDARD.encode(bytes))
    }
}

/// Whether a key may have this name.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}
