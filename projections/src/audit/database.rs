//! Reading the log's tables: events and batches, merged in the order that they were appended in.
//!
//! Two cursors of one read-only transaction that sees one moment of the database, so that a log
//! that grows meanwhile does no harm. A cursor also gives what constraints would have forbidden,
//! had nobody dropped them: positions that stand twice, rows below position 1. The connection is
//! the check's own and is closed with it, never returned to the pool in the middle of a
//! transaction; if it breaks, the check ends in an error and never in a short log.

use std::collections::VecDeque;

use sqlx::{Connection, PgConnection, PgPool, Row, ValueRef, postgres::PgRow};

use super::{
    AuditError,
    record::{Batch, Chunk, Event},
};

const EVENTS: &str = "declare audit_events no scroll cursor for
    select position, sequence, recorded_at, aggregate_type, aggregate_id, event_type,
           event_version, payload, metadata, hash
    from events order by position";
const BATCHES: &str = "declare audit_batches no scroll cursor for
    select number, last_position, recorded_at, head_hash from batches order by number";

/// Microseconds from 1970 to 2000, which PostgreSQL counts from.
const EPOCH_2000: i64 = 946_684_800_000_000;

/// The log of a database at one moment.
pub(super) struct LogReader {
    connection: PgConnection,
    batches: VecDeque<StoredBatch>,
    batches_left: bool,
    events_left: bool,
    /// The position of the last batch when the reading began.
    pub last_position: u64,
}

struct StoredBatch {
    number: i64,
    last_position: i64,
    recorded_at: i64,
    head_hash: Vec<u8>,
}

impl StoredBatch {
    fn view(&self) -> Batch<'_> {
        Batch {
            number: self.number,
            last_position: self.last_position,
            recorded_at: self.recorded_at,
            head_hash: &self.head_hash,
        }
    }
}

impl LogReader {
    pub(super) async fn open(pool: &PgPool) -> Result<Self, AuditError> {
        let mut connection = pool.acquire().await?.detach();
        sqlx::query("begin transaction isolation level repeatable read, read only")
            .execute(&mut connection)
            .await?;
        let head: Option<i64> = sqlx::query_scalar("select max(last_position) from batches")
            .fetch_one(&mut connection)
            .await?;
        for cursor in [EVENTS, BATCHES] {
            sqlx::query(cursor).execute(&mut connection).await?;
        }
        Ok(Self {
            connection,
            batches: VecDeque::new(),
            batches_left: true,
            events_left: true,
            last_position: head.and_then(|p| u64::try_from(p).ok()).unwrap_or(0),
        })
    }

    /// The next rows; nothing at the end.
    pub(super) async fn next_chunk(&mut self) -> Result<Option<Chunk>, AuditError> {
        let mut chunk = Chunk::default();
        if self.events_left {
            let rows = sqlx::query("fetch forward 4096 from audit_events")
                .fetch_all(&mut self.connection)
                .await?;
            self.events_left = !rows.is_empty();
            for row in &rows {
                let event = event(row)?;
                self.batches_before(event.position, &mut chunk).await?;
                chunk.event(&event);
            }
        }
        while !self.events_left && !chunk.is_full() {
            match self.next_batch(i64::MAX).await? {
                Some(batch) => chunk.batch(&batch.view()),
                None => break,
            }
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    /// Batches that ended before `position`.
    async fn batches_before(&mut self, position: i64, chunk: &mut Chunk) -> Result<(), AuditError> {
        let upto = position.saturating_sub(1);
        while let Some(batch) = self.next_batch(upto).await? {
            chunk.batch(&batch.view());
        }
        Ok(())
    }

    async fn next_batch(&mut self, upto: i64) -> Result<Option<StoredBatch>, AuditError> {
        if self.batches.is_empty() && self.batches_left {
            let rows = sqlx::query("fetch forward 4096 from audit_batches")
                .fetch_all(&mut self.connection)
                .await?;
            self.batches_left = !rows.is_empty();
            for row in &rows {
                self.batches.push_back(batch(row)?);
            }
        }
        let next = self.batches.front().is_some_and(|b| b.last_position <= upto);
        Ok(next.then(|| self.batches.pop_front()).flatten())
    }

    /// The connection, still at the same moment of the database.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    pub(super) async fn close(self) -> Result<(), AuditError> {
        Ok(self.connection.close().await?)
    }
}

fn event(row: &PgRow) -> Result<Event<'_>, sqlx::Error> {
    Ok(Event {
        position: number(row, 0)?,
        sequence: number(row, 1)?,
        recorded_at: micros(row, 2)?,
        aggregate_type: text(row, 3)?,
        aggregate_id: text(row, 4)?,
        event_type: text(row, 5)?,
        event_version: text(row, 6)?,
        payload: bytes(row, 7)?,
        metadata: bytes(row, 8)?,
        hash: bytes(row, 9)?,
    })
}

fn batch(row: &PgRow) -> Result<StoredBatch, sqlx::Error> {
    Ok(StoredBatch {
        number: number(row, 0)?,
        last_position: number(row, 1)?,
        recorded_at: micros(row, 2)?,
        head_hash: bytes(row, 3)?.to_vec(),
    })
}

/// The bytes of a column. A null, which only a dropped constraint allows, has none.
fn bytes(row: &PgRow, column: usize) -> Result<&[u8], sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(&[]);
    }
    value.as_bytes().map_err(sqlx::Error::Decode)
}

fn text(row: &PgRow, column: usize) -> Result<&str, sqlx::Error> {
    std::str::from_utf8(bytes(row, column)?).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn number(row: &PgRow, column: usize) -> Result<i64, sqlx::Error> {
    match bytes(row, column)? {
        [] => Ok(0),
        bytes => bytes
            .try_into()
            .map(i64::from_be_bytes)
            .map_err(|error: std::array::TryFromSliceError| sqlx::Error::Decode(error.into())),
    }
}

/// Microseconds since 1970. Infinity stays out of every calendar.
fn micros(row: &PgRow, column: usize) -> Result<i64, sqlx::Error> {
    Ok(number(row, column)?.saturating_add(EPOCH_2000))
}
