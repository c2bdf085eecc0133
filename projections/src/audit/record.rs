//! What a source of the log hands to the check: rows in order, many at a time.
//!
//! A chunk owns the bytes of its rows in one buffer, so that a row costs no allocation on its way
//! from one thread to the next.

use std::str::Utf8Error;

/// An event as it is stored, before anybody has judged it.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the columns' own names")]
pub(super) struct Event<'a> {
    pub position: i64,
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    pub payload: &'a [u8],
    pub metadata: &'a [u8],
    pub hash: &'a [u8],
}

/// A batch as it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch<'a> {
    pub number: i64,
    pub last_position: i64,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    pub head_hash: &'a [u8],
}

/// The line that ends an export.
#[derive(Debug, Clone, Copy)]
pub(super) struct End<'a> {
    pub events: i64,
    pub batches: i64,
    pub head_hash: &'a [u8],
}

/// One thing that a source came upon.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Event(Event<'a>),
    Batch(Batch<'a>),
    End(End<'a>),
    /// A line of an export that is none of these.
    Unreadable {
        line: u64,
        reason: &'a str,
    },
}

/// Items in order, with their bytes.
#[derive(Debug, Default)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
    rows: Vec<Row>,
}

/// Where in a chunk's bytes something lies: from, to.
pub(super) type Span = (usize, usize);

/// An event whose texts and bytes lie in a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventRow {
    pub position: i64,
    pub sequence: i64,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    /// Of the type and id of its stream, its type and version, its payload, metadata and hash.
    pub spans: [Span; 7],
}

#[derive(Debug)]
enum Row {
    Event(EventRow),
    Batch { number: i64, last_position: i64, recorded_at: i64, head: Span },
    End { events: i64, batches: i64, head: Span },
    Unreadable { line: u64, reason: Span },
}

impl Chunk {
    /// A chunk of rows whose bytes are these.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes, rows: Vec::new() }
    }

    /// The bytes that it has.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether it is time to hand the chunk on.
    pub(super) fn is_full(&self) -> bool {
        self.rows.len() >= 4_096 || self.bytes.len() >= 4 << 20
    }

    /// How many events are in it.
    pub(super) fn events(&self) -> u64 {
        let events = self.rows.iter().filter(|row| matches!(row, Row::Event(_)));
        u64::try_from(events.count()).unwrap_or(u64::MAX)
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let fields: [&[u8]; 7] = [
            event.aggregate_type.as_bytes(),
            event.aggregate_id.as_bytes(),
            event.event_type.as_bytes(),
            event.event_version.as_bytes(),
            event.payload,
            event.metadata,
            event.hash,
        ];
        let spans = fields.map(|field| self.keep(field));
        self.rows.push(Row::Event(EventRow {
            position: event.position,
            sequence: event.sequence,
            recorded_at: event.recorded_at,
            spans,
        }));
    }

    /// An event whose bytes the chunk has.
    ///
    /// # Errors
    /// One of its texts is none.
    pub(super) fn event_row(&mut self, row: &EventRow) -> Result<(), Utf8Error> {
        let [texts @ .., _payload, _metadata, _hash] = row.spans;
        for text in texts {
            std::str::from_utf8(self.slice(text))?;
        }
        self.rows.push(Row::Event(*row));
        Ok(())
    }

    pub(super) fn batch(&mut self, batch: &Batch<'_>) {
        let head = self.keep(batch.head_hash);
        self.rows.push(Row::Batch {
            number: batch.number,
            last_position: batch.last_position,
            recorded_at: batch.recorded_at,
            head,
        });
    }

    pub(super) fn end(&mut self, end: &End<'_>) {
        let head = self.keep(end.head_hash);
        self.rows.push(Row::End { events: end.events, batches: end.batches, head });
    }

    pub(super) fn unreadable(&mut self, line: u64, reason: &str) {
        let reason = self.keep(reason.as_bytes());
        self.rows.push(Row::Unreadable { line, reason });
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.rows.iter().map(|row| self.item(row))
    }

    fn item(&self, row: &Row) -> Item<'_> {
        match *row {
            Row::Event(EventRow { position, sequence, recorded_at, spans }) => {
                let [aggregate_type, aggregate_id, event_type, event_version, bytes @ ..] = spans;
                let [payload, metadata, hash] = bytes;
                Item::Event(Event {
                    position,
                    aggregate_type: self.text(aggregate_type),
                    aggregate_id: self.text(aggregate_id),
                    sequence,
                    event_type: self.text(event_type),
                    event_version: self.text(event_version),
                    recorded_at,
                    payload: self.slice(payload),
                    metadata: self.slice(metadata),
                    hash: self.slice(hash),
                })
            }
            Row::Batch { number, last_position, recorded_at, head } => Item::Batch(Batch {
                number,
                last_position,
                recorded_at,
                head_hash: self.slice(head),
            }),
            Row::End { events, batches, head } => {
                Item::End(End { events, batches, head_hash: self.slice(head) })
            }
            Row::Unreadable { line, reason } => {
                Item::Unreadable { line, reason: self.text(reason) }
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        (start, self.bytes.len())
    }

    fn slice(&self, (start, end): Span) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Text came in as text, so that this never falls back; if it did, its hash would not match.
    fn text(&self, span: Span) -> &str {
        std::str::from_utf8(self.slice(span)).unwrap_or_default()
    }
}
