//! The keys that tokens are signed with: the published one, and one that nobody published.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::Sha256;

/// The name of the published key.
const KID: &str = "sandbox-1";
/// A name that no key set has.
const KID_FOREIGN: &str = "elsewhere-1";

/// Both keys.
pub(crate) struct Keys {
    published: SigningKey,
    foreign: SigningKey,
}

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// With the published key.
    Right,
    /// Not at all.
    Nothing,
    /// By HMAC with the bytes of the public key.
    PublicKeyAsSecret,
    /// With the other key, under its own name.
    ForeignKid,
    /// With the other key, under the published one's name.
    ForeignKey,
}

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system's random source failed")]
pub struct NoRandom;

impl Keys {
    /// Fresh ones.
    pub(crate) fn generate() -> Result<Self, NoRandom> {
        Ok(Self { published: key()?, foreign: key()? })
    }

    /// The published one, as a key set.
    pub(crate) fn set(&self) -> Value {
        let point = self.published.verifying_key().to_sec1_point(false);
        let coordinate = |bytes: Option<&[u8]>| URL_SAFE_NO_PAD.encode(bytes.unwrap_or_default());
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KID,
            "x": coordinate(point.x().map(AsRef::as_ref)),
            "y": coordinate(point.y().map(AsRef::as_ref)),
        }]})
    }

    /// A token with these claims.
    pub(crate) fn sign(&self, claims: &Value, signing: Signing) -> String {
        let (alg, kid) = match signing {
            Signing::Right | Signing::ForeignKey => ("ES256", KID),
            Signing::Nothing => ("none", KID),
            Signing::PublicKeyAsSecret => ("HS256", KID),
            Signing::ForeignKid => ("ES256", KID_FOREIGN),
        };
        let header = json!({"alg": alg, "kid": kid, "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(claims));
        let by = |key: &SigningKey| {
            let signature: Signature = key.sign(text.as_bytes());
            signature.to_bytes().to_vec()
        };
        let signature = match signing {
            Signing::Right => by(&self.published),
            Signing::Nothing => Vec::new(),
            Signing::PublicKeyAsSecret => self.hmac(text.as_bytes()),
            Signing::ForeignKid | Signing::ForeignKey => by(&self.foreign),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn hmac(&self, text: &[u8]) -> Vec<u8> {
        let public = self.published.verifying_key().to_sec1_point(false);
        // HMAC takes keys of any length.
        Hmac::<Sha256>::new_from_slice(public.as_bytes())
            .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
            .unwrap_or_default()
    }
}

fn key() -> Result<SigningKey, NoRandom> {
    loop {
        // Almost all 32 bytes are a key.
        if let Ok(key) = SigningKey::from_slice(&random()?) {
            return Ok(key);
        }
    }
}

/// 32 random bytes.
pub(crate) fn random() -> Result<[u8; 32], NoRandom> {
    let mut bytes = [0; 32];
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}
