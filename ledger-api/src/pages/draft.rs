//! What was typed into a form, on its way to the sheet that asks to confirm it.
//!
//! The form is posted; the sheet is a page with an address of its own, so that going back to it, or
//! loading it again, sends no form a second time and no browser asks whether it should. What was
//! typed travels in that address, sealed: names and numbers of people stay out of histories and
//! logs, and an address that somebody else made or was given shows nothing.
//!
//! The nonce travels with it. So a sheet that is pressed again after going back is the same request
//! and gets the first one's answer. For that the sheet is shown again whatever has become of the
//! money since: what a form must have is checked before it leads here.

use axum::response::Response;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Visitor;
use crate::{
    http::{Problem, session::see_other},
    vault::{DataKey, Purpose, VaultError},
};

const DOMAIN: &[u8] = b"bahi:form-draft:1";
const NAME: &str = "form-draft";

/// The query of a sheet's address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Draft {
    draft: String,
}

impl Draft {
    /// What was typed, if it was by this person (for this shop) into the form of this path.
    pub(crate) fn open<T: DeserializeOwned>(&self, visitor: &Visitor, path: &str) -> Option<T> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(&self.draft).ok()?;
        let (owner, person) = (visitor.owner().ok()?.to_string(), visitor.who.person.id.uuid());
        let parts = [path.as_bytes(), owner.as_bytes(), person.as_bytes()];
        let purpose = Purpose { name: NAME, parts: &parts };
        serde_json::from_slice(&key(visitor).open(purpose, &sealed)?).ok()
    }
}

/// To the sheet of a path with what was typed: something checked, so that it is short enough for an
/// address.
pub(crate) fn to_sheet<T: Serialize>(
    visitor: &Visitor,
    path: &str,
    typed: &T,
) -> Result<Response, Problem> {
    let typed = serde_json::to_vec(typed).map_err(|error| Problem::internal(&error))?;
    let (owner, person) = (visitor.owner()?.to_string(), visitor.who.person.id.uuid());
    let parts = [path.as_bytes(), owner.as_bytes(), person.as_bytes()];
    let sealed = key(visitor).seal(Purpose { name: NAME, parts: &parts }, &typed);
    let sealed = sealed.ok_or_else(|| Problem::internal(&VaultError::TooLarge))?;
    Ok(see_other(&format!("{path}?draft={}", BASE64_URL_SAFE_NO_PAD.encode(sealed))))
}

fn key(visitor: &Visitor) -> DataKey {
    DataKey::derive(visitor.state.fingerprint_key.bytes(), DOMAIN)
}
