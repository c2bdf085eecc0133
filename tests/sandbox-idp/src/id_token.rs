//! What a token of the OpenID Connect provider says, rightly or as a fault has it.

use serde_json::{Map, Value, json};

use crate::{
    faults::Fault,
    keys::{Keys, Signing},
    people::Person,
};

/// How long a token is good for.
const LASTS_SECONDS: i64 = 3600;

/// What a token is about.
pub(crate) struct About<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) nonce: Option<&'a str>,
    pub(crate) person: &'a Person,
    /// In seconds since 1970.
    pub(crate) now: i64,
}

/// The token.
pub(crate) fn signed(keys: &Keys, about: &About<'_>, fault: Fault) -> String {
    keys.sign(&claims(about, fault), signing(fault))
}

/// What is said of a person, in tokens and by `userinfo`.
pub(crate) fn person_claims(person: &Person, fault: Fault) -> Map<String, Value> {
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(person.subject()));
    claims.insert("name".to_owned(), json!(person.name));
    if fault != Fault::NoEmail {
        let verified = person.email_verified && fault != Fault::UnverifiedEmail;
        claims.insert("email".to_owned(), json!(person.email));
        claims.insert("email_verified".to_owned(), json!(verified));
    }
    claims
}

fn claims(about: &About<'_>, fault: Fault) -> Value {
    let mut claims = person_claims(about.person, fault);
    let issuer = if fault == Fault::WrongIss { "https://elsewhere.example" } else { about.issuer };
    let audience = if fault == Fault::WrongAud { "another-service" } else { about.client_id };
    let past = if fault == Fault::Expired { 2 * LASTS_SECONDS } else { 0 };
    let from = about.now.saturating_sub(past);
    claims.insert("iss".to_owned(), json!(issuer));
    claims.insert("aud".to_owned(), json!(audience));
    claims.insert("iat".to_owned(), json!(from));
    // Its page asks who one is each time.
    claims.insert("auth_time".to_owned(), json!(from));
    claims.insert("exp".to_owned(), json!(from.saturating_add(LASTS_SECONDS)));
    let asked = about.nonce.filter(|_| fault != Fault::NoNonce);
    let foreign = Some("of-another-request").filter(|_| fault == Fault::WrongNonce);
    if let Some(nonce) = foreign.or(asked) {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    Value::Object(claims)
}

fn signing(fault: Fault) -> Signing {
    if fault == Fault::AlgNone {
        Signing::Nothing
    } else if fault == Fault::Hs256PublicKey {
        Signing::PublicKeyAsSecret
    } else if fault == Fault::ForeignKid {
        Signing::ForeignKid
    } else if fault == Fault::ForeignKey {
        Signing::ForeignKey
    } else {
        Signing::Right
    }
}
