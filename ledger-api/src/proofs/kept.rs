//! What is kept outside the database: the key that signs, and the notes that it signed.
//!
//! Whoever can write to the database can make the log, the tree and the stored checkpoints fit each
//! other. The notes in this folder are what he cannot reach: before anything new is signed, it must
//! go on from the last one of them. Copy them further away; a note is a few lines of text.

use std::{
    io,
    path::{Path, PathBuf},
};

use projections::audit::proof::{SignedCheckpoint, Signer};

use super::maker::MakeError;
use crate::setup::{Secret, SecretError, write_private};

/// The file with the last note.
const LATEST: &str = "latest.note";

/// The key in a file, which is made if there is none.
///
/// # Errors
/// [`SecretError`] if the file can't be read or written, or others can read it, or holds no key.
pub fn read_key(file: &Path) -> Result<Signer, SecretError> {
    let secret = match Secret::read(file)? {
        Some(secret) => secret,
        None => Secret::generate().write_new(file)?,
    };
    Ok(Signer::of(secret.bytes()))
}

/// The folder with the notes: one file each, by day, and the last one once more.
#[derive(Debug, Clone)]
pub struct KeptNotes(PathBuf);

impl KeptNotes {
    /// The notes of a folder, which need not be there yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The last note; nothing if none was kept yet.
    ///
    /// # Errors
    /// [`MakeError::Kept`] if it can't be read, [`MakeError::KeptNote`] if it is none.
    pub fn latest(&self) -> Result<Option<SignedCheckpoint>, MakeError> {
        let file = self.0.join(LATEST);
        let text = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|source| MakeError::Kept { file: file.clone(), source })?,
        };
        let note = SignedCheckpoint::parse(&text);
        note.map(Some).map_err(|source| MakeError::KeptNote { file, source })
    }

    /// Keeps a note, or keeps it again with more signatures.
    ///
    /// # Errors
    /// [`MakeError::Kept`] if it can't be written.
    pub fn keep(&self, note: &SignedCheckpoint, day: &str) -> Result<(), MakeError> {
        let text = note.to_string();
        let own = self.0.join(day).join(format!("{:020}.note", note.size()));
        for file in [own, self.0.join(LATEST)] {
            let written = write_private(&file, &text, true);
            written.map_err(|source| MakeError::Kept { file, source })?;
        }
        Ok(())
    }
}
