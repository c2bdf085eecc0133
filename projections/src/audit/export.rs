//! Writing an export: the log of a database as NDJSON, as docs/events.md describes it.
//!
//! It judges nothing: what is stored is what is written, tampered or not, so that an export can be
//! evidence. Payload and metadata are the stored bytes wherever one line of JSON can hold them.

use std::io::Write;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::PgPool;

use super::{
    AuditError, Progress,
    database::LogReader,
    hash,
    record::{Batch, Event, Item},
    time,
};

/// What an export holds, as its last line says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExportSummary {
    /// How many events.
    pub events: u64,
    /// How many batches.
    pub batches: u64,
    /// The head of the chain, in hexadecimal.
    pub head_hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Event(EventLine<'a>),
    Batch(BatchLine),
    End(&'a ExportSummary),
}

#[derive(Serialize)]
struct EventLine<'a> {
    position: i64,
    aggregate_type: &'a str,
    aggregate_id: &'a str,
    sequence: i64,
    event_type: &'a str,
    event_version: &'a str,
    recorded_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_base64: Option<String>,
    hash: String,
}

#[derive(Serialize)]
struct BatchLine {
    number: i64,
    last_position: i64,
    recorded_at: String,
    head_hash: String,
}

/// The log of a database as an export, piece by piece: for who takes it at their own pace, and for
/// [`export`]. What is read of the log is what was there when it was opened.
pub struct Export {
    log: Option<LogReader>,
    summary: ExportSummary,
    of: u64,
}

impl Export {
    /// Opens the log, by two connections of the pool, which are closed at the end.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read.
    pub async fn open(pool: &PgPool) -> Result<Self, AuditError> {
        let log = LogReader::open(pool).await?;
        let head_hash = hex::encode(hash::START);
        let of = log.last_position;
        let summary = ExportSummary { events: 0, batches: 0, head_hash };
        Ok(Self { log: Some(log), summary, of })
    }

    /// The next lines; nothing after the last one, which says what the export holds.
    ///
    /// # Errors
    /// [`AuditError`] if the log cannot be read to its end: there is no last line then.
    pub async fn next_lines(&mut self) -> Result<Option<Vec<u8>>, AuditError> {
        let Some(log) = &mut self.log else { return Ok(None) };
        let mut lines = Vec::new();
        if let Some(chunk) = log.next_chunk().await? {
            for item in chunk.items() {
                self.summary.put(&item, &mut lines)?;
            }
            return Ok(Some(lines));
        }
        if let Some(log) = self.log.take() {
            log.close().await?;
        }
        write(&mut lines, &Line::End(&self.summary))?;
        Ok(Some(lines))
    }

    /// What it holds so far.
    pub const fn summary(&self) -> &ExportSummary {
        &self.summary
    }
}

impl ExportSummary {
    /// Writes one item and counts it.
    fn put(&mut self, item: &Item<'_>, out: &mut Vec<u8>) -> Result<(), AuditError> {
        match item {
            Item::Event(event) => {
                self.events += 1;
                write(out, &Line::Event(event_line(event)))
            }
            // Batch 0 stands for the start of the chain and brings nothing.
            Item::Batch(batch) if batch.number == 0 => Ok(()),
            Item::Batch(batch) => {
                self.batches += 1;
                self.head_hash = hex::encode(batch.head_hash);
                write(out, &Line::Batch(batch_line(batch)))
            }
            Item::End(_) | Item::Unreadable { .. } => Ok(()),
        }
    }
}

/// Writes the whole log of a database to `out`, which is flushed at the end. Writing blocks the
/// calling task; give it a buffered file or standard output.
///
/// # Errors
/// [`AuditError`] if the log cannot be read to its end or `out` refuses it; what was written until
/// then lacks the last line.
pub async fn export(
    pool: &PgPool,
    mut out: impl Write,
    mut progress: impl FnMut(Progress),
) -> Result<ExportSummary, AuditError> {
    let mut export = Export::open(pool).await?;
    while let Some(lines) = export.next_lines().await? {
        out.write_all(&lines)?;
        progress(Progress { events: export.summary.events, of: Some(export.of) });
    }
    out.flush()?;
    Ok(export.summary)
}

fn write(out: &mut impl Write, line: &Line<'_>) -> Result<(), AuditError> {
    serde_json::to_writer(&mut *out, line).map_err(|error| {
        if error.is_io() { AuditError::Io(error.into()) } else { AuditError::Json(error) }
    })?;
    out.write_all(b"\n")?;
    Ok(())
}

fn event_line<'a>(event: &Event<'a>) -> EventLine<'a> {
    let (payload, payload_base64) = exact(event.payload);
    let (metadata, metadata_base64) = exact(event.metadata);
    EventLine {
        position: event.position,
        aggregate_type: event.aggregate_type,
        aggregate_id: event.aggregate_id,
        sequence: event.sequence,
        event_type: event.event_type,
        event_version: event.event_version,
        recorded_at: time::text(event.recorded_at),
        payload,
        payload_base64,
        metadata,
        metadata_base64,
        hash: hex::encode(event.hash),
    }
}

fn batch_line(batch: &Batch<'_>) -> BatchLine {
    BatchLine {
        number: batch.number,
        last_position: batch.last_position,
        recorded_at: time::text(batch.recorded_at),
        head_hash: hex::encode(batch.head_hash),
    }
}

/// The bytes as JSON if a line can hold them unchanged: space around a value would be lost by who
/// reads the line, and a line feed would end it.
pub(super) fn exact(bytes: &[u8]) -> (Option<&RawValue>, Option<String>) {
    let raw = serde_json::from_slice::<&RawValue>(bytes).ok();
    let whole = |raw: &&RawValue| {
        raw.get().len() == bytes.len() && !bytes.iter().any(|b| matches!(b, b'\n' | b'\r'))
    };
    match raw.filter(whole) {
        Some(raw) => (Some(raw), None),
        None => (None, Some(BASE64_STANDARD.encode(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_a_line_cannot_hold_are_base64() {
        for json in [&b"{}"[..], b"null", b"{\"a\": [1,  2]}", b"{\"a\":\"\\n\"}"] {
            assert_eq!(exact(json).0.unwrap().get().as_bytes(), json);
        }
        for bytes in [&b""[..], b" {}", b"{} ", b"{\n}", b"{\r}", b"{", b"\xff", b"{}{}"] {
            let (raw, base64) = exact(bytes);
            assert!(raw.is_none(), "{bytes:?}");
            assert_eq!(BASE64_STANDARD.decode(base64.unwrap()).unwrap(), bytes);
        }
    }
}
