//! Bodies as they are kept: sealed, each under a data key of its own.
//!
//! The intake wraps that key under the installation's; it knows nobody's name. Whoever finds out
//! later whose the body is has it wrapped under that subject's data key instead, and from then on
//! the body opens while the subject has one. The bytes themselves are never written again.
//!
//! What came before bodies were sealed has no key, and stands as it came.

use ledger_core::ids::Owner;

use crate::vault::{DataKey, Purpose, SubjectKeys, VaultError, WrappingKey};

const BODY: &str = "bahi:inbox-body:1";
const KEY: &str = "bahi:inbox-body-key:1";

/// Which body it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) bank: &'a str,
    pub(super) event_id: &'a str,
    pub(super) body_sha256: &'a [u8],
}

/// A body as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) body: Vec<u8>,
    /// The wrapped key; nothing if it is not sealed.
    pub(super) key: Option<Vec<u8>>,
    /// Under whose data key that is; nothing if it is under the installation's.
    pub(super) subject: Option<String>,
}

/// A body that was opened, as far as it can be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Bytes(Vec<u8>),
    /// The subject was erased, and the body with it.
    Erased,
    /// It is not what was sealed, or not with this installation's secret.
    Unreadable,
}

impl Of<'_> {
    fn parts(&self) -> [&[u8]; 3] {
        [self.bank.as_bytes(), self.event_id.as_bytes(), self.body_sha256]
    }

    /// The field of a subject's that the key of this body is.
    fn field(&self) -> String {
        format!("inbox-body/{}/{}/{}", self.bank, hex::encode(self.body_sha256), self.event_id)
    }
}

/// The sealed body and its wrapped key; nothing if it is too large.
pub(super) fn seal(wrapping: &WrappingKey, of: Of<'_>, body: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = DataKey::generate();
    let sealed = key.seal(Purpose { name: BODY, parts: &of.parts() }, body)?;
    let wrapped = wrapping.wrap(Purpose { name: KEY, parts: &of.parts() }, &key)?;
    Some((sealed, wrapped))
}

/// Opens a body.
///
/// # Errors
/// What the database says, where the key is a subject's.
pub(super) async fn open(keys: &SubjectKeys, of: Of<'_>, kept: Kept) -> sqlx::Result<Opened> {
    let Kept { body, key, subject } = kept;
    let Some(wrapped) = key else { return Ok(Opened::Bytes(body)) };
    let key = match subject {
        None => keys.wrapping().unwrap(Purpose { name: KEY, parts: &of.parts() }, &wrapped),
        Some(subject) => {
            let Ok(subject) = subject.parse::<Owner>() else { return Ok(Opened::Unreadable) };
            match keys.open(&subject, &of.field(), &wrapped).await {
                Ok(bytes) => DataKey::from_bytes(&bytes),
                Err(VaultError::Erased) => return Ok(Opened::Erased),
                Err(VaultError::Tampered | VaultError::TooLarge) => None,
                Err(VaultError::Database(error)) => return Err(error),
            }
        }
    };
    let opened = key.and_then(|key| key.open(Purpose { name: BODY, parts: &of.parts() }, &body));
    Ok(opened.map_or(Opened::Unreadable, Opened::Bytes))
}

/// The key of a body that belongs to nobody, wrapped under a subject's instead. Nothing if it does
/// not open as it is.
///
/// # Errors
/// [`VaultError`]; [`VaultError::Erased`] if the subject was erased.
pub(super) async fn assigned(
    keys: &SubjectKeys,
    of: Of<'_>,
    wrapped: &[u8],
    subject: &Owner,
) -> Result<Option<Vec<u8>>, VaultError> {
    let key = keys.wrapping().unwrap(Purpose { name: KEY, parts: &of.parts() }, wrapped);
    let Some(key) = key else { return Ok(None) };
    keys.seal(subject, &of.field(), key.bytes()).await.map(Some)
}
