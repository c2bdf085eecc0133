//! Requests that others make a browser send: how they are told from those of our own pages.
//!
//! Two things must be right. The browser says where the request comes from (`Origin`, or else
//! `Sec-Fetch-Site`), and no other page can make it say something else; and the request has a
//! token that follows from the session and stands in our own pages alone.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::SessionId;
use crate::people::PeopleKey;

/// The header that the token stands in, where there is no form.
pub const HEADER: &str = "x-csrf-token";
/// The field of forms that the token stands in.
pub const FIELD: &str = "csrf";

/// Where our own pages come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// From exactly here: `https://wallet.example`.
    Exactly(String),
    /// From whatever host the request was sent to: for a service that was told no public address.
    SameAsHost,
}

/// Why a request is not taken for one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// It comes from another page, or does not say where from.
    #[error("the request does not come from a page of ours")]
    Origin,
    /// It has no token, or that of another session.
    #[error("the request has not the token of this session")]
    Token,
}

/// The token of a session.
pub fn token(key: &PeopleKey, session: SessionId) -> String {
    hex::encode(key.hash("csrf", &[session.uuid().as_bytes()]))
}

/// Whether a request that changes something is one of ours: it says where it comes from, and has
/// the token of the session.
///
/// # Errors
/// [`Foreign`].
pub fn check(
    headers: &HeaderMap,
    ours: &Origin,
    (key, session): (&PeopleKey, SessionId),
    field: Option<&str>,
) -> Result<(), Foreign> {
    if !is_said_ours(headers, ours).unwrap_or(false) {
        return Err(Foreign::Origin);
    }
    let header = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let given = field.or(header).unwrap_or_default();
    let right = token(key, session);
    if bool::from(given.as_bytes().ct_eq(right.as_bytes())) { Ok(()) } else { Err(Foreign::Token) }
}

/// The same for a request without a session: it must not say that it comes from elsewhere. Clients
/// that are no browsers say nothing, and need not.
///
/// # Errors
/// [`Foreign::Origin`].
pub fn check_origin(headers: &HeaderMap, ours: &Origin) -> Result<(), Foreign> {
    if is_said_ours(headers, ours).unwrap_or(true) { Ok(()) } else { Err(Foreign::Origin) }
}

/// What the browser says; nothing if it says nothing. If it says both, both must be right.
pub fn is_said_ours(headers: &HeaderMap, ours: &Origin) -> Option<bool> {
    let site = headers.get("sec-fetch-site").map(|site| site == "same-origin");
    let origin = headers.get(header::ORIGIN).map(|origin| {
        let one = headers.get_all(header::ORIGIN).iter().count() == 1;
        let said = origin.to_str().unwrap_or_default();
        one && match ours {
            Origin::Exactly(ours) => said == ours,
            Origin::SameAsHost => {
                let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
                let from = said.strip_prefix("http://").or_else(|| said.strip_prefix("https://"));
                from.is_some_and(|from| !from.is_empty()) && from == host
            }
        }
    });
    match (site, origin) {
        (None, said) | (said, None) => said,
        (Some(site), Some(origin)) => Some(site && origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://wallet.example";

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn said(pairs: &[(&'static str, &str)]) -> Option<bool> {
        is_said_ours(&headers(pairs), &Origin::Exactly(OURS.to_owned()))
    }

    #[test]
    fn case_130_missing_null_foreign_and_sub_domain_origins_are_not_ours() {
        assert_eq!(said(&[("origin", OURS)]), Some(true));
        assert_eq!(said(&[("sec-fetch-site", "same-origin")]), Some(true));
        assert_eq!(said(&[]), None);
        for origin in [
            "null",
            "",
            "https://evil.example",
            "https://a.wallet.example",
            "https://wallet.example.evil",
            "http://wallet.example",
            "https://wallet.example:8443",
            "https://wallet.example/",
            "HTTPS://wallet.example",
        ] {
            assert_eq!(said(&[("origin", origin)]), Some(false), "{origin}");
            let both = [("origin", origin), ("sec-fetch-site", "same-origin")];
            assert_eq!(said(&both), Some(false), "{origin}");
        }
        for site in ["cross-site", "same-site", "none", ""] {
            assert_eq!(said(&[("sec-fetch-site", site)]), Some(false), "{site}");
            assert_eq!(said(&[("origin", OURS), ("sec-fetch-site", site)]), Some(false), "{site}");
        }
        assert_eq!(said(&[("origin", OURS), ("origin", "https://evil.example")]), Some(false));
    }

    #[test]
    fn without_a_public_address_the_host_that_was_asked_is_ours() {
        let said = |origin: &str, host: &str| {
            is_said_ours(&headers(&[("origin", origin), ("host", host)]), &Origin::SameAsHost)
        };
        assert_eq!(said("http://127.0.0.1:8080", "127.0.0.1:8080"), Some(true));
        assert_eq!(said("http://localhost:8080", "127.0.0.1:8080"), Some(false));
        assert_eq!(said("null", "127.0.0.1:8080"), Some(false));
        assert_eq!(said("http://", ""), Some(false));
    }

    #[test]
    fn case_130_a_token_is_of_one_session() {
        let key = PeopleKey::derive(&[1; 32]);
        let id = |digit: &str| format!("ses_{}", digit.repeat(32)).parse::<SessionId>().unwrap();
        let (own, other) = (id("1"), id("2"));
        let check = |token: &str| {
            let headers = headers(&[("origin", OURS), (HEADER, token)]);
            check(&headers, &Origin::Exactly(OURS.to_owned()), (&key, own), None)
        };
        assert_eq!(check(&token(&key, own)), Ok(()));
        assert_eq!(check(&token(&key, other)), Err(Foreign::Token));
        assert_eq!(check(""), Err(Foreign::Token));
        let none = headers(&[(HEADER, &token(&key, own))]);
        let ours = Origin::Exactly(OURS.to_owned());
        assert_eq!(super::check(&none, &ours, (&key, own), None), Err(Foreign::Origin));
    }
}
