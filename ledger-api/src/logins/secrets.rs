//! Secrets of logins: random ones, what is derived from them, and what is kept of them.
//!
//! A browser that is sent to a provider gets a cookie with 256 random bits. The proof key and the
//! nonce of an attempt are derived from it and the attempt's state, so they are nowhere but in that
//! browser: who reads the database can finish nobody's login, and another browser's state is of no
//! use. What a provider said of somebody who is still to choose a handle is sealed with a key that
//! is derived from it too.

use std::fmt;

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

const NONCE_BYTES: usize = 12;
/// 32 bytes as base64url.
const TEXT_CHARS: usize = 43;

/// The machine has no random bytes to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed")]
pub struct NoRandom;

/// A text that `Debug` hides.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(super) const fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

/// 256 random bits, as text.
pub(super) fn fresh() -> Result<Hidden, NoRandom> {
    let mut bytes = [0_u8; 32];
    fill(&mut bytes)?;
    Ok(Hidden(URL_SAFE_NO_PAD.encode(bytes)))
}

fn fill(bytes: &mut [u8]) -> Result<(), NoRandom> {
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, bytes).map_err(|_| NoRandom)
}

/// What is kept of a secret.
pub(super) fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether a text can be one of [`fresh`] at all.
pub(super) fn is_well_formed(text: &str) -> bool {
    text.len() == TEXT_CHARS
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What a browser's cookie holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BrowserSecret(Hidden);

impl BrowserSecret {
    pub(crate) fn fresh() -> Result<Self, NoRandom> {
        fresh().map(Self)
    }

    /// What a cookie says, if it can be one of ours.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_well_formed(text).then(|| Self(Hidden(text.to_owned())))
    }

    pub(crate) fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// What is kept of it.
    pub(super) fn hash(&self) -> [u8; 32] {
        hash(self.reveal())
    }

    /// The verifier of the proof key for code exchange of the attempt with this state.
    pub(super) fn verifier(&self, state: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derive("bahi login verifier", state))
    }

    /// The nonce that the provider's token must repeat.
    pub(super) fn nonce(&self, state: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.derive("bahi login nonce", state))
    }

    /// Seals what only this browser may read.
    pub(super) fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, NoRandom> {
        let mut sealed = vec![0_u8; NONCE_BYTES];
        fill(&mut sealed)?;
        let payload = Payload { msg: plain, aad: &self.hash() };
        let nonce = Nonce::from_slice(&sealed);
        // It fails on texts of gigabytes only.
        let text = self.cipher().encrypt(nonce, payload).map_err(|_| NoRandom)?;
        sealed.extend(text);
        Ok(sealed)
    }

    /// What was sealed, if it was by this browser's secret.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_BYTES)?;
        let payload = Payload { msg: text, aad: &self.hash() };
        self.cipher().decrypt(Nonce::from_slice(nonce), payload).ok()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.derive("bahi login proof", "").into())
    }

    fn derive(&self, purpose: &str, state: &str) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(self.reveal().as_bytes())
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        for part in [purpose, "\0", state] {
            mac.update(part.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_browser_sealed_no_other_opens() {
        let (mine, other) = (BrowserSecret::fresh().unwrap(), BrowserSecret::fresh().unwrap());
        let sealed = mine.seal(b"asha").unwrap();
        assert_eq!(mine.open(&sealed).as_deref(), Some(b"asha".as_slice()));
        assert_eq!(other.open(&sealed), None);
        let mut changed = sealed.clone();
        changed[13] ^= 1;
        assert_eq!(mine.open(&changed), None);
        assert_eq!(mine.open(b"short"), None);
        assert!(!format!("{mine:?}").contains(mine.reveal()));
    }

    #[test]
    fn what_is_derived_differs_by_browser_state_and_purpose() {
        let (mine, other) = (BrowserSecret::fresh().unwrap(), BrowserSecret::fresh().unwrap());
        let verifier = mine.verifier("one");
        assert_eq!(verifier, mine.verifier("one"));
        assert_eq!(verifier.len(), 43);
        for different in [mine.verifier("two"), mine.nonce("one"), other.verifier("one")] {
            assert_ne!(verifier, different);
        }
    }

    #[test]
    fn a_cookie_of_another_shape_is_none_of_ours() {
        let good = fresh().unwrap();
        assert!(BrowserSecret::parse(good.reveal()).is_some());
        let long = format!("{}a", good.reveal());
        for bad in ["", "short", &long, &"ü".repeat(21), &" ".repeat(43)] {
            assert_eq!(BrowserSecret::parse(bad), None, "{bad}");
        }
    }
}
