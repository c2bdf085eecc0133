//! Reading the log's tables: events and batches, merged in the order that they were appended in.
//!
//! Two read-only transactions that see one moment of the database, so that a log that grows
//! meanwhile does no harm: one copies the events, the other has a cursor of the batches. Both also
//! give what constraints would have forbidden, had nobody dropped them: positions that stand twice,
//! rows below position 1. The connections are the check's own and are closed with it, never
//! returned to the pool in the middle of a transaction; if one breaks, the check ends in an error
//! and never in a short log.

use std::collections::VecDeque;

use sqlx::{Connection, Executor, PgConnection, PgPool, Row, ValueRef, postgres::PgRow};

use super::{
    AuditError,
    copy::{self, EPOCH_2000, Next, Rows},
    record::{Batch, Chunk},
};

/// The transaction that the moment is that of. It waits for the copy of the events, longer than a
/// role's timeouts may allow.
const BEGIN: &str = "begin transaction isolation level repeatable read, read only;
    set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0";
const BATCHES: &str = "declare audit_batches no scroll cursor for
    select number, last_position, recorded_at, head_hash from batches order by number";

/// The log of a database at one moment.
pub(super) struct LogReader {
    connection: PgConnection,
    events: Rows,
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
        connection.execute(BEGIN).await?;
        let (snapshot, head): (String, Option<i64>) =
            sqlx::query_as("select pg_export_snapshot(), (select max(last_position) from batches)")
                .fetch_one(&mut connection)
                .await?;
        sqlx::query(BATCHES).execute(&mut connection).await?;
        Ok(Self {
            events: Rows::open(pool, &snapshot).await?,
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
        while self.events_left && chunk.is_empty() {
            match self.events.page().await? {
                Some((page, start)) => chunk = self.read_page(page, start).await?,
                None => self.events_left = false,
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

    /// The events of a page, and the batches among them.
    async fn read_page(&mut self, page: Vec<u8>, start: usize) -> Result<Chunk, AuditError> {
        let (mut at, length) = (start, page.len());
        let mut chunk = Chunk::of(page);
        loop {
            // The batches' bytes lie behind those of the page.
            let page = chunk.bytes().get(..length).unwrap_or_default();
            let (next, end) = copy::next(page, at)?;
            match next {
                Next::Row(row) => {
                    self.batches_before(row.position, &mut chunk).await?;
                    chunk.event_row(&row).map_err(|error| sqlx::Error::Decode(error.into()))?;
                }
                Next::Part => {
                    self.events.keep(page.get(at..).unwrap_or_default());
                    return Ok(chunk);
                }
                Next::End => self.events.end(),
            }
            at = end;
        }
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

fn batch(row: &PgRow) -> Result<StoredBatch, sqlx::Error> {
    Ok(StoredBatch {
        number: number(row, 0)?,
        last_position: number(row, 1)?,
        recorded_at: micros(row, 2)?,
        head_hash: bytes(row, 3)?.to_vec(),
    })
}

/// The bytes of a column. A null, which only a dropped constraint allows, has none.
pub(super) fn bytes(row: &PgRow, column: usize) -> Result<&[u8], sqlx::Error> {
    let value = row.try_get_raw(column)?;
    if value.is_null() {
        return Ok(&[]);
    }
    value.as_bytes().map_err(sqlx::Error::Decode)
}

/// A column of eight bytes. A null is zero.
pub(super) fn number(row: &PgRow, column: usize) -> Result<i64, sqlx::Error> {
    match bytes(row, column)? {
        [] => Ok(0),
        bytes => bytes
            .try_into()
            .map(i64::from_be_bytes)
            .map_err(|error: std::array::TryFromSliceError| sqlx::Error::Decode(error.into())),
    }
}

/// Microseconds since 1970. Infinity stays out of every calendar.
pub(super) fn micros(row: &PgRow, column: usize) -> Result<i64, sqlx::Error> {
    Ok(number(row, column)?.saturating_add(EPOCH_2000))
}
