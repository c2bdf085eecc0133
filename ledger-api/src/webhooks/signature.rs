//! Standard Webhooks 1.0: whether a bank signed a delivery, and when.
//!
//! Pure: headers, bytes, keys and the time come in, a verdict comes out. What is signed is
//! `id.timestamp.body`, by HMAC-SHA256 with a shared secret (`v1`) or by ed25519 (`v1a`).
//!
//! The headers are held to more than the specification asks. An id has no full stop: with one, a
//! signature of the id `a` over the body `2.x` would also be one of the id `a.1` over `x`. The time
//! is digits only, so that each moment has one text and no arithmetic can overflow. A header that
//! comes twice is refused: whoever reads the other one would see another delivery.
//!
//! Own code (docs/decisions, 7): the published crate takes an empty secret, panics on a timestamp,
//! and refuses bodies that are not UTF-8.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

mod sending;

pub use sending::{SigningKeys, public_text, secret_text};

/// The header with the event's id: the same whenever the event is sent again.
pub const ID: HeaderName = HeaderName::from_static("webhook-id");
/// The header with the time of this delivery, in seconds.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// The header with the signatures, with spaces between.
pub const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// How far a delivery's time may be from ours, either way; that far is just near enough.
pub const TOLERANCE_S: u64 = 300;
/// The longest id.
pub const ID_BYTES_MAX: usize = 256;
/// The most signatures of one delivery: each costs a comparison, those of `v1a` far more.
pub const SIGNATURES_MAX: usize = 8;
/// The most keys of one bank: one in force, one to come, and what a hurried rotation leaves.
pub const KEYS_MAX: usize = 4;

/// The shortest and the longest shared secret, as the specification has them.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// Digits of a time: enough until the year 5138.
const TIMESTAMP_DIGITS_MAX: usize = 11;

/// Why a text holds no keys. Never shows any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is nothing in it.
    #[error("there is no key in it")]
    Missing,
    /// There are too many.
    #[error("there are more than {KEYS_MAX} keys in it")]
    TooMany,
    /// One is of no known kind.
    #[error("key {0} starts with neither whsec_ (a shared secret) nor whpk_ (a public key)")]
    Kind(usize),
    /// One is the sender's private key.
    #[error("key {0} is a private one (whsk_), which only its bank should have: give its whpk_")]
    Private(usize),
    /// One is not base64.
    #[error("key {0} is not base64 after its prefix")]
    Base64(usize),
    /// One is too short or too long.
    #[error("key {0} has another length than 24 to 64 bytes (whsec_) or 32 bytes (whpk_)")]
    Length(usize),
    /// One could be guessed, or verifies what nobody signed.
    #[error("key {0} is weak: all its bytes are alike, or it is no proper point")]
    Weak(usize),
    /// One is there twice.
    #[error("key {0} stands there twice")]
    Repeated(usize),
}

/// One key that deliveries are verified with.
#[derive(Clone)]
struct Key {
    /// Tells keys apart without telling them.
    print: [u8; 32],
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// Ready for the first byte of a message.
    Hmac(Hmac<Sha256>),
    Ed25519(VerifyingKey),
}

/// The keys of one bank; several, so that it can change to another without a gap.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({}, hidden)", self.0.len())
    }
}

impl std::str::FromStr for Keys {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut keys: Vec<Key> = Vec::new();
        for (number, text) in (1..).zip(text.split_ascii_whitespace()) {
            if number > KEYS_MAX {
                return Err(KeyError::TooMany);
            }
            let key = Key::parse(text, number)?;
            if keys.iter().any(|other| other.print == key.print) {
                return Err(KeyError::Repeated(number));
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeyError::Missing) } else { Ok(Self(keys)) }
    }
}

impl Key {
    fn parse(text: &str, number: usize) -> Result<Self, KeyError> {
        let bytes = |encoded| STANDARD.decode(encoded).map_err(|_| KeyError::Base64(number));
        let (secret, public) = (text.strip_prefix("whsec_"), text.strip_prefix("whpk_"));
        let (bytes, kind) = if let Some(encoded) = secret {
            let bytes = bytes(encoded)?;
            if !SECRET_BYTES.contains(&bytes.len()) {
                return Err(KeyError::Length(number));
            }
            if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
                return Err(KeyError::Weak(number));
            }
            let mac = Hmac::new_from_slice(&bytes).map_err(|_| KeyError::Length(number))?;
            (bytes, Kind::Hmac(mac))
        } else if let Some(encoded) = public {
            let bytes = bytes(encoded)?;
            let point: &[u8; 32] =
                bytes.as_slice().try_into().map_err(|_| KeyError::Length(number))?;
            let key = VerifyingKey::from_bytes(point).map_err(|_| KeyError::Weak(number))?;
            if key.is_weak() {
                return Err(KeyError::Weak(number));
            }
            (bytes, Kind::Ed25519(key))
        } else if text.starts_with("whsk_") {
            return Err(KeyError::Private(number));
        } else {
            return Err(KeyError::Kind(number));
        };
        let print = Sha256::new().chain_update(b"bahi/webhook-key/1").chain_update(bytes);
        Ok(Self { print: print.finalize().into(), kind })
    }
}

