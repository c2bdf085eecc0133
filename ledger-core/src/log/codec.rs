//! Events as bytes, and back.
//!
//! The payload of a stored event is the inner struct of its variant as compact JSON; the variant's
//! name stands in `event_type`, so it is not written twice. Those bytes are what is hashed.
//! Decoding is strict: an unknown type, a version from the future or an unknown field is corrupt
//! data to this program, never something to skip.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

/// The version that every event is written in today.
pub const EVENT_VERSION: &str = "1.0";

/// Why stored bytes are not an event that this program knows.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by a newer program, or not by this one at all.
    #[error("version {version} of event {event_type} is unknown")]
    UnknownVersion {
        /// The stored type.
        event_type: String,
        /// The stored version.
        version: String,
    },
    /// The type is unknown, or the payload is not of its shape.
    #[error("event {event_type} does not decode")]
    Malformed {
        /// The stored type.
        event_type: String,
        /// What the decoder said.
        source: serde_json::Error,
    },
    /// The payload is not text.
    #[error("the payload of event {event_type} is not UTF-8")]
    NotText {
        /// The stored type.
        event_type: String,
    },
}

/// The names of an event enum's variants: its contract with the log.
macro_rules! event_names {
    ($event:ident { $($pattern:ident $shape:tt => $name:literal),+ $(,)? }) => {
        impl $event {
            /// Every `event_type` of this kind of stream.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// This event's `event_type`.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$pattern $shape => $name),+
                }
            }
        }
    };
}
pub(crate) use event_names;

/// The payload bytes of `event`: the JSON of its variant's inner struct.
///
/// # Errors
/// Only if the event does not serialise, which none of ours can.
pub fn encode<E: Serialize>(event: &E) -> Result<Vec<u8>, serde_json::Error> {
    // Externally tagged JSON is `{"name":payload}`; the payload is cut out of it.
    let mut bytes = serde_json::to_vec(event)?;
    let start = bytes.iter().position(|b| *b == b':').map_or(0, |colon| colon.saturating_add(1));
    bytes.drain(..start);
    bytes.pop();
    Ok(bytes)
}

/// The event that `payload` is, by its stored type and version.
///
/// # Errors
/// [`CodecError`], each kind of which means that this program must stop trusting the stream.
pub fn decode<E: DeserializeOwned>(
    event_type: &str,
    version: &str,
    payload: &[u8],
) -> Result<E, CodecError> {
    if version != EVENT_VERSION {
        return Err(CodecError::UnknownVersion {
            event_type: event_type.to_owned(),
            version: version.to_owned(),
        });
    }
    let text = std::str::from_utf8(payload)
        .map_err(|_| CodecError::NotText { event_type: event_type.to_owned() })?;
    let malformed = |source| CodecError::Malformed { event_type: event_type.to_owned(), source };
    // Checked on its own first, so that a payload cannot close the tag that is put around it.
    let raw: &RawValue = serde_json::from_str(text).map_err(malformed)?;
    let name = serde_json::to_string(event_type).map_err(malformed)?;
    serde_json::from_str(&format!("{{{name}:{}}}", raw.get())).map_err(malformed)
}

/// Who and what caused an event: the metadata of the first leg, and of events that are not legs.
/// On further legs it is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The principal that acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The second person, where two are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// The request that it acted by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The book's sequence: which version of its rules the decision stood under. A text, as all
    /// values of metadata are (the shape that cqrs-es reads).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub book: Option<String>,
    /// Why, in the words of the one who acted; adjustments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of the evidence, in lower-case hexadecimal; adjustments only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountEvent;

    #[test]
    fn a_payload_is_the_inner_struct() {
        let event = AccountEvent::Closed {};
        assert_eq!(encode(&event).unwrap(), b"{}");
        assert_eq!(decode::<AccountEvent>("closed", "1.0", b"{}").unwrap(), event);
    }

    #[test]
    fn case_80_unknown_types_versions_and_fields_are_a_hard_stop() {
        let decode = decode::<AccountEvent>;
        assert!(matches!(decode("closed", "2.0", b"{}"), Err(CodecError::UnknownVersion { .. })));
        assert!(matches!(decode("melted", "1.0", b"{}"), Err(CodecError::Malformed { .. })));
        assert!(matches!(decode("closed", "1.0", b"{\"x\":1}"), Err(CodecError::Malformed { .. })));
        assert!(matches!(decode("closed", "1.0", b"\xff"), Err(CodecError::NotText { .. })));
        let smuggled = b"{},\"opened\":{}";
        assert!(matches!(decode("closed", "1.0", smuggled), Err(CodecError::Malformed { .. })));
    }
}
