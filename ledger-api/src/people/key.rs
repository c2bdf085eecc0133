//! The key of everything about people that is found or proved by a keyed hash: addresses, numbers,
//! codes, CSRF tokens, what throttles count.
//!
//! Derived from the installation's secret, so that it is the same in all processes and not in the
//! database; each use has a domain of its own, so that no hash for one is one for another.

use std::fmt;

use super::{Email, Phone};
use crate::vault::mac;

const KEY_DOMAIN: &[u8] = b"bahi:people-key:1";

/// The key.
#[derive(Clone)]
pub struct PeopleKey([u8; 32]);

impl fmt::Debug for PeopleKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeopleKey(hidden)")
    }
}

impl PeopleKey {
    /// The key of the installation with this secret.
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self(mac(secret, &[KEY_DOMAIN]))
    }

    /// The hash of parts, for one use.
    pub fn hash(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut all = vec![domain.as_bytes()];
        all.extend_from_slice(parts);
        mac(&self.0, &all)
    }

    /// What an address is found by.
    pub fn email(&self, email: &Email) -> [u8; 32] {
        self.hash("email", &[email.expose().as_bytes()])
    }

    /// What a number is found by.
    pub fn phone(&self, phone: &Phone) -> [u8; 32] {
        self.hash("phone", &[phone.expose().as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_secrets_domains_and_parts_have_other_hashes() {
        let key = PeopleKey::derive(&[1; 32]);
        let one = key.hash("email", &[b"asha", b"x"]);
        assert_eq!(one, PeopleKey::derive(&[1; 32]).hash("email", &[b"asha", b"x"]));
        assert_ne!(one, PeopleKey::derive(&[2; 32]).hash("email", &[b"asha", b"x"]));
        assert_ne!(one, key.hash("phone", &[b"asha", b"x"]));
        assert_ne!(one, key.hash("email", &[b"ashax"]));
        assert_ne!(one, key.hash("email", &[b"asha", b"x", b""]));
    }
}
