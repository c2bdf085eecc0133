//! The keyed hash of a payee: what the log keeps of who is paid.
//!
//! Computed when a withdrawal is requested and again before it is sent; if they differ, nothing is
//! sent. Keyed, because account numbers could be guessed otherwise; with a key of its own, derived
//! from the installation's secret, so that no hash for another purpose is one of these.

use std::fmt;

use ledger_core::ids::PayeeHash;

use crate::{banks::Payee, vault::mac};

const KEY_DOMAIN: &[u8] = b"bahi:payee-key:1";
const DOMAIN: &[u8] = b"bahi:payee:1";
const PAYER_DOMAIN: &[u8] = b"bahi:payer:1";

/// The key of payee hashes. It must stay the same while a withdrawal waits to be sent.
#[derive(Clone)]
pub struct PayeeKey([u8; 32]);

impl fmt::Debug for PayeeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PayeeKey(hidden)")
    }
}

impl PayeeKey {
    /// The key of the installation with this secret.
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self(mac(secret, &[KEY_DOMAIN]))
    }

    /// The hash of a payee.
    pub fn hash(&self, payee: &Payee) -> Option<PayeeHash> {
        let parts = [
            DOMAIN,
            payee.account_number.expose().as_bytes(),
            payee.ifsc.expose().as_bytes(),
            payee.name.expose().as_bytes(),
        ];
        hex::encode(mac(&self.0, &parts)).parse().ok()
    }

    /// The hash of whoever pays in: of the account alone, for banks spell names in many ways.
    pub fn hash_payer(&self, account_number: &str, ifsc: &str) -> Option<PayeeHash> {
        let parts = [PAYER_DOMAIN, account_number.as_bytes(), ifsc.as_bytes()];
        hex::encode(mac(&self.0, &parts)).parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(secret: u8, number: &str, ifsc: &str, name: &str) -> String {
        let payee = Payee::parse(number, ifsc, name).unwrap();
        PayeeKey::derive(&[secret; 32]).hash(&payee).unwrap().to_string()
    }

    #[test]
    fn any_other_payee_and_any_other_secret_is_another_hash() {
        let asha = || hash(1, "001234567890", "TEST0000001", "Asha Rao");
        assert_eq!(asha(), asha());
        let others = [
            hash(2, "001234567890", "TEST0000001", "Asha Rao"),
            hash(1, "001234567891", "TEST0000001", "Asha Rao"),
            hash(1, "001234567890", "TEST0000002", "Asha Rao"),
            hash(1, "001234567890", "TEST0000001", "Asha Raos"),
            hash(1, "0012345678901", "TEST0000001", "Asha Rao"),
        ];
        assert!(others.iter().all(|other| *other != asha()));
        assert!(!format!("{:?}", PayeeKey::derive(&[7; 32])).contains('7'));
    }

    #[test]
    fn a_payer_is_an_account_whatever_its_owner_is_called() {
        let key = PayeeKey::derive(&[1; 32]);
        let hash = |number, ifsc| key.hash_payer(number, ifsc).unwrap().to_string();
        let asha = hash("001234567890", "TEST0000001");
        assert_eq!(asha.len(), 64);
        assert_ne!(asha, hash("001234567891", "TEST0000001"));
        assert_ne!(asha, hash("001234567890", "TEST0000002"));
        let payee = Payee::parse("001234567890", "TEST0000001", "Asha Rao").unwrap();
        assert_ne!(asha, key.hash(&payee).unwrap().to_string());
    }

    #[test]
    fn the_hash_is_the_documented_one() {
        // A withdrawal that was requested by an older release is sent by a newer one.
        let hash = hash(1, "001234567890", "TEST0000001", "Asha Rao");
        assert_eq!(hash, "e7cadd5c4adb653562501466e0d89f4f87599459c3aa8bd564844c9f0409bf49");
    }
}
