//! The secret that fingerprints of requests are keyed with, and from which other keys follow: 32
//! bytes in a file, made on the first run.
//!
//! A stored fingerprint tells whether a key came back with the same request. Were it a plain hash,
//! whoever reads the database could guess requests until one fits. The secret is not in the
//! database, so that a copy of the database is not enough.
//!
//! It is never replaced: with another secret each request that comes back looks like another
//! request. Therefore the database keeps the secret's id (not the secret), and the service refuses
//! to start with a secret that has another one. The file is hexadecimal, to survive being copied by
//! hand into a store for secrets.

use std::{
    fmt, fs, io,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::vault::mac;

/// What the key of batches is derived for.
const BATCH_KEY_DOMAIN: &[u8] = b"bahi:batch-key:1";
const BYTES: usize = 32;
/// Whoever may do more than the owner and read more than the group may: not for a secret.
const TOO_OPEN: u32 = 0o027;

/// 32 secret bytes.
#[derive(Clone)]
pub struct Secret([u8; BYTES]);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.key_id())
    }
}

/// Why there is no secret to work with.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read or written.
    #[error("the secret's file {} could not be {action}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was attempted.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read it.
    #[error("others may read the secret's file {}: chmod 600 it", .file.display())]
    Open {
        /// The file.
        file: PathBuf,
    },
    /// It is something else.
    #[error(
        "the secret's file {} is no secret: it must hold 64 hexadecimal digits, not all alike \
         (make one with: openssl rand -hex 32)", .file.display()
    )]
    Malformed {
        /// The file.
        file: PathBuf,
    },
}

impl Secret {
    /// Fresh and random.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The bytes, to key a hash with.
    pub const fn bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// The key that batches of the log are authenticated with. Follows from the secret, so that no
    /// database has it.
    pub fn batch_key(&self) -> [u8; BYTES] {
        mac(&self.0, &[BATCH_KEY_DOMAIN])
    }

    /// What tells one secret from another without telling the secret.
    pub fn key_id(&self) -> String {
        let id =
            Sha256::new().chain_update(b"bahi/fingerprint-key/1").chain_update(self.0).finalize();
        hex::encode(id.get(..8).unwrap_or_default())
    }

    /// Reads the file; nothing if there is none.
    ///
    /// # Errors
    /// [`SecretError`] if it can't be read, or others can, or it holds no secret.
    pub fn read(file: &Path) -> Result<Option<Self>, SecretError> {
        let failed = |source| SecretError::File { file: file.to_owned(), action: "read", source };
        let metadata = match fs::metadata(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        if metadata.permissions().mode() & TOO_OPEN != 0 {
            let file = file.to_owned();
            return Err(SecretError::Open { file });
        }
        let text = fs::read(file).map_err(failed)?;
        let secret =
            Self::parse(&text).ok_or_else(|| SecretError::Malformed { file: file.to_owned() })?;
        Ok(Some(secret))
    }

    fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; BYTES];
        hex::decode_to_slice(text.trim_ascii(), &mut bytes).ok()?;
        let alike = bytes.iter().all(|byte| Some(byte) == bytes.first());
        (!alike).then_some(Self(bytes))
    }

    /// Writes it where no file is yet, whole or not at all, and returns what is there afterwards:
    /// another process may have been first.
    ///
    /// # Errors
    /// [`SecretError`] if it can't be written, or what is there is no secret.
    pub fn write_new(&self, file: &Path) -> Result<Self, SecretError> {
        let failed =
            |source| SecretError::File { file: file.to_owned(), action: "written", source };
        write_private(file, &format!("{}\n", hex::encode(self.0)), false).map_err(failed)?;
        let there = Self::read(file)?;
        there.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
    }
}

/// Writes a file that only its owner can read, whole or not at all. Unless `replace`, a file that
/// is there stays as it is.
///
/// # Errors
/// What the system says.
pub fn write_private(file: &Path, text: &str, replace: bool) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let unfinished = file.with_file_name(name);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut opened = options.open(&unfinished)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    if replace {
        return fs::rename(&unfinished, file);
    }
    // A link, unlike a rename, refuses to replace.
    let linked = fs::hard_link(&unfinished, file);
    fs::remove_file(&unfinished)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_mode(file: &Path, mode: u32) {
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_one_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/secret");
        assert!(Secret::read(&file).unwrap().is_none());
        let first = Secret::generate();
        assert_eq!(first.write_new(&file).unwrap().bytes(), first.bytes());
        let second = Secret::generate().write_new(&file).unwrap();
        assert_eq!(second.bytes(), first.bytes());
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn case_184_a_weak_or_open_secret_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        let digits = "0123456789abcdef".repeat(4);
        for bad in ["", "secret", &"00".repeat(32), &"ab".repeat(31), &"zz".repeat(32)] {
            write_private(&file, bad, true).unwrap();
            let error = Secret::read(&file).unwrap_err();
            assert!(matches!(error, SecretError::Malformed { .. }), "{bad}");
        }
        write_private(&file, &digits, true).unwrap();
        assert!(Secret::read(&file).unwrap().is_some());
        for open in [0o644, 0o620, 0o604] {
            set_mode(&file, open);
            let error = Secret::read(&file).unwrap_err();
            assert!(matches!(error, SecretError::Open { .. }), "{open:o}");
        }
        set_mode(&file, 0o440);
        assert!(Secret::read(&file).unwrap().is_some());
    }

    #[test]
    fn the_id_tells_secrets_apart_and_tells_nothing_else() {
        let (a, b) = (Secret::generate(), Secret::generate());
        assert_ne!(a.key_id(), b.key_id());
        assert_eq!(a.key_id().len(), 16);
        assert!(!format!("{a:?}").contains(&hex::encode(a.bytes())));
        assert_ne!(a.batch_key(), b.batch_key());
        assert_ne!(a.batch_key(), *a.bytes());
    }
}
