//! The parameters of a link: split at `&` and `=`, percent-decoded, each once.

use std::{borrow::Cow, fmt};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::LinkError;

/// What stands in a link as it is; everything else is `%` and two digits, a space `%20`.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// Parameters in their order.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads what follows the `?`.
    pub(super) fn parse(text: &str) -> Result<Self, LinkError> {
        if !text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(LinkError::Malformed);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(LinkError::Malformed)?;
            let name = decoded(name)?.to_ascii_lowercase();
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err(LinkError::Repeated);
            }
            parameters.push((name, decoded(value)?.into_owned()));
        }
        Ok(Self(parameters))
    }

    /// A parameter's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Goes on only if there are no others than these.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), LinkError> {
        let known = self.0.iter().all(|(name, _)| names.contains(&name.as_str()));
        if known { Ok(()) } else { Err(LinkError::Unknown) }
    }
}

/// Percent-decoded; a `%` without two digits is damage, not a per cent.
fn decoded(text: &str) -> Result<Cow<'_, str>, LinkError> {
    let is_hex = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_hexdigit());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' && !(is_hex(rest.next()) && is_hex(rest.next())) {
            return Err(LinkError::Malformed);
        }
    }
    percent_decode_str(text).decode_utf8().map_err(|_| LinkError::Malformed)
}

/// Writes a link with those of its parameters that there are.
pub(super) fn write(
    f: &mut fmt::Formatter<'_>,
    head: &str,
    parts: &[(&str, Option<String>)],
) -> fmt::Result {
    f.write_str(head)?;
    let there = parts.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
    for (index, (name, value)) in there.enumerate() {
        let before = if index == 0 { '?' } else { '&' };
        write!(f, "{before}{name}={}", utf8_percent_encode(value, ENCODED))?;
    }
    Ok(())
}
