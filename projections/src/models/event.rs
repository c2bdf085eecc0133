//! An event as the projector sees it: what it folds, borrowed from the row that the database sent.
//!
//! Neither the hash nor the metadata is folded, and copying each event's texts would be a good part
//! of all the work, so the projector reads this and not the log's recorded events.

use ledger_core::{
    clock::Timestamp,
    log::{self, Position},
};
use sqlx::{PgConnection, Row, postgres::PgRow};

use crate::{error::ProjectionError, reads::undecodable};

/// An event, borrowed.
#[derive(Clone, Copy)]
pub(crate) struct EventRow<'e> {
    pub(crate) position: Position,
    pub(crate) aggregate_type: &'e str,
    pub(crate) aggregate_id: &'e str,
    pub(crate) sequence: u64,
    pub(crate) event_type: &'e str,
    pub(crate) event_version: &'e str,
    pub(crate) payload: &'e [u8],
    pub(crate) recorded_at: Timestamp,
}

impl<'e> EventRow<'e> {
    /// The event of a row of [`read_events`]. Columns by their numbers: names are looked up.
    pub(crate) fn of(row: &'e PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            position: unsigned(row, 0)?,
            aggregate_type: row.try_get(1)?,
            aggregate_id: row.try_get(2)?,
            sequence: unsigned(row, 3)?,
            event_type: row.try_get(4)?,
            event_version: row.try_get(5)?,
            payload: row.try_get(6)?,
            recorded_at: row.try_get(7)?,
        })
    }
}

/// The rows of positions `> after` and `<= upto`, in order.
pub(crate) async fn read_events(
    db: &mut PgConnection,
    after: Position,
    upto: Position,
) -> Result<Vec<PgRow>, ProjectionError> {
    let rows = sqlx::query(
        "select position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload, recorded_at
         from events where position > $1 and position <= $2 order by position",
    )
    .bind(log::read::signed(after)?)
    .bind(log::read::signed(upto)?)
    .fetch_all(db)
    .await?;
    Ok(rows)
}

fn unsigned(row: &PgRow, column: usize) -> sqlx::Result<u64> {
    let value: i64 = row.try_get(column)?;
    u64::try_from(value).map_err(|source| undecodable(&column.to_string(), source))
}
