//! A log in memory: rows and batches, their seals, their export. The hashes here are a third
//! implementation of docs/events.md, so that the check's own are compared with something.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat};
use sha2::{Digest, Sha256};

use super::super::Checkpoint;

/// A row of `events`, with the number of the batch that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub batch: i64,
    pub position: i64,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: String,
    pub recorded_at: i64,
    pub hash: [u8; 32],
}

/// A row of `batches`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BatchRow {
    pub number: i64,
    pub last_position: i64,
    pub recorded_at: i64,
    pub head_hash: [u8; 32],
}

#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    pub rows: Vec<Row>,
    pub batches: Vec<BatchRow>,
}

impl Log {
    /// Numbers all rows anew and makes all hashes anew, as a forger with the code would.
    pub(super) fn seal(&mut self) {
        let mut before = [0; 32];
        let mut rows = self.rows.iter_mut().peekable();
        let mut position = 0;
        for batch in &mut self.batches {
            let mut empty = true;
            while let Some(row) = rows.next_if(|row| row.batch == batch.number) {
                position += 1;
                row.position = position;
                row.hash = event_hash(&before, row);
                before = row.hash;
                empty = false;
            }
            if empty {
                before = batch_hash(&before, batch.number);
            }
            batch.last_position = position;
            batch.head_hash = before;
        }
        assert!(rows.next().is_none(), "a row without a batch");
    }

    /// The place of the first row from `from` on for which `is` holds.
    #[track_caller]
    pub(super) fn find(&self, from: usize, is: impl Fn(&Row) -> bool) -> usize {
        let rows = self.rows.iter().skip(from);
        rows.clone().position(is).expect("a row of that kind") + from
    }

    /// The checkpoint after the batch at `index`.
    pub(super) fn checkpoint(&self, index: usize) -> Checkpoint {
        let batch = &self.batches[index];
        Checkpoint {
            batch: batch.number,
            position: batch.last_position,
            events: batch.last_position,
            head_hash: hex::encode(batch.head_hash),
            recorded_at: moment(batch.recorded_at),
            made_at: moment(batch.recorded_at),
        }
    }

    /// The lines of the export, without line feeds.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut rows = self.rows.iter().peekable();
        for batch in &self.batches {
            while let Some(row) = rows.next_if(|row| row.batch == batch.number) {
                lines.push(event_line(row));
            }
            lines.push(format!(
                "{{\"batch\":{{\"number\":{},\"last_position\":{},\"recorded_at\":\"{}\",\
                 \"head_hash\":\"{}\"}}}}",
                batch.number,
                batch.last_position,
                moment(batch.recorded_at),
                hex::encode(batch.head_hash)
            ));
        }
        let head = self.batches.last().map_or([0; 32], |b| b.head_hash);
        lines.push(format!(
            "{{\"end\":{{\"events\":{},\"batches\":{},\"head_hash\":\"{}\"}}}}",
            self.rows.len(),
            self.batches.len(),
            hex::encode(head)
        ));
        lines
    }

    /// The export.
    pub(super) fn text(&self) -> String {
        joined(&self.lines())
    }
}

pub(super) fn joined(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

fn event_line(row: &Row) -> String {
    let mut line = String::new();
    write!(
        line,
        "{{\"event\":{{\"position\":{},\"aggregate_type\":\"{}\",\"aggregate_id\":\"{}\",\
         \"sequence\":{},\"event_type\":\"{}\",\"event_version\":\"{}\",\"recorded_at\":\"{}\",\
         \"payload\":{},\"metadata\":{},\"hash\":\"{}\"}}}}",
        row.position,
        row.aggregate_type,
        row.aggregate_id,
        row.sequence,
        row.event_type,
        row.event_version,
        moment(row.recorded_at),
        row.payload,
        row.metadata,
        hex::encode(row.hash)
    )
    .expect("memory");
    line
}

pub(super) fn moment(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros)
        .expect("a moment")
        .to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn event_hash(before: &[u8; 32], row: &Row) -> [u8; 32] {
    let mut bytes = text("bahi/event/1");
    bytes.extend(before);
    bytes.extend(row.position.to_be_bytes());
    bytes.extend(text(&row.aggregate_type));
    bytes.extend(text(&row.aggregate_id));
    bytes.extend(row.sequence.to_be_bytes());
    bytes.extend(text(&row.event_type));
    bytes.extend(text(&row.event_version));
    bytes.extend(row.recorded_at.to_be_bytes());
    bytes.extend(text(&row.payload));
    bytes.extend(text(&row.metadata));
    Sha256::digest(bytes).into()
}

fn batch_hash(before: &[u8; 32], number: i64) -> [u8; 32] {
    let mut bytes = text("bahi/batch/1");
    bytes.extend(before);
    bytes.extend(number.to_be_bytes());
    Sha256::digest(bytes).into()
}

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short");
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}
