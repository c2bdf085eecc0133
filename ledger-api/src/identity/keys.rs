//! API keys: made, listed, revoked. The secret is shown once and stored as its SHA-256.

use std::fmt::Write as _;

use ledger_core::{clock::Timestamp, ids::Principal};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row, postgres::PgRow};

use super::{Scope, ScopeSet};

/// Digits of the random part of a key: 256 bits take 43 of base 62.
const SECRET_DIGITS: usize = 43;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LABEL_CHARS_MAX: usize = 100;

/// Whether a key is for real money. It is in the key's text, so that nobody mixes them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEnvironment {
    /// `bahi_live_…`
    Live,
    /// `bahi_test_…`
    Test,
}

impl KeyEnvironment {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Live => "bahi_live_",
            Self::Test => "bahi_test_",
        }
    }
}

/// Why a key was not made, listed or revoked.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A key that may do nothing.
    #[error("a key needs at least one scope")]
    NoScope,
    /// A label that is empty, too long or not printable.
    #[error("a label has 1 to 100 printable characters")]
    Label,
    /// There is no such key, or it is revoked already.
    #[error("there is no key {0:?} in force")]
    NoSuchKey(String),
    /// The machine has no random bytes to give.
    #[error("the system's random source failed")]
    Random,
    /// The database did not do what it was asked.
    #[error("the database did not do what it was asked")]
    Database(#[from] sqlx::Error),
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Whose key it is. The principal is made if it is new.
    pub principal: Principal,
    /// What the key is for.
    pub label: String,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Real money or not.
    pub environment: KeyEnvironment,
}

/// The key itself. Shown once; its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text to hand to the caller, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn generate(environment: KeyEnvironment) -> Result<Self, IdentityError> {
        let mut bytes = [0_u8; 32];
        rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
            .map_err(|_| IdentityError::Random)?;
        Ok(Self(format!("{}{}", environment.prefix(), base62(bytes))))
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// What is known of a key: everything but the key.
#[derive(Debug, Clone)]
pub struct KeyInfo {
    /// Its id, `key_…`.
    pub id: String,
    /// Whose it is.
    pub principal: String,
    /// What it is for.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is not in force.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    pub last_used_at: Option<Timestamp>,
}

/// Makes a key. The token is the only copy there will ever be.
///
/// # Errors
/// [`IdentityError`] if the key is not sensible or could not be stored.
pub async fn create_key(db: &PgPool, new: &NewKey) -> Result<(String, Token), IdentityError> {
    if new.scopes.is_empty() {
        return Err(IdentityError::NoScope);
    }
    let printable = !new.label.chars().any(char::is_control);
    if !(1..=LABEL_CHARS_MAX).contains(&new.label.chars().count()) || !printable {
        return Err(IdentityError::Label);
    }
    let token = Token::generate(new.environment)?;
    let mut id = String::from("key_");
    for byte in Sha256::digest(token.0.as_bytes()).iter().take(6) {
        // Writing to a String does not fail.
        write!(id, "{byte:02x}").map_err(|_| IdentityError::Random)?;
    }
    let scopes: Vec<&str> = new.scopes.iter().map(Scope::as_str).collect();
    // One statement, so that a principal never stands without the key that it was made for.
    sqlx::query(
        "with principal as (
             insert into principals (name) values ($2) on conflict do nothing)
         insert into api_keys (id, principal, label, secret_sha256, scopes)
         values ($1, $2, $3, $4, $5)",
    )
    .bind(&id)
    .bind(new.principal.as_str())
    .bind(&new.label)
    .bind(secret_hash(&token.0).as_slice())
    .bind(&scopes)
    .execute(db)
    .await?;
    Ok((id, token))
}

/// All keys, revoked ones too, oldest first.
///
/// # Errors
/// [`IdentityError::Database`].
pub async fn list_keys(db: &PgPool) -> Result<Vec<KeyInfo>, IdentityError> {
    let rows = sqlx::query(
        "select id, principal, label, scopes, created_at, revoked_at, last_used_at
         from api_keys order by created_at, id",
    )
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| Ok(key_info(row)?)).collect()
}

