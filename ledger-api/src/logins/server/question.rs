//! What a frontend asks for, and what is wrong with it.
//!
//! While it is not certain who asks and where the answer goes, nobody is sent anywhere: a page says
//! what is wrong. After that the frontend is told.

use axum::response::Response;
use openidconnect::url::Url;
use serde::Deserialize;

use super::Client;
use crate::{
    http::{ApiState, Problem, codes, session::see_other},
    identity::{Caller, Scope, ScopeSet},
};

/// The longest state that is carried around.
const STATE_CHARS_MAX: usize = 500;
/// A SHA-256 as base64url.
const CHALLENGE_CHARS: usize = 43;

/// The fields. Others are passed over, as the protocol has it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    pub(super) response_type: String,
    #[serde(default)]
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) redirect_uri: String,
    #[serde(default)]
    pub(super) scope: String,
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) code_challenge: String,
    #[serde(default)]
    pub(super) code_challenge_method: String,
}

impl Asked {
    pub(super) fn challenge(&self) -> &str {
        &self.code_challenge
    }
}

/// A question that may be put to somebody.
pub(super) struct Question {
    pub(super) client: Client,
    pub(super) scopes: ScopeSet,
    /// Where the answer goes.
    pub(super) origin: String,
}

/// Why somebody is shown what is wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum Faulty {
    /// Fields that are there twice.
    Fields,
    /// Nobody knows who asks.
    Client,
    /// The answer would go where it must not.
    RedirectUri,
}

impl From<Faulty> for Problem {
    fn from(faulty: Faulty) -> Self {
        let detail = match faulty {
            Faulty::Fields => "The address of this page is not complete.",
            Faulty::Client => "The app that sent you here is not known here.",
            Faulty::RedirectUri => {
                "The app that sent you here wants to be answered at an address that is not its own."
            }
        };
        Self::new(codes::INVALID, detail)
    }
}

/// The question; or what the frontend is told is wrong with it.
pub(super) async fn consider(
    state: &ApiState,
    asked: &Asked,
) -> Result<Result<Question, &'static str>, Problem> {
    let client = state.frontends.clients.find(&asked.client_id).await?.ok_or(Faulty::Client)?;
    if !client.redirect_uris.contains(&asked.redirect_uri) {
        return Err(Faulty::RedirectUri.into());
    }
    let url: Url = asked.redirect_uri.parse().map_err(|_| Faulty::RedirectUri)?;
    let challenge = asked.code_challenge_method == "S256"
        && asked.code_challenge.len() == CHALLENGE_CHARS
        && asked.code_challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if asked.response_type != "code" {
        return Ok(Err("unsupported_response_type"));
    }
    if !challenge || asked.state.len() > STATE_CHARS_MAX {
        return Ok(Err("invalid_request"));
    }
    let Some(scopes) = of_people(&asked.scope) else {
        return Ok(Err("invalid_scope"));
    };
    Ok(Ok(Question { client, scopes, origin: url.origin().ascii_serialization() }))
}

/// The scopes that are asked for, if all are such as people have and there is one.
fn of_people(text: &str) -> Option<ScopeSet> {
    let scopes: Option<Vec<Scope>> = text
        .split_ascii_whitespace()
        .map(|name| name.parse().ok().filter(|scope| Caller::OF_PEOPLE.contains(scope)))
        .collect();
    scopes.filter(|scopes| !scopes.is_empty()).map(|scopes| ScopeSet::of(&scopes))
}

/// Sends the browser back to the frontend with an answer.
pub(super) fn sent_back(asked: &Asked, issuer: &str, answer: &[(&str, &str)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if !asked.state.is_empty() {
        query.append_pair("state", &asked.state);
    }
    query.append_pair("iss", issuer);
    let separator = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    see_other(&format!("{}{separator}{}", asked.redirect_uri, query.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scopes_of_people_are_given_to_frontends() {
        let both = of_people("balances:read transfers:write").unwrap();
        assert!(both.has(Scope::BalancesRead) && both.has(Scope::TransfersWrite));
        for bad in ["", " ", "admin", "balances:read ops:write", "balances", "ledger:write"] {
            assert_eq!(of_people(bad), None, "{bad}");
        }
    }
}
