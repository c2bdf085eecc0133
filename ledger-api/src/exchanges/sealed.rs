//! The bodies of an exchange as they are kept: sealed under a data key of the exchange's own, and
//! that under the key of whom it is about, or under the installation's where it is about nobody.

use ledger_core::ids::Owner;
use uuid::Uuid;

use crate::vault::{DataKey, Purpose, SubjectKeys, VaultError};

const BODY: &str = "bahi:bank-exchange:1";
const KEY: &str = "bahi:bank-exchange-key:1";
const REQUEST: &[u8] = b"request";
const ANSWER: &[u8] = b"answer";

/// A body that was opened, as far as it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// As it was sent or came; empty if there was none.
    Bytes(Vec<u8>),
    /// Its subject was erased.
    Erased,
    /// It is not what was sealed, or not with this installation's secret.
    Unreadable,
}

/// Both bodies, sealed.
pub(super) struct Sealed {
    pub(super) request: Vec<u8>,
    pub(super) answer: Vec<u8>,
    /// What opens them, not sealed yet.
    pub(super) key: DataKey,
}

/// Seals both under a fresh key; nothing if they are too large.
pub(super) fn seal(id: Uuid, request: &[u8], answer: &[u8]) -> Option<Sealed> {
    let key = DataKey::generate();
    let request = key.seal(purpose(&[id.as_bytes(), REQUEST]), request)?;
    let answer = key.seal(purpose(&[id.as_bytes(), ANSWER]), answer)?;
    Some(Sealed { request, answer, key })
}

/// The key of what is about nobody, wrapped under the installation's.
pub(super) fn of_nobody(keys: &SubjectKeys, id: Uuid, key: &DataKey) -> Option<Vec<u8>> {
    keys.wrapping().wrap(Purpose { name: KEY, parts: &[id.as_bytes()] }, key)
}

/// The field of a subject's that the key of an exchange is.
pub(super) fn field(id: Uuid) -> String {
    format!("bank-exchange/{}", id.simple())
}

/// What opens the bodies of an exchange; else why nothing does.
///
/// # Errors
/// What the database says, where the key is a subject's.
pub(super) async fn key(
    keys: &SubjectKeys,
    id: Uuid,
    (subject, wrapped): (Option<&str>, Option<&[u8]>),
) -> sqlx::Result<Result<DataKey, Body>> {
    let Some(wrapped) = wrapped else { return Ok(Err(Body::Erased)) };
    let found = match subject {
        None => keys.wrapping().unwrap(Purpose { name: KEY, parts: &[id.as_bytes()] }, wrapped),
        Some(subject) => {
            let Ok(subject) = subject.parse::<Owner>() else { return Ok(Err(Body::Unreadable)) };
            match keys.open(&subject, &field(id), wrapped).await {
                Ok(bytes) => DataKey::from_bytes(&bytes),
                Err(VaultError::Erased) => return Ok(Err(Body::Erased)),
                Err(VaultError::Tampered | VaultError::TooLarge) => None,
                Err(VaultError::Database(error)) => return Err(error),
            }
        }
    };
    Ok(found.ok_or(Body::Unreadable))
}

/// Opens the two bodies with the key of their exchange.
pub(super) fn open(
    id: Uuid,
    key: &Result<DataKey, Body>,
    (request, answer): (Option<&[u8]>, Option<&[u8]>),
) -> (Body, Body) {
    let one = |part: &[u8], sealed: Option<&[u8]>| match (key, sealed) {
        (Err(body), _) => body.clone(),
        (Ok(_), None) => Body::Erased,
        (Ok(key), Some(sealed)) => {
            let opened = key.open(purpose(&[id.as_bytes(), part]), sealed);
            opened.map_or(Body::Unreadable, Body::Bytes)
        }
    };
    (one(REQUEST, request), one(ANSWER, answer))
}

const fn purpose<'a>(parts: &'a [&'a [u8]]) -> Purpose<'a> {
    Purpose { name: BODY, parts }
}