impl Keys {
    /// Whether both have some key. A signature does not say whom it is for, so with a key of two
    /// banks the one's delivery could be passed off as the other's.
    pub fn share_any(&self, other: &Self) -> bool {
        self.0.iter().any(|key| other.0.iter().any(|theirs| theirs.print == key.print))
    }

    /// The signatures that a sender with these keys gives: one for each shared secret.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let content = Content { id, timestamp: &timestamp_s.to_string(), body };
        let signatures: Vec<String> = self
            .0
            .iter()
            .filter_map(|key| match &key.kind {
                Kind::Hmac(mac) => Some(format!("v1,{}", STANDARD.encode(content.mac(mac)))),
                Kind::Ed25519(_) => None,
            })
            .collect();
        signatures.join(" ")
    }
}

/// What a delivery is refused for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is not one id of the right form.
    #[error(
        "send one header webhook-id of 1 to {ID_BYTES_MAX} visible ASCII characters without a \
         full stop"
    )]
    Id,
    /// There is not one time of the right form.
    #[error("send one header webhook-timestamp: seconds since 1970 in plain digits")]
    Timestamp,
    /// It was sent too long ago, or will be.
    #[error("the webhook-timestamp is more than {TOLERANCE_S} seconds from our clock")]
    Stale,
    /// Nobody who has a key signed this.
    #[error("no signature in the one header webhook-signature is one of these bytes")]
    Signature,
}

/// A delivery that its bank signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'h> {
    /// The event's id.
    pub id: &'h str,
    /// When it was sent, by the bank's clock.
    pub sent_at_s: i64,
}

/// Whether a delivery is one that a holder of `keys` signed within the last minutes.
///
/// # Errors
/// [`Refusal`] with the first thing that is wrong with it.
pub fn verify<'h>(
    headers: &'h HeaderMap,
    body: &[u8],
    keys: &Keys,
    now_s: i64,
) -> Result<Verified<'h>, Refusal> {
    let id = only(headers, &ID).filter(|id| is_id(id)).ok_or(Refusal::Id)?;
    let timestamp = only(headers, &TIMESTAMP).ok_or(Refusal::Timestamp)?;
    let sent_at_s = seconds(timestamp).ok_or(Refusal::Timestamp)?;
    if sent_at_s.abs_diff(now_s) > TOLERANCE_S {
        return Err(Refusal::Stale);
    }
    let given = only(headers, &SIGNATURE).and_then(Given::parse).ok_or(Refusal::Signature)?;
    let content = Content { id, timestamp, body };
    let signed = keys.0.iter().any(|key| content.is_signed_by(key, &given));
    if signed { Ok(Verified { id, sent_at_s }) } else { Err(Refusal::Signature) }
}

/// The text of a header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

fn is_id(text: &str) -> bool {
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.')
}

fn seconds(text: &str) -> Option<i64> {
    let plain = text.len() <= TIMESTAMP_DIGITS_MAX
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit());
    // An empty text is no number.
    text.parse().ok().filter(|_| plain)
}

/// The signatures of one header, by scheme. Those of unknown schemes are for somebody else.
struct Given {
    v1: Vec<[u8; 32]>,
    v1a: Vec<Signature>,
}

impl Given {
    /// Nothing if there are more than anybody honest sends.
    fn parse(text: &str) -> Option<Self> {
        let mut given = Self { v1: Vec::new(), v1a: Vec::new() };
        for (number, signature) in (1..).zip(text.split(' ')) {
            if number > SIGNATURES_MAX {
                return None;
            }
            let Some((scheme, encoded)) = signature.split_once(',') else { continue };
            let Ok(bytes) = STANDARD.decode(encoded) else { continue };
            match scheme {
                "v1" => given.v1.extend(<[u8; 32]>::try_from(bytes)),
                "v1a" => given.v1a.extend(Signature::from_slice(&bytes)),
                _ => {}
            }
        }
        Some(given)
    }
}

/// What is signed.
struct Content<'a> {
    id: &'a str,
    timestamp: &'a str,
    body: &'a [u8],
}

impl Content<'_> {
    fn bytes(&self) -> Vec<u8> {
        [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body].concat()
    }

    fn mac(&self, keyed: &Hmac<Sha256>) -> [u8; 32] {
        let mut mac = keyed.clone();
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn is_signed_by(&self, key: &Key, given: &Given) -> bool {
        match &key.kind {
            Kind::Hmac(_) if given.v1.is_empty() => false,
            Kind::Hmac(keyed) => {
                let expected = self.mac(keyed);
                given.v1.iter().any(|signature| bool::from(expected.ct_eq(signature)))
            }
            Kind::Ed25519(_) if given.v1a.is_empty() => false,
            Kind::Ed25519(key) => {
                let message = self.bytes();
                given.v1a.iter().any(|signature| key.verify_strict(&message, signature).is_ok())
            }
        }
    }
}

#[cfg(test)]
mod tests;
