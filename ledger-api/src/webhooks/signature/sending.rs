//! The sender's side: the keys that deliveries of our own are signed with.
//!
//! Both schemes at once, so that a receiver chooses: `v1` by the shared secret, `v1a` by a private
//! key that the receiver does not have, and of which it is given the public half.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;

use super::Content;

/// What one delivery is signed with, in both schemes.
#[derive(Clone)]
pub struct SigningKeys {
    mac: Hmac<Sha256>,
    private: SigningKey,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(hidden)")
    }
}

impl SigningKeys {
    /// Those of a shared secret and of a private key's seed.
    pub fn new(secret: &[u8; 32], seed: &[u8; 32]) -> Self {
        // What HMAC does with a key that is shorter than a block.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(secret) {
            *to = *from;
        }
        Self { mac: Hmac::new(&block.into()), private: SigningKey::from_bytes(seed) }
    }

    /// The public half.
    pub fn public(&self) -> [u8; 32] {
        self.private.verifying_key().to_bytes()
    }

    /// The signatures of a delivery, as they stand in its header.
    pub fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let content = Content { id, timestamp: &timestamp_s.to_string(), body };
        let private = self.private.sign(&content.bytes());
        let mac = STANDARD.encode(content.mac(&self.mac));
        format!("v1,{mac} v1a,{}", STANDARD.encode(private.to_bytes()))
    }
}

/// A shared secret as its receiver is given it.
pub fn secret_text(secret: &[u8; 32]) -> String {
    format!("whsec_{}", STANDARD.encode(secret))
}

/// A public key as its receiver is given it.
pub fn public_text(key: &[u8]) -> String {
    format!("whpk_{}", STANDARD.encode(key))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{super::*, *};

    #[test]
    fn what_is_signed_verifies_by_either_key() {
        let (secret, seed) = ([7; 32], [9; 32]);
        let secret: [u8; 32] = std::array::from_fn(|i| secret[i] ^ u8::try_from(i).unwrap());
        let keys = SigningKeys::new(&secret, &seed);
        let mut headers = HeaderMap::new();
        let mut put = |name, value: &str| {
            headers.insert(name, HeaderValue::try_from(value).unwrap());
        };
        put(ID, "msg_1");
        put(TIMESTAMP, "1700000000");
        put(SIGNATURE, &keys.sign("msg_1", 1_700_000_000, b"{}"));
        for text in [secret_text(&secret), public_text(&keys.public())] {
            let theirs: Keys = text.parse().unwrap();
            assert!(verify(&headers, b"{}", &theirs, 1_700_000_001).is_ok(), "{text}");
            assert!(verify(&headers, b"{ }", &theirs, 1_700_000_001).is_err(), "{text}");
        }
        assert_eq!(format!("{keys:?}"), "SigningKeys(hidden)");
    }
}
