//! The events' rows, in the order of their positions, as `COPY … (format binary)` sends them.
//!
//! A cursor costs the server half as much again for each row: what is fetched is stored before it
//! is sent. COPY takes a connection of its own, which looks at the log at the moment of another
//! one's transaction. The server waits while nobody reads on, so that memory stays bounded whatever
//! the length of the log. A log that ends without the mark that COPY puts at its end is an error.

use std::ops::Range;

use futures::TryStreamExt;
use sqlx::{Connection, Executor, PgConnection, PgPool};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{
    AuditError,
    record::{EventRow, Span},
};

const COPY: &str = "copy (
    select position, sequence, recorded_at, aggregate_type, aggregate_id, event_type,
           event_version, payload, metadata, hash
    from events order by position) to stdout (format binary)";

/// The timeouts of a role are for short statements. The index on the positions gives their order
/// at once; a sort of the whole log, which costs the server's disk, is left to a log that lost it.
const SETTINGS: &str = "set local statement_timeout = 0;
    set local enable_sort = off; set local enable_seqscan = off;
    set local max_parallel_workers_per_gather = 0; set local jit = off";

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Columns of a row.
const COLUMNS: usize = 10;
/// How many bytes are handed on at once: few enough to be still in a processor's cache when they
/// are looked at, and enough that handing on costs nothing.
const PAGE_BYTES: usize = 256 << 10;
/// How many pages may wait to be looked at.
const PAGES_WAITING_MAX: usize = 4;
/// Microseconds from 1970 to 2000, which PostgreSQL counts from.
pub(super) const EPOCH_2000: i64 = 946_684_800_000_000;

/// The rows of the events at one moment.
pub(super) struct Rows {
    pages: Receiver<Result<Vec<u8>, sqlx::Error>>,
    /// The start of a row whose end is still to come.
    rest: Vec<u8>,
    begun: bool,
    ended: bool,
}

/// What stands next in a page.
pub(super) enum Next {
    Row(EventRow),
    /// Only the start of something.
    Part,
    /// The mark at the end.
    End,
}

impl Rows {
    /// Starts to read at the moment of `snapshot`, which another transaction exported.
    pub(super) async fn open(pool: &PgPool, snapshot: &str) -> Result<Self, AuditError> {
        let mut connection = pool.acquire().await?.detach();
        let begin = format!(
            "begin transaction isolation level repeatable read, read only;
             set transaction snapshot '{snapshot}'; {SETTINGS}"
        );
        connection.execute(begin.as_str()).await?;
        let (send, pages) = channel(PAGES_WAITING_MAX);
        tokio::spawn(async move {
            let outcome = match send_pages(&mut connection, &send).await {
                Ok(Sent::Everything) => connection.close().await,
                Ok(Sent::NobodyWaits) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                // If nobody listens any more, nobody needs to know.
                send.send(Err(error)).await.ok();
            }
        });
        Ok(Self { pages, rest: Vec::new(), begun: false, ended: false })
    }

    /// The next bytes, which start with a row; nothing at the end.
    pub(super) async fn page(&mut self) -> Result<Option<(Vec<u8>, usize)>, AuditError> {
        let Some(page) = self.pages.recv().await.transpose()? else {
            return if self.ended { Ok(None) } else { Err(malformed("ends too early").into()) };
        };
        let mut bytes = std::mem::take(&mut self.rest);
        if bytes.is_empty() {
            bytes = page;
        } else {
            bytes.extend_from_slice(&page);
        }
        let start = if self.begun { 0 } else { header(&bytes)? };
        self.begun = true;
        Ok(Some((bytes, start)))
    }

    /// A page was read up to here, where only a part of a row stands.
    pub(super) fn keep(&mut self, part: &[u8]) {
        self.rest.extend_from_slice(part);
    }

    /// The mark at the end was read.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }
}

enum Sent {
    Everything,
    NobodyWaits,
}

async fn send_pages(
    connection: &mut PgConnection,
    pages: &Sender<Result<Vec<u8>, sqlx::Error>>,
) -> Result<Sent, sqlx::Error> {
    let mut messages = connection.copy_out_raw(COPY).await?;
    let mut page = Vec::with_capacity(PAGE_BYTES);
    while let Some(message) = messages.try_next().await? {
        if !page.is_empty() && page.len() + message.len() > PAGE_BYTES {
            let full = std::mem::replace(&mut page, Vec::with_capacity(PAGE_BYTES));
            if pages.send(Ok(full)).await.is_err() {
                return Ok(Sent::NobodyWaits);
            }
        }
        page.extend_from_slice(&message);
    }
    let sent = pages.send(Ok(page)).await;
    Ok(if sent.is_ok() { Sent::Everything } else { Sent::NobodyWaits })
}

fn malformed(what: &str) -> sqlx::Error {
    sqlx::Error::Protocol(format!("the copy of the events {what}"))
}

/// Where the first row starts.
fn header(bytes: &[u8]) -> Result<usize, sqlx::Error> {
    let flags = SIGNATURE.len();
    let extension = flags + 4;
    let known = bytes.starts_with(SIGNATURE)
        && bytes.get(flags..extension) == Some(&[0; 4])
        && bytes.get(extension..extension + 4) == Some(&[0; 4]);
    if known { Ok(extension + 4) } else { Err(malformed("starts with an unknown header")) }
}

