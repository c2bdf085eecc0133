//! Sealing bytes: AES-256-GCM with a fresh random nonce, and bound to what they are for.
//!
//! What is sealed is `1 ‖ nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes)`; the 1 is the format. The
//! tag covers the purpose and its parts as well, so that bytes that were sealed for one thing do
//! not open as another: a name moved to another person's row is no name there.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const FORMAT: u8 = 1;
const NONCE_BYTES: usize = 12;
const KEY_BYTES: usize = 32;
const WRAPPING_DOMAIN: &[u8] = b"bahi:vault-wrapping-key:1";

/// What bytes are sealed for: a name that no other use has, and the parts that tell one of its
/// cases from another.
#[derive(Debug, Clone, Copy)]
pub struct Purpose<'a> {
    /// The use.
    pub name: &'a str,
    /// The case.
    pub parts: &'a [&'a [u8]],
}

impl Purpose<'_> {
    /// Each part with its length before it, so that no two purposes run together.
    fn bytes(self) -> Vec<u8> {
        let all = std::iter::once(self.name.as_bytes()).chain(self.parts.iter().copied());
        let mut bytes = Vec::new();
        for part in all {
            bytes.extend_from_slice(&length(part));
            bytes.extend_from_slice(part);
        }
        bytes
    }
}

/// A key that data is sealed with.
#[derive(Clone)]
pub struct DataKey([u8; KEY_BYTES]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(hidden)")
    }
}

impl DataKey {
    /// Fresh and random.
    pub fn generate() -> Self {
        Self(rand::random())
    }

    /// The one of the installation with this secret, for one use of it.
    pub fn derive(secret: &[u8; KEY_BYTES], domain: &[u8]) -> Self {
        Self(mac(secret, &[domain]))
    }

    /// The key whose bytes these are, if they are as many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, to be sealed under another key.
    pub const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Seals bytes for a purpose; nothing if there are too many of them (64 GiB).
    pub fn seal(&self, purpose: Purpose<'_>, bytes: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let aad = purpose.bytes();
        let payload = Payload { msg: bytes, aad: &aad };
        let sealed = self.cipher().encrypt(Nonce::from_slice(&nonce), payload).ok()?;
        let mut whole = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        whole.push(FORMAT);
        whole.extend_from_slice(&nonce);
        whole.extend_from_slice(&sealed);
        Some(whole)
    }

    /// The bytes; nothing unless they were sealed with this key for this purpose.
    pub fn open(&self, purpose: Purpose<'_>, sealed: &[u8]) -> Option<Vec<u8>> {
        let (format, rest) = sealed.split_first()?;
        let (nonce, msg) = rest.split_at_checked(NONCE_BYTES)?;
        if *format != FORMAT {
            return None;
        }
        let aad = purpose.bytes();
        self.cipher().decrypt(Nonce::from_slice(nonce), Payload { msg, aad: &aad }).ok()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.0.into())
    }
}

/// The key that data keys are wrapped with. Follows from the installation's secret, so that no
/// database has it.
#[derive(Debug, Clone)]
pub struct WrappingKey(DataKey);

impl WrappingKey {
    /// The one of the installation with this secret.
    pub fn derive(secret: &[u8; KEY_BYTES]) -> Self {
        Self(DataKey::derive(secret, WRAPPING_DOMAIN))
    }

    /// Wraps a data key for a purpose.
    pub fn wrap(&self, purpose: Purpose<'_>, key: &DataKey) -> Option<Vec<u8>> {
        self.0.seal(purpose, key.bytes())
    }

    /// The data key; nothing unless it was wrapped with this key for this purpose.
    pub fn unwrap(&self, purpose: Purpose<'_>, wrapped: &[u8]) -> Option<DataKey> {
        DataKey::from_bytes(&self.0.open(purpose, wrapped)?)
    }
}

/// HMAC-SHA256 over parts, each with its length before it, so that no two lists run together to the
/// same bytes.
pub(crate) fn mac(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> [u8; 32] {
    // What HMAC does with a key that is shorter than a block.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    for part in parts {
        mac.update(&length(part));
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

fn length(part: &[u8]) -> [u8; 8] {
    u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAME: Purpose<'static> = Purpose { name: "test/name", parts: &[b"asha"] };

    proptest! {
        #[test]
        fn what_was_sealed_opens_as_it_was_and_one_changed_byte_opens_nothing(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<prop::sample::Index>(),
            flip in 1_u8..,
        ) {
            let key = DataKey::generate();
            let mut sealed = key.seal(NAME, &bytes).unwrap();
            prop_assert_eq!(key.open(NAME, &sealed), Some(bytes));
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert_eq!(key.open(NAME, &sealed), None);
            sealed.truncate(at);
            prop_assert_eq!(key.open(NAME, &sealed), None);
        }
    }

    #[test]
    fn it_opens_for_its_own_purpose_and_under_its_own_key_only() {
        let key = DataKey::generate();
        let sealed = key.seal(NAME, b"Asha Rao").unwrap();
        assert_ne!(key.seal(NAME, b"Asha Rao").unwrap(), sealed, "the same text shows");
        assert!(!sealed.windows(4).any(|window| window == b"Asha"));
        for other in [
            Purpose { name: "test/email", ..NAME },
            Purpose { parts: &[b"ravi"], ..NAME },
            Purpose { parts: &[b"as", b"ha"], ..NAME },
            Purpose { parts: &[], ..NAME },
        ] {
            assert_eq!(key.open(other, &sealed), None, "{other:?}");
        }
        assert_eq!(DataKey::generate().open(NAME, &sealed), None);
    }

    #[test]
    fn a_wrapped_key_is_the_secret_s() {
        let (ours, theirs) = (WrappingKey::derive(&[1; 32]), WrappingKey::derive(&[2; 32]));
        let key = DataKey::generate();
        let wrapped = ours.wrap(NAME, &key).unwrap();
        assert_eq!(ours.unwrap(NAME, &wrapped).unwrap().bytes(), key.bytes());
        assert!(theirs.unwrap(NAME, &wrapped).is_none());
        assert!(!format!("{key:?} {ours:?}").contains(char::is_numeric));
    }

    #[test]
    fn what_an_older_release_sealed_opens() {
        // The format and the derivation are contracts: what is stored stays readable. The vectors
        // were made by another program.
        const SEALED: &str = "01000102030405060708090a0bf019445d93c9619927bfb4d768352d9f\
                              1b158b53b9a41987";
        let wrapping = WrappingKey::derive(&[1; 32]);
        let key = hex::encode(wrapping.0.bytes());
        assert_eq!(key, "71e16355b170646eaa31790fd17f535153df9c2fa40d18a56465b481f9404dcd");
        let sealed = hex::decode(SEALED).unwrap();
        assert_eq!(wrapping.0.open(NAME, &sealed).as_deref(), Some(&b"Asha Rao"[..]));
    }
}