/// The keys of one principal, revoked ones too, oldest first.
///
/// # Errors
/// [`IdentityError::Database`].
pub async fn keys_of(db: &PgPool, principal: &Principal) -> Result<Vec<KeyInfo>, IdentityError> {
    let rows = sqlx::query(
        "select id, principal, label, scopes, created_at, revoked_at, last_used_at
         from api_keys where principal = $1 order by created_at, id",
    )
    .bind(principal.as_str())
    .fetch_all(db)
    .await?;
    rows.iter().map(|row| Ok(key_info(row)?)).collect()
}

fn key_info(row: &PgRow) -> sqlx::Result<KeyInfo> {
    Ok(KeyInfo {
        id: row.try_get("id")?,
        principal: row.try_get("principal")?,
        label: row.try_get("label")?,
        scopes: row.try_get("scopes")?,
        created_at: row.try_get("created_at")?,
        revoked_at: row.try_get("revoked_at")?,
        last_used_at: row.try_get("last_used_at")?,
    })
}

/// Revokes a key: no process accepts it five seconds later.
///
/// # Errors
/// [`IdentityError::NoSuchKey`] if no key of this id is in force.
pub async fn revoke_key(db: &PgPool, id: &str) -> Result<(), IdentityError> {
    let done =
        sqlx::query("update api_keys set revoked_at = now() where id = $1 and revoked_at is null")
            .bind(id)
            .execute(db)
            .await?;
    if done.rows_affected() == 0 {
        return Err(IdentityError::NoSuchKey(id.to_owned()));
    }
    Ok(())
}

/// What is stored of a key.
pub(super) fn secret_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether a text can be a key at all: what is not is refused without a look anywhere.
pub(super) fn is_well_formed(token: &str) -> bool {
    let secret = [KeyEnvironment::Live, KeyEnvironment::Test]
        .into_iter()
        .find_map(|environment| token.strip_prefix(environment.prefix()));
    secret.is_some_and(|digits| {
        digits.len() == SECRET_DIGITS && digits.bytes().all(|b| b.is_ascii_alphanumeric())
    })
}

/// The bytes as a number in base 62, always of [`SECRET_DIGITS`] digits.
fn base62(mut number: [u8; 32]) -> String {
    let mut digits = Vec::with_capacity(SECRET_DIGITS);
    for _ in 0..SECRET_DIGITS {
        // Long division by 62, most significant byte first.
        let mut remainder = 0_u16;
        for byte in &mut number {
            let value = remainder * 256 + u16::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        digits.push(char::from(BASE62[usize::from(remainder)]));
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_62_keeps_every_bit() {
        assert_eq!(base62([0; 32]), "0".repeat(43));
        let mut one = [0; 32];
        one[31] = 63;
        assert!(base62(one).ends_with("011"));
        let most = base62([u8::MAX; 32]);
        assert_eq!(most.len(), 43);
        let mut less = [u8::MAX; 32];
        less[31] = 254;
        assert_ne!(most, base62(less));
    }

    #[test]
    fn a_generated_key_is_well_formed_and_hidden_from_debug() {
        let token = Token::generate(KeyEnvironment::Test).unwrap();
        assert!(is_well_formed(token.reveal()), "{}", token.reveal());
        assert!(token.reveal().starts_with("bahi_test_"));
        assert_eq!(format!("{token:?}"), "Token(hidden)");
        assert_ne!(token, Token::generate(KeyEnvironment::Test).unwrap());
    }

    #[test]
    fn what_cannot_be_a_key_is_refused_at_once() {
        let long = format!("bahi_live_{}", "a".repeat(44));
        let strange = format!("bahi_live_{}", "-".repeat(43));
        for bad in ["", "bahi_live_", "sk_live_1", &long, &strange] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
