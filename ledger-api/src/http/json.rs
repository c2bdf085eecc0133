//! Bodies: bounded, in time, and typed.
//!
//! A body is read into the very struct that the handler works with. It never becomes a tree of
//! JSON values first: those keep the last of two equal keys and turn long integers into floats.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::{ApiState, Problem, codes, objects::Objects};

/// The most bytes of an ordinary body.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// The most bytes of a bulk request's body.
pub(crate) const BULK_BYTES_MAX: usize = 1024 * 1024;
/// How long a body may take to arrive; shorter than a handler's time, so that the answer says
/// that nothing was done.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(8);

/// A body that has arrived: JSON by its own word, not yet read.
#[derive(Debug)]
pub(crate) struct Payload<const BYTES_MAX: usize = BODY_BYTES_MAX>(Bytes);

impl<const BYTES_MAX: usize> Payload<BYTES_MAX> {
    /// Reads the body as a `T`.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let mut json = serde_json::Deserializer::from_slice(&self.0);
        let read = T::deserialize(Objects(&mut json)).and_then(|body| json.end().map(|()| body));
        read.map_err(|error| problem::<T>(&self.0, &error))
    }

    /// A body that was made here, of what somebody asked for in another form.
    pub(crate) fn of(body: &impl serde::Serialize) -> Result<Self, Problem> {
        let bytes = serde_json::to_vec(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self(bytes.into()))
    }

    /// Reads the body as a `T`; no body is the same as `{}`.
    pub(crate) fn parse_or_empty<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        if self.0.is_empty() {
            let empty = Self(Bytes::from_static(b"{}"));
            return empty.parse();
        }
        self.parse()
    }
}

impl<const BYTES_MAX: usize> FromRequest<ApiState> for Payload<BYTES_MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &ApiState) -> Result<Self, Problem> {
        let stated = stated_length(request.headers());
        let typed = is_plain_json(request.headers());
        if stated.is_some_and(|length| length > 0 && length <= BYTES_MAX) && !typed {
            return Err(unsupported());
        }
        let bytes = collect(request, BYTES_MAX).await?;
        if !bytes.is_empty() && !typed {
            return Err(unsupported());
        }
        Ok(Self(bytes))
    }
}

/// The bytes of a body, whatever they are: at most so many, and in time.
pub(crate) async fn collect(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(codes::TOO_LARGE, format!("At most {bytes_max} bytes."));
    if stated_length(request.headers()).is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let body = Limited::new(request.into_body(), bytes_max).collect();
    let collected = tokio::time::timeout(BODY_TIMEOUT, body)
        .await
        .map_err(|_| Problem::new(codes::REQUEST_TIMEOUT, "The body did not arrive in time."))?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                too_large()
            } else {
                Problem::new(codes::MALFORMED, "The body did not arrive whole.")
            }
        })?;
    Ok(collected.to_bytes())
}

fn stated_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn unsupported() -> Problem {
    Problem::new(
        codes::UNSUPPORTED_MEDIA_TYPE,
        "Send the body as application/json, not compressed.",
    )
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return false;
    }
    let Some(Ok(value)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let mut parts = value.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    let charset_ok = parts.all(|part| {
        let part = part.trim().to_ascii_lowercase();
        !part.starts_with("charset=") || matches!(&*part, "charset=utf-8" | "charset=\"utf-8\"")
    });
    essence.eq_ignore_ascii_case("application/json") && charset_ok
}

/// Says what is wrong with a body. The pointer costs a second read, which only bad bodies pay.
fn problem<T: DeserializeOwned>(bytes: &[u8], error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::new(codes::MALFORMED, format!("The body is not JSON: {error}."));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let pointer = match serde_path_to_error::deserialize::<_, T>(Objects(&mut deserializer)) {
        Ok(_) => String::new(),
        Err(error) => {
            let mut pointer = pointer(error.path());
            if let Some(field) = named_field(&error.inner().to_string()) {
                pointer.push('/');
                pointer.push_str(field);
            }
            pointer
        }
    };
    Problem::field(codes::INVALID, pointer, format!("{error}."))
}

/// The field that a message is about where the path ends at the object around it.
pub(super) fn named_field(message: &str) -> Option<&str> {
    ["missing field `", "duplicate field `"]
        .into_iter()
        .find_map(|start| message.strip_prefix(start)?.split('`').next())
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => {
                pointer.push('/');
                pointer.push_str(&index.to_string());
            }
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Outer {
        inner: Vec<Inner>,
        note: Option<String>,
        most: Option<Inner>,
        #[serde(default)]
        by_name: BTreeMap<String, Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read")]
    struct Inner {
        value: String,
    }

    fn refused(body: &str) -> Problem {
        let payload: Payload = Payload(Bytes::copy_from_slice(body.as_bytes()));
        payload.parse::<Outer>().unwrap_err()
    }

    fn pointed(body: &str) -> String {
        let problem = refused(body);
        assert_eq!((problem.status(), problem.code()), (422, "invalid"), "{body}");
        problem.body().errors[0].pointer.clone()
    }

    #[test]
    fn case_155_numbers_unknown_and_duplicate_fields_are_refused_with_a_pointer() {
        assert_eq!(pointed(r#"{"inner":[{"value":"1"},{"value":1.0}]}"#), "/inner/1/value");
        assert_eq!(pointed(r#"{"inner":[{"value":9007199254740993}]}"#), "/inner/0/value");
        assert_eq!(pointed(r#"{"inner":[],"nope":1}"#), "/nope");
        assert_eq!(pointed(r#"{"inner":[{"value":"1","value":"2"}]}"#), "/inner/0/value");
        assert_eq!(pointed(r#"{"note":null}"#), "/inner");
        assert_eq!(pointed(r#"{"inner":{}}"#), "/inner");
        assert_eq!(pointed("[]"), "");
    }

    #[test]
    fn the_values_of_an_object_without_its_names_are_not_the_object() {
        assert_eq!(pointed("[[],null]"), "");
        assert_eq!(pointed(r#"{"inner":[["1"]]}"#), "/inner/0");
        assert_eq!(pointed(r#"{"inner":[],"most":["1"]}"#), "/most");
        assert_eq!(pointed(r#"{"inner":[],"by_name":{"a":["1"]}}"#), "/by_name/a");
        let detail = refused("[]").body().detail.clone();
        assert!(detail.contains("expected an object"), "{detail}");
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = "[".repeat(100_000);
        let nul = "{\"note\":\"\0\"}";
        for bad in ["", "{", "nonsense", "{\"inner\":[]} x", r#"{"note":"\ud800"}"#, nul, &deep] {
            let problem = refused(bad);
            let expected = if bad.starts_with('[') { 422 } else { 400 };
            assert_eq!(problem.status(), expected, "{bad:.40}");
        }
    }
}
