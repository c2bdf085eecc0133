//! Reading the log. Readers take positions `> after and <= upto`, always both bounds, in short
//! transactions. The order of positions is the order of commits and there are no gaps, so a reader
//! needs no detection of gaps and no watermark.

use sqlx::{FromRow, PgExecutor, Row, postgres::PgRow};

use super::{Head, LogError, Position, RecordedEvent, hash::Hash};

const COLUMNS: &str = "position, aggregate_type, aggregate_id, sequence, event_type, \
                       event_version, payload, metadata, recorded_at, hash";

impl FromRow<'_, PgRow> for RecordedEvent {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            position: unsigned(row, "position")?,
            aggregate_type: row.try_get("aggregate_type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            sequence: unsigned(row, "sequence")?,
            event_type: row.try_get("event_type")?,
            event_version: row.try_get("event_version")?,
            payload: row.try_get("payload")?,
            metadata: row.try_get("metadata")?,
            recorded_at: row.try_get("recorded_at")?,
            hash: hash(row, "hash")?,
        })
    }
}

/// The end of the log: its last batch.
///
/// # Errors
/// [`LogError`] if the database cannot be read or has no log.
pub async fn head(db: impl PgExecutor<'_>) -> Result<Head, LogError> {
    let row = sqlx::query(
        "select number, last_position, head_hash, recorded_at
         from batches order by number desc limit 1",
    )
    .fetch_one(db)
    .await?;
    Ok(head_of(&row)?)
}

/// The batch of a number, if it is there.
///
/// # Errors
/// [`LogError`] if the database cannot be read.
pub async fn batch(db: impl PgExecutor<'_>, number: u64) -> Result<Option<Head>, LogError> {
    let row = sqlx::query(
        "select number, last_position, head_hash, recorded_at from batches where number = $1",
    )
    .bind(signed(number)?)
    .fetch_optional(db)
    .await?;
    Ok(row.as_ref().map(head_of).transpose()?)
}

/// The events with a position above `after` and at most `upto`, in order, `limit` at most.
///
/// # Errors
/// [`LogError`] if the database cannot be read.
pub async fn events(
    db: impl PgExecutor<'_>,
    after: Position,
    upto: Position,
    limit: u32,
) -> Result<Vec<RecordedEvent>, LogError> {
    let sql = format!(
        "select {COLUMNS} from events
         where position > $1 and position <= $2 order by position limit $3"
    );
    let events = sqlx::query_as(&sql)
        .bind(signed(after)?)
        .bind(signed(upto)?)
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    Ok(events)
}

/// Which events are wanted; what is not set does not restrict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventFilter<'f> {
    /// Of streams of this type.
    pub aggregate_type: Option<&'f str>,
    /// Of the stream of this id.
    pub aggregate_id: Option<&'f str>,
    /// Of this type.
    pub event_type: Option<&'f str>,
}

/// The last events with a position above `after` and at most `upto` that a filter takes, newest
/// first, `limit` at most. It looks at the whole stretch if few match, so the stretch is the bound.
///
/// # Errors
/// [`LogError`] if the database cannot be read.
pub async fn newest(
    db: impl PgExecutor<'_>,
    (after, upto): (Position, Position),
    filter: EventFilter<'_>,
    limit: u32,
) -> Result<Vec<RecordedEvent>, LogError> {
    let sql = format!(
        "select {COLUMNS} from events
         where position > $1 and position <= $2 and ($3::text is null or aggregate_type = $3)
           and ($4::text is null or aggregate_id = $4) and ($5::text is null or event_type = $5)
         order by position desc limit $6"
    );
    let events = sqlx::query_as(&sql)
        .bind(signed(after)?)
        .bind(signed(upto)?)
        .bind(filter.aggregate_type)
        .bind(filter.aggregate_id)
        .bind(filter.event_type)
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    Ok(events)
}

/// The events of one stream with a sequence above `after` and at most `upto`, in order.
///
/// # Errors
/// [`LogError`] if the database cannot be read.
pub async fn stream(
    db: impl PgExecutor<'_>,
    aggregate_type: &str,
    aggregate_id: &str,
    after: u64,
    upto: u64,
    limit: u32,
) -> Result<Vec<RecordedEvent>, LogError> {
    let sql = format!(
        "select {COLUMNS} from events
         where aggregate_type = $1 and aggregate_id = $2 and sequence > $3 and sequence <= $4
         order by sequence limit $5"
    );
    let events = sqlx::query_as(&sql)
        .bind(aggregate_type)
        .bind(aggregate_id)
        .bind(signed(after)?)
        .bind(signed(upto)?)
        .bind(i64::from(limit))
        .fetch_all(db)
        .await?;
    Ok(events)
}

pub(crate) fn head_of(row: &PgRow) -> sqlx::Result<Head> {
    Ok(Head {
        batch: unsigned(row, "number")?,
        position: unsigned(row, "last_position")?,
        hash: hash(row, "head_hash")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}

pub(crate) fn unsigned(row: &PgRow, column: &str) -> sqlx::Result<u64> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|source| decode_error(column, source))
}

fn hash(row: &PgRow, column: &str) -> sqlx::Result<Hash> {
    let bytes: &[u8] = row.try_get(column)?;
    Hash::try_from(bytes).map_err(|source| decode_error(column, source))
}

fn decode_error(
    column: &str,
    source: impl std::error::Error + Send + Sync + 'static,
) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) }
}

/// A position, sequence or number as PostgreSQL's signed integer.
///
/// # Errors
/// [`LogError::OutOfRange`] past 2^63, which no log reaches.
pub fn signed(value: u64) -> Result<i64, LogError> {
    i64::try_from(value).map_err(|_| LogError::OutOfRange)
}
