//! The idempotency key, and the fingerprint of the request that it came with.
//!
//! The fingerprint is an HMAC over the operation, the path's parameters and a canonical form of
//! the parsed request: fields in the order of our structs, absent ones left out, amounts without
//! trailing zeros. So the same request with its JSON reordered, respaced or written with other
//! escapes is the same request, and a field added by a later release does not change the
//! fingerprints of requests that do not have it. Keyed, because the requests behind stored
//! fingerprints could be guessed otherwise.

use axum::{extract::FromRequestParts, http::request::Parts};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ledger_core::{command::Idempotency, ids::IdempotencyKey};
use serde::Serialize;
use sha2::Sha256;

use super::{ApiState, FingerprintKey, Problem, codes};

/// The most bytes of a bulk request's key: `/` and an index follow it.
pub(crate) const BULK_KEY_LEN_MAX: usize = 250;
const DOMAIN: &[u8] = b"bahi:request:1";

/// The key that the client sent.
#[derive(Debug, Clone)]
pub(crate) struct Key(pub(crate) IdempotencyKey);

impl FromRequestParts<ApiState> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else {
            return Err(Problem::new(
                codes::IDEMPOTENCY_KEY_MISSING,
                "Send the header Idempotency-Key.",
            ));
        };
        let text = value.to_str().ok().filter(|_| values.next().is_none());
        text.and_then(parse).map(Self).ok_or_else(|| {
            Problem::new(
                codes::IDEMPOTENCY_KEY_INVALID,
                "The key must be 1 to 255 visible ASCII characters, in one header.",
            )
        })
    }
}

/// Takes the bare and the quoted form; both name the same key.
fn parse(text: &str) -> Option<IdempotencyKey> {
    let Some(rest) = text.strip_prefix('"') else {
        return text.parse().ok();
    };
    let inner = rest.strip_suffix('"')?;
    // Escapes exist in the quoted form; a key that needs one has two texts, so it is refused.
    let plain = !inner.contains(['"', '\\']);
    inner.parse().ok().filter(|_| plain)
}

/// The key with the fingerprint of the request that it came with.
pub(crate) fn bind(
    secret: &FingerprintKey,
    key: IdempotencyKey,
    operation: &str,
    path: &[&str],
    request: &impl Serialize,
) -> Result<Idempotency, Problem> {
    let canonical = serde_json::to_vec(request).map_err(|error| Problem::internal(&error))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.bytes())
        .map_err(|error| Problem::internal(&error))?;
    mac.update(DOMAIN);
    for part in [operation].iter().chain(path) {
        update(&mut mac, part.as_bytes());
    }
    update(&mut mac, &canonical);
    Ok(Idempotency { key, fingerprint: mac.finalize().into_bytes().into() })
}

/// With its length before it, so that no two lists of parts run together to the same bytes.
fn update(mac: &mut Hmac<Sha256>, part: &[u8]) {
    let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
    mac.update(&length.to_be_bytes());
    mac.update(part);
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Body {
        a: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        b: Option<u8>,
    }

    fn print(operation: &str, path: &[&str], json: &str) -> [u8; 32] {
        let body: Body = serde_json::from_str(json).unwrap();
        let secret = FingerprintKey::new([7; 32]);
        let key = "k".parse().unwrap();
        bind(&secret, key, operation, path, &body).unwrap().fingerprint
    }

    #[test]
    fn case_24_reordered_and_respaced_json_is_the_same_request() {
        let one = print("post", &[], r#"{"a":"x","b":1}"#);
        assert_eq!(one, print("post", &[], "{ \"b\" : 1,\n \"a\": \"\\u0078\" }"));
        assert_eq!(print("post", &[], r#"{"a":"x"}"#), print("post", &[], r#"{"a":"x","b":null}"#));
    }

    #[test]
    fn case_23_another_body_path_or_operation_is_another_request() {
        let one = print("capture", &["hold_1"], r#"{"a":"x"}"#);
        assert_ne!(one, print("capture", &["hold_1"], r#"{"a":"y"}"#));
        assert_ne!(one, print("capture", &["hold_2"], r#"{"a":"x"}"#));
        assert_ne!(one, print("release", &["hold_1"], r#"{"a":"x"}"#));
        assert_ne!(one, print("capture", &["hold_", "1"], r#"{"a":"x"}"#));
    }

    #[test]
    fn case_26_bare_and_quoted_keys_are_one_and_bad_ones_are_refused() {
        assert_eq!(parse("abc"), parse("\"abc\""));
        assert!(parse("abc").is_some());
        let long = "k".repeat(256);
        for bad in ["", "\"\"", "\"", "\"abc", "a b", "\"a\\\"b\"", "é", &long] {
            assert!(parse(bad).is_none(), "{bad}");
        }
        assert!(parse(&"k".repeat(255)).is_some());
    }
}
