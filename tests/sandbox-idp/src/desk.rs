//! Codes and tokens: made when a person consents, redeemed once by the service that asked.
//!
//! It does no I/O. Everything is in memory and gone with the process: logins take seconds.

use std::{collections::BTreeMap, fmt::Write as _};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{
    faults::{Fault, Provider},
    keys::{self, NoRandom},
    people::{self, Person},
};

/// A service that people log in to from here.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name here.
    pub id: String,
    /// What it shows when it redeems a code.
    pub secret: String,
    /// Where browsers may be sent back to: these addresses, exactly.
    pub redirect_uris: Vec<String>,
}

/// What a service asks a browser to ask for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    pub(crate) response_type: String,
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) code_challenge: Option<String>,
    pub(crate) code_challenge_method: Option<String>,
}

/// What a redeemed code is worth.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) provider: Provider,
    pub(crate) client_id: String,
    redirect_uri: String,
    pub(crate) nonce: Option<String>,
    challenge: String,
    pub(crate) number: u64,
}

/// A code and what must be shown with it.
#[derive(Debug, Clone)]
pub(crate) struct Redemption<'a> {
    pub(crate) provider: Provider,
    pub(crate) code: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) secret: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
}

/// What changes about a person.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Whom it is about.
    pub login: String,
    /// From now on the address is this one.
    pub email: Option<String>,
    /// From now on the address is verified, or not.
    pub email_verified: Option<bool>,
    /// From now on the person is called this.
    pub new_login: Option<String>,
    /// The account is closed, and somebody else gets its name and its address.
    #[serde(default)]
    pub recycled: bool,
}

/// What is open.
pub struct Desk {
    client: Client,
    people: Vec<Person>,
    codes: BTreeMap<String, Grant>,
    tokens: BTreeMap<String, u64>,
    faults: BTreeMap<Provider, Fault>,
    next_number: u64,
}

impl Desk {
    /// With nothing open and everybody in place.
    pub(crate) fn open(client: Client) -> Self {
        Self {
            client,
            people: people::usual(),
            codes: BTreeMap::new(),
            tokens: BTreeMap::new(),
            faults: BTreeMap::new(),
            next_number: 9001,
        }
    }

    pub(crate) fn fault(&self, provider: Provider) -> Fault {
        self.faults.get(&provider).copied().unwrap_or_default()
    }

    pub(crate) fn set_fault(&mut self, provider: Provider, fault: Fault) {
        self.faults.insert(provider, fault);
    }

    pub(crate) fn set_redirect_uris(&mut self, redirect_uris: Vec<String>) {
        self.client.redirect_uris = redirect_uris;
    }

    pub(crate) fn people(&self) -> &[Person] {
        &self.people
    }

    pub(crate) fn person(&self, number: u64) -> Option<&Person> {
        self.people.iter().find(|person| person.number == number)
    }

    /// Makes a change; false if there is nobody of that name.
    pub(crate) fn change(&mut self, change: Change) -> bool {
        let Some(person) = self.people.iter_mut().find(|person| person.login == change.login)
        else {
            return false;
        };
        if change.recycled {
            person.number = self.next_number;
            self.next_number = self.next_number.saturating_add(1);
        }
        if let Some(email) = change.email {
            person.email = email;
        }
        if let Some(verified) = change.email_verified {
            person.email_verified = verified;
        }
        if let Some(login) = change.new_login {
            person.login = login;
        }
        true
    }

