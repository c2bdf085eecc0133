//! The secrets of endpoints: made here, sealed, and opened to sign with.
//!
//! A secret is shown when it is made and never again. Each is a pair: 32 bytes that both sides know
//! (`v1`), and a private key whose public half anybody may know (`v1a`); the one does not follow
//! from the other, or who verifies could sign.

use std::fmt;

use sqlx::{Row as _, postgres::PgRow};
use uuid::Uuid;

use super::EndpointId;
use crate::{
    vault::{DataKey, Purpose, WrappingKey},
    webhooks::signature::{SigningKeys, public_text, secret_text},
};

/// How many secrets of an endpoint are in force at once. Each is two signatures in a header, of
/// which receivers need not take many.
pub const SECRETS_MAX: usize = 4;

const SECRET: &str = "bahi:webhook-secret:1";
const SEED: &str = "bahi:webhook-seed:1";

/// A secret that `Debug` hides.
#[derive(Clone)]
pub struct Revealed(String);

impl Revealed {
    /// The secret, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

/// A secret as it is stored.
pub(super) struct Sealed {
    pub(super) id: Uuid,
    pub(super) secret: Vec<u8>,
    pub(super) seed: Vec<u8>,
    pub(super) public_key: Vec<u8>,
}

/// A secret as it is used.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What is signed with.
    pub keys: SigningKeys,
    /// The shared secret, to be shown once.
    pub secret: Revealed,
    /// The public key.
    pub public_key: String,
}

impl Opened {
    fn of(secret: &DataKey, seed: &DataKey) -> Self {
        let keys = SigningKeys::new(secret.bytes(), seed.bytes());
        let public_key = public_text(&keys.public());
        Self { keys, secret: Revealed(secret_text(secret.bytes())), public_key }
    }
}

/// The stored secret is not what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret does not open: another installation's, or changed")]
pub struct SealError;

/// A fresh one, sealed and open.
pub(super) fn make(
    key: &WrappingKey,
    endpoint: EndpointId,
    id: Uuid,
) -> Result<(Sealed, Opened), SealError> {
    let (secret, seed) = (DataKey::generate(), DataKey::generate());
    let opened = Opened::of(&secret, &seed);
    let (endpoint, own) = (endpoint.uuid(), id);
    let parts: [&[u8]; 2] = [endpoint.as_bytes(), own.as_bytes()];
    let wrap =
        |name, data: &DataKey| key.wrap(Purpose { name, parts: &parts }, data).ok_or(SealError);
    let sealed = Sealed {
        id,
        secret: wrap(SECRET, &secret)?,
        seed: wrap(SEED, &seed)?,
        public_key: opened.keys.public().to_vec(),
    };
    Ok((sealed, opened))
}

/// The secret of a row (`id`, `endpoint_id`, `sealed_secret`, `sealed_seed`).
pub(super) fn open(key: &WrappingKey, row: &PgRow) -> sqlx::Result<Opened> {
    let endpoint: Uuid = row.try_get("endpoint_id")?;
    let id: Uuid = row.try_get("id")?;
    let parts: [&[u8]; 2] = [endpoint.as_bytes(), id.as_bytes()];
    let unwrap = |name, column: &str| {
        let opened = key.unwrap(Purpose { name, parts: &parts }, row.try_get(column)?);
        opened.ok_or_else(|| sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: SealError.into(),
        })
    };
    Ok(Opened::of(&unwrap(SECRET, "sealed_secret")?, &unwrap(SEED, "sealed_seed")?))
}