/// What stands at `start`, and where it ends.
pub(super) fn next(bytes: &[u8], start: usize) -> Result<(Next, usize), sqlx::Error> {
    let Some(columns) = array(bytes, start).map(i16::from_be_bytes) else {
        return Ok((Next::Part, start));
    };
    let mut at = start + 2;
    match usize::try_from(columns) {
        Ok(COLUMNS) => {}
        Err(_) if columns == -1 => return Ok((Next::End, at)),
        _ => return Err(malformed("has a row of another width")),
    }
    let mut spans: [Span; COLUMNS] = [(0, 0); COLUMNS];
    for span in &mut spans {
        let Some(field) = field(bytes, at) else {
            return Ok((Next::Part, start));
        };
        at = field.end;
        *span = (field.start, field.end);
    }
    let [position, sequence, recorded_at, texts_and_bytes @ ..] = spans;
    let row = EventRow {
        position: number(bytes, position)?,
        sequence: number(bytes, sequence)?,
        recorded_at: number(bytes, recorded_at)?.saturating_add(EPOCH_2000),
        spans: texts_and_bytes,
    };
    Ok((Next::Row(row), at))
}

/// Where a value lies whose length stands at `at`. A null, which only a dropped constraint allows,
/// has no bytes.
fn field(bytes: &[u8], at: usize) -> Option<Range<usize>> {
    let length = i32::from_be_bytes(array(bytes, at)?);
    let start = at + 4;
    let end = start.checked_add(usize::try_from(length).unwrap_or(0))?;
    (end <= bytes.len()).then_some(start..end)
}

fn number(bytes: &[u8], (start, end): Span) -> Result<i64, sqlx::Error> {
    if start == end {
        return Ok(0);
    }
    let number = array(bytes, start).filter(|_| end - start == 8).map(i64::from_be_bytes);
    number.ok_or_else(|| malformed("has a number of another width"))
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Vec<u8> {
        let mut bytes = 10_i16.to_be_bytes().to_vec();
        for number in [7_i64, 3, 1] {
            bytes.extend(8_i32.to_be_bytes());
            bytes.extend(number.to_be_bytes());
        }
        for text in ["account", "a:INR", "closed", "1.0", "{}"] {
            bytes.extend(i32::try_from(text.len()).unwrap().to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend((-1_i32).to_be_bytes());
        bytes.extend(2_i32.to_be_bytes());
        bytes.extend([0xab, 0xcd]);
        bytes
    }

    #[test]
    fn a_row_is_read_where_it_lies() {
        let bytes = row();
        let (Next::Row(read), end) = next(&bytes, 0).unwrap() else { panic!("a row") };
        assert_eq!((read.position, read.sequence, read.recorded_at), (7, 3, EPOCH_2000 + 1));
        let fields = read.spans.map(|(start, end)| &bytes[start..end]);
        assert_eq!(fields[0], b"account");
        assert_eq!(fields[4], b"{}");
        assert_eq!(fields[5], b"");
        assert_eq!(fields[6], [0xab, 0xcd]);
        assert_eq!(end, bytes.len());
    }

    #[test]
    fn a_row_that_is_cut_anywhere_waits_for_its_rest() {
        let bytes = row();
        for length in 0..bytes.len() {
            let (part, at) = next(&bytes[..length], 0).unwrap();
            assert!(matches!(part, Next::Part) && at == 0, "{length}");
        }
        assert!(matches!(next(&[0xff, 0xff], 0), Ok((Next::End, 2))));
    }

    /// The positions of the rows in these pages.
    async fn read(pages: &[&[u8]]) -> Result<Vec<i64>, AuditError> {
        let (send, receive) = channel(pages.len());
        for page in pages {
            send.send(Ok(page.to_vec())).await.unwrap();
        }
        drop(send);
        let mut rows = Rows { pages: receive, rest: Vec::new(), begun: false, ended: false };
        let mut positions = Vec::new();
        while let Some((page, mut at)) = rows.page().await? {
            loop {
                let (what, end) = next(&page, at)?;
                match what {
                    Next::Row(row) => positions.push(row.position),
                    Next::Part => break rows.keep(&page[at..]),
                    Next::End => rows.end(),
                }
                at = end;
            }
        }
        Ok(positions)
    }

    #[tokio::test]
    async fn rows_may_be_cut_between_pages_and_no_end_is_an_error() {
        let mut copy = SIGNATURE.to_vec();
        copy.extend([0; 8]);
        let first = copy.len();
        copy.extend(row());
        copy.extend(row());
        let whole = copy.len();
        copy.extend([0xff, 0xff]);
        for cut in first..=whole {
            let (before, after) = copy.split_at(cut);
            assert_eq!(read(&[before, after]).await.unwrap(), [7, 7], "{cut}");
            let cut_off = read(&[before]).await;
            assert!(matches!(cut_off, Err(AuditError::Database(_))), "{cut}");
        }
    }

    #[test]
    fn what_is_no_copy_of_events_is_refused() {
        assert!(next(&[0, 9], 0).is_err());
        let mut narrow = row();
        narrow.splice(2..14, [0, 0, 0, 4, 0, 0, 0, 7]);
        assert!(next(&narrow, 0).is_err());
        let mut page = SIGNATURE.to_vec();
        page.extend([0; 8]);
        assert!(matches!(header(&page), Ok(19)));
        page[11] = 1;
        assert!(header(&page).is_err());
    }
}