    /// What is wrong with a question, if the browser can't even be sent back.
    pub(crate) fn objection(&self, asked: &Asked) -> Option<&'static str> {
        if asked.client_id != self.client.id {
            Some("there is no service of this client_id")
        } else if !self.client.redirect_uris.contains(&asked.redirect_uri) {
            Some("the redirect_uri is not one of the service's")
        } else if asked.response_type != "code" {
            Some("the response_type is not code")
        } else if asked.code_challenge_method.as_deref() != Some("S256")
            || asked.code_challenge.as_ref().is_none_or(|text| text.len() != 43)
        {
            Some("there is no code_challenge of the method S256")
        } else if asked.state.len() < 16 {
            Some("the state is too short to be a secret")
        } else {
            None
        }
    }

    /// A code for a service that asked rightly and a person who agreed.
    pub(crate) fn consent(
        &mut self,
        provider: Provider,
        asked: &Asked,
        login: &str,
    ) -> Result<Option<String>, NoRandom> {
        let Some(person) = self.people.iter().find(|person| person.login == login) else {
            return Ok(None);
        };
        let grant = Grant {
            provider,
            client_id: asked.client_id.clone(),
            redirect_uri: asked.redirect_uri.clone(),
            nonce: asked.nonce.clone(),
            challenge: asked.code_challenge.clone().unwrap_or_default(),
            number: person.number,
        };
        let code = secret("code_")?;
        self.codes.insert(code.clone(), grant);
        Ok(Some(code))
    }

    /// Redeems a code, once: whoever comes with it, it is gone.
    pub(crate) fn redeem(&mut self, shown: &Redemption<'_>) -> Result<Grant, &'static str> {
        let known = shown.client_id == self.client.id
            && bool::from(shown.secret.as_bytes().ct_eq(self.client.secret.as_bytes()));
        if !known {
            return Err("invalid_client");
        }
        let grant = self.codes.remove(shown.code).ok_or("invalid_grant")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(shown.verifier.as_bytes()));
        let fits = grant.provider == shown.provider
            && grant.client_id == shown.client_id
            && grant.redirect_uri == shown.redirect_uri
            && grant.challenge == challenge;
        if fits { Ok(grant) } else { Err("invalid_grant") }
    }

    /// A token that reads what is known of a person.
    pub(crate) fn issue(&mut self, number: u64) -> Result<String, NoRandom> {
        let token = secret("sandbox_")?;
        self.tokens.insert(token.clone(), number);
        Ok(token)
    }

    /// Whose token it is.
    pub(crate) fn bearer(&self, token: &str) -> Option<&Person> {
        self.person(*self.tokens.get(token)?)
    }
}

fn secret(prefix: &str) -> Result<String, NoRandom> {
    let mut text = prefix.to_owned();
    for byte in keys::random()? {
        // Writing to a String does not fail.
        write!(text, "{byte:02x}").map_err(|_| NoRandom)?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";

    fn desk() -> Desk {
        Desk::open(Client {
            id: "bahi".to_owned(),
            secret: "s".to_owned(),
            redirect_uris: vec!["http://a/back".to_owned()],
        })
    }

    fn asked() -> Asked {
        Asked {
            response_type: "code".to_owned(),
            client_id: "bahi".to_owned(),
            redirect_uri: "http://a/back".to_owned(),
            state: "0123456789abcdef".to_owned(),
            scope: String::new(),
            nonce: None,
            code_challenge: Some(URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER))),
            code_challenge_method: Some("S256".to_owned()),
        }
    }

    fn shown<'a>(code: &'a str, verifier: &'a str) -> Redemption<'a> {
        Redemption {
            provider: Provider::Google,
            code,
            client_id: "bahi",
            secret: "s",
            redirect_uri: "http://a/back",
            verifier,
        }
    }

    #[test]
    fn a_code_is_redeemed_once_and_with_its_verifier_only() {
        let mut desk = desk();
        let code = desk.consent(Provider::Google, &asked(), "asha").unwrap().unwrap();
        assert_eq!(desk.redeem(&shown(&code, VERIFIER)).unwrap().number, 4101);
        assert_eq!(desk.redeem(&shown(&code, VERIFIER)).unwrap_err(), "invalid_grant");
        let code = desk.consent(Provider::Google, &asked(), "asha").unwrap().unwrap();
        assert_eq!(desk.redeem(&shown(&code, "another")).unwrap_err(), "invalid_grant");
        let code = desk.consent(Provider::Github, &asked(), "asha").unwrap().unwrap();
        assert_eq!(desk.redeem(&shown(&code, VERIFIER)).unwrap_err(), "invalid_grant");
    }

    #[test]
    fn questions_without_proof_keys_or_with_foreign_addresses_are_refused() {
        let desk = desk();
        assert_eq!(desk.objection(&asked()), None);
        let plain = Asked { code_challenge_method: Some("plain".to_owned()), ..asked() };
        let none = Asked { code_challenge: None, ..asked() };
        let foreign = Asked { redirect_uri: "http://a/back/".to_owned(), ..asked() };
        let other = Asked { client_id: "other".to_owned(), ..asked() };
        for bad in [plain, none, foreign, other] {
            assert!(desk.objection(&bad).is_some(), "{bad:?}");
        }
    }
}
