//! Keys: the log's own, and those of witnesses. Ed25519, with the key ids of C2SP `signed-note`.
//!
//! A key that signs is made from 32 secret bytes that somebody else keeps; nothing here reads or
//! writes them.

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{
    merkle::Hash,
    note::{NoteSignature, is_name},
};

/// A key that signs notes as they are.
const ED25519: u8 = 1;
/// A key that signs notes with the moment at which it did.
const COSIGNATURE: u8 = 4;

/// A text that is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is neither of the two forms.
    #[error("a key is 64 hexadecimal digits, or NAME+ID+BASE64 as signed notes have it")]
    Malformed,
    /// Its bytes are no key, or one of those that anybody can sign for.
    #[error("the key's bytes are no key of Ed25519")]
    NoKey,
    /// It is another kind of key.
    #[error("the key is of another kind: a log's has the type 1, a witness's the type 4")]
    Kind,
    /// Its id is not that of its name and bytes.
    #[error("the key's id is not that of its name and bytes: it was copied wrongly")]
    Id,
}

/// What a log's checkpoints are verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogKey(VerifyingKey);

impl LogKey {
    /// The key of these bytes.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::NoKey)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NoKey)?;
        if key.is_weak() { Err(KeyError::NoKey) } else { Ok(Self(key)) }
    }

    /// Its bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Its text: the bytes in hexadecimal.
    pub fn hex(self) -> String {
        hex::encode(self.to_bytes())
    }

    /// Whether the signature line is this key's, under this name, over the text.
    pub(super) fn verifies(self, name: &str, line: &NoteSignature, text: &str) -> bool {
        line.name == name
            && line.key_id == key_id(name, ED25519, &self.to_bytes())
            && verifies(self.0, text.as_bytes(), &line.signature)
    }

    /// Whether it signed these bytes.
    pub(super) fn verifies_bytes(self, bytes: &[u8], signature: &[u8]) -> bool {
        verifies(self.0, bytes, signature)
    }

    /// The text that tools for signed notes take.
    pub fn vkey(self, name: &str) -> String {
        vkey(name, ED25519, &self.to_bytes())
    }
}

impl std::str::FromStr for LogKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        if text.len() == 64 {
            let bytes = hex::decode(text).map_err(|_| KeyError::Malformed)?;
            return Self::from_bytes(&bytes);
        }
        let (_, key) = parse_vkey(text, ED25519)?;
        Self::from_bytes(&key)
    }
}

/// What a witness's cosignatures are verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: LogKey,
}

impl WitnessKey {
    /// Whose it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it signed the text, in seconds since 1970; nothing if it did not.
    pub(super) fn cosigned_at(&self, line: &NoteSignature, text: &str) -> Option<u64> {
        let ours = line.name == self.name
            && line.key_id == key_id(&self.name, COSIGNATURE, &self.key.to_bytes());
        let (time, signature) = line.signature.split_first_chunk().filter(|_| ours)?;
        let time = u64::from_be_bytes(*time);
        let said = cosigned(time, text);
        self.key.verifies_bytes(said.as_bytes(), signature).then_some(time)
    }
}

impl std::str::FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, key) = parse_vkey(text, COSIGNATURE)?;
        Ok(Self { name, key: LogKey::from_bytes(&key)? })
    }
}

impl std::fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&vkey(&self.name, COSIGNATURE, &self.key.to_bytes()))
    }
}

/// What signs.
#[derive(Clone)]
pub struct Signer(SigningKey);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    /// The key of 32 secret bytes.
    pub fn of(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// What its signatures are verified with.
    pub fn public(&self) -> LogKey {
        LogKey(self.0.verifying_key())
    }

    /// What its cosignatures are verified with.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if no key may have this name.
    pub fn witness(&self, name: &str) -> Result<WitnessKey, KeyError> {
        let known = is_name(name).then(|| name.to_owned()).ok_or(KeyError::Malformed)?;
        Ok(WitnessKey { name: known, key: self.public() })
    }

    /// Signs some bytes.
    pub fn sign_bytes(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).to_bytes().to_vec()
    }

    /// Signs a text as a log.
    pub fn sign(&self, name: &str, text: &str) -> NoteSignature {
        NoteSignature {
            name: name.to_owned(),
            key_id: key_id(name, ED25519, &self.public().to_bytes()),
            signature: self.sign_bytes(text.as_bytes()),
        }
    }

    /// Signs a text as a witness that saw it at `time`, in seconds since 1970.
    pub fn cosign(&self, name: &str, text: &str, time: u64) -> NoteSignature {
        let mut signature = time.to_be_bytes().to_vec();
        signature.extend(self.sign_bytes(cosigned(time, text).as_bytes()));
        let key_id = key_id(name, COSIGNATURE, &self.public().to_bytes());
        NoteSignature { name: name.to_owned(), key_id, signature }
    }
}

fn cosigned(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

fn verifies(key: VerifyingKey, bytes: &[u8], signature: &[u8]) -> bool {
    let signature = Signature::from_slice(signature);
    signature.is_ok_and(|signature| key.verify_strict(bytes, &signature).is_ok())
}

fn key_id(name: &str, kind: u8, key: &[u8; 32]) -> [u8; 4] {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key).finalize();
    let hash: Hash = hash.into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}

fn vkey(name: &str, kind: u8, key: &[u8; 32]) -> String {
    let bytes = [&[kind][..], key].concat();
    format!("{name}+{}+{}", hex::encode(key_id(name, kind, key)), BASE64_STANDARD.encode(bytes))
}

fn parse_vkey(text: &str, kind: u8) -> Result<(String, [u8; 32]), KeyError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Malformed);
    };
    let bytes = BASE64_STANDARD.decode(key).map_err(|_| KeyError::Malformed)?;
    let (of_kind, key) = bytes.split_first().ok_or(KeyError::Malformed)?;
    if *of_kind != kind {
        return Err(KeyError::Kind);
    }
    let key: [u8; 32] = key.try_into().map_err(|_| KeyError::NoKey)?;
    if !is_name(name) || id.len() != 8 {
        return Err(KeyError::Malformed);
    }
    if hex::encode(key_id(name, kind, &key)) != id {
        return Err(KeyError::Id);
    }
    Ok((name.to_owned(), key))
}
