//! Reading an export: NDJSON in, rows out. What is not a line of an export is an item too, so that
//! it is located and does not end the check.

use std::{
    borrow::Cow,
    io::{BufRead, Read},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{
    AuditError,
    hash::Hash,
    payload,
    record::{Batch, Chunk, End, Event},
    text::Text,
    time,
};

/// No line of ours comes near it; it bounds what a file without line feeds can take of memory.
const LINE_BYTES_MAX: u64 = 64 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    #[serde(borrow)]
    Event(EventLine<'a>),
    #[serde(borrow)]
    Batch(BatchLine<'a>),
    #[serde(borrow)]
    End(EndLine<'a>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine<'a> {
    position: i64,
    #[serde(borrow)]
    aggregate_type: Text<'a>,
    #[serde(borrow)]
    aggregate_id: Text<'a>,
    sequence: i64,
    #[serde(borrow)]
    event_type: Text<'a>,
    #[serde(borrow)]
    event_version: Text<'a>,
    #[serde(borrow)]
    recorded_at: Text<'a>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    payload: Option<&'a RawValue>,
    #[serde(borrow, default)]
    payload_base64: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata_base64: Option<Text<'a>>,
    #[serde(borrow)]
    hash: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine<'a> {
    number: i64,
    last_position: i64,
    #[serde(borrow)]
    recorded_at: Text<'a>,
    #[serde(borrow)]
    head_hash: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine<'a> {
    events: i64,
    batches: i64,
    #[serde(borrow)]
    head_hash: Text<'a>,
}

/// A stored `null` is a payload like any other.
fn even_null<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The lines of an export.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    line: u64,
    read: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), line: 0, read: false }
    }

    /// The next lines; nothing at the end.
    ///
    /// # Errors
    /// [`AuditError::Io`], and [`AuditError::NotAnExport`] at the end of what has no line of one.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>, AuditError> {
        let mut chunk = Chunk::default();
        while !chunk.is_full() && self.next_line()? {
            match self.parse(&mut chunk) {
                Ok(()) => self.read = true,
                Err(reason) => chunk.unreadable(self.line, &reason),
            }
        }
        if !chunk.is_empty() {
            Ok(Some(chunk))
        } else if self.read {
            Ok(None)
        } else {
            Err(AuditError::NotAnExport)
        }
    }

    fn next_line(&mut self) -> Result<bool, AuditError> {
        self.buffer.clear();
        let mut line = (&mut self.reader).take(LINE_BYTES_MAX);
        line.read_until(b'\n', &mut self.buffer)?;
        self.line += 1;
        Ok(!self.buffer.is_empty())
    }

    fn parse(&self, chunk: &mut Chunk) -> Result<(), String> {
        match payload::read::<Line<'_>>(&self.buffer)? {
            Line::Event(line) => chunk.event(&Event {
                position: line.position,
                aggregate_type: &line.aggregate_type,
                aggregate_id: &line.aggregate_id,
                sequence: line.sequence,
                event_type: &line.event_type,
                event_version: &line.event_version,
                recorded_at: moment(&line.recorded_at)?,
                payload: &bytes(line.payload, line.payload_base64.as_ref(), "payload")?,
                metadata: &bytes(line.metadata, line.metadata_base64.as_ref(), "metadata")?,
                hash: &hash(&line.hash)?,
            }),
            Line::Batch(line) => chunk.batch(&Batch {
                number: line.number,
                last_position: line.last_position,
                recorded_at: moment(&line.recorded_at)?,
                head_hash: &hash(&line.head_hash)?,
            }),
            Line::End(line) => chunk.end(&End {
                events: line.events,
                batches: line.batches,
                head_hash: &hash(&line.head_hash)?,
            }),
        }
        Ok(())
    }
}

fn bytes<'a>(
    raw: Option<&'a RawValue>,
    base64: Option<&Text<'_>>,
    name: &str,
) -> Result<Cow<'a, [u8]>, String> {
    match (raw, base64) {
        (Some(raw), None) => Ok(Cow::Borrowed(raw.get().as_bytes())),
        (None, Some(text)) => BASE64_STANDARD
            .decode(text.as_bytes())
            .map(Cow::Owned)
            .map_err(|error| format!("{name}_base64: {error}")),
        (None, None) | (Some(_), Some(_)) => {
            Err(format!("one of {name} and {name}_base64 must be there"))
        }
    }
}

fn moment(text: &str) -> Result<i64, String> {
    time::parse(text).ok_or_else(|| format!("{text:?} is not a moment"))
}

fn hash(text: &str) -> Result<Hash, String> {
    let mut hash = [0; 32];
    let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
    if lower && hex::decode_to_slice(text, &mut hash).is_ok() {
        Ok(hash)
    } else {
        Err(format!("{text:?} is not a hash"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, AuditError> {
        let mut lines = Lines::new(text.as_bytes());
        let mut items = Vec::new();
        while let Some(chunk) = lines.next_chunk()? {
            items.extend(chunk.items().map(|item| format!("{item:?}")));
        }
        Ok(items)
    }

    #[test]
    fn what_has_no_line_of_an_export_is_not_one() {
        for text in ["", "\n\n", "hello\n", "{\"event\":{}}\n"] {
            assert!(matches!(read(text), Err(AuditError::NotAnExport)), "{text:?}");
        }
    }

    #[test]
    fn a_line_has_exactly_its_fields() {
        let head = "0".repeat(64);
        let end = format!("{{\"end\":{{\"events\":0,\"batches\":0,\"head_hash\":\"{head}\"}}}}\n");
        assert_eq!(read(&end).unwrap().len(), 1);
        let extra = end.replace("\"events\"", "\"x\":1,\"events\"");
        let twice = end.replace("\"events\"", "\"events\":0,\"events\"");
        let shouting = end.replace(&head, &"A".repeat(64));
        for bad in [extra, twice, shouting] {
            let items = read(&format!("{bad}{end}")).unwrap();
            assert!(items[0].starts_with("Unreadable"), "{bad}");
            assert!(items[1].starts_with("End"), "{bad}");
        }
    }
}
