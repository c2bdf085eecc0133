//! Loading the aggregates that are not in memory: all misses of a batch by one query, each from
//! its snapshot and the events after it.

use std::sync::Arc;

use futures::TryStreamExt;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{
    LogError,
    read::{signed, unsigned},
};

/// A part of a stream, as it is read: first the snapshot, if there is one, then events.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// The fold up to `sequence`.
    Snapshot {
        /// How many events it folds.
        sequence: u64,
        /// The fold.
        payload: Vec<u8>,
    },
    /// The next event.
    Event {
        /// Its place in the stream.
        sequence: u64,
        /// Its place in the log.
        position: u64,
        /// Its type.
        event_type: String,
        /// Its version.
        event_version: String,
        /// Its payload.
        payload: Vec<u8>,
    },
}

/// What is wanted of one stream.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// The kind of stream.
    pub(crate) aggregate_type: &'static str,
    /// The stream.
    pub(crate) aggregate_id: Arc<str>,
    /// What is known of it already; nothing, to start with its snapshot.
    pub(crate) after: Option<u64>,
}

/// The event that a snapshot ends with is read as well, so that the two can be compared.
const LOAD: &str = "
    with wanted as (
        select w.place, w.aggregate_type, w.aggregate_id, w.after, s.sequence, s.payload
        from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality
             as w (aggregate_type, aggregate_id, after, place)
        left join snapshots s on s.aggregate_type = w.aggregate_type
                             and s.aggregate_id = w.aggregate_id and s.fold_version = $4
                             and w.after is null
    )
    select place, sequence, null::bigint as position, null::text as event_type,
           null::text as event_version, payload
    from wanted where sequence is not null
    union all
    select w.place, e.sequence, e.position, e.event_type, e.event_version, e.payload
    from wanted w
    cross join lateral (
        select * from events
        where aggregate_type = w.aggregate_type and aggregate_id = w.aggregate_id
          and sequence >= coalesce(w.after + 1, w.sequence, 1)
        order by sequence
        limit $5
    ) e
    order by place, sequence, event_type nulls first";

/// Reads the wanted streams, `events_max` events of each at most, and hands over their parts in
/// order, with which of `wanted` it is. Nothing of it is kept, so a long stream costs no memory.
///
/// # Errors
/// [`LogError`] if the database cannot be read, or what `each` returns.
pub(crate) async fn load(
    db: &mut PgConnection,
    wanted: &[Wanted],
    fold_version: i32,
    events_max: u32,
    mut each: impl FnMut(usize, Loaded) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let types: Vec<&str> = wanted.iter().map(|w| w.aggregate_type).collect();
    let ids: Vec<&str> = wanted.iter().map(|w| &*w.aggregate_id).collect();
    let after = wanted.iter().map(|w| w.after.map(signed).transpose());
    let mut rows = sqlx::query(LOAD)
        .bind(types)
        .bind(ids)
        .bind(after.collect::<Result<Vec<_>, _>>()?)
        .bind(fold_version)
        .bind(i64::from(events_max))
        .fetch(db);
    while let Some(row) = rows.try_next().await? {
        let place = unsigned(&row, "place")?;
        let index = usize::try_from(place).map_err(|_| LogError::OutOfRange)?.saturating_sub(1);
        each(index, part(&row)?)?;
    }
    Ok(())
}

fn part(row: &PgRow) -> Result<Loaded, LogError> {
    let sequence = unsigned(row, "sequence")?;
    let payload = row.try_get("payload")?;
    let event_type: Option<String> = row.try_get("event_type")?;
    Ok(match event_type {
        None => Loaded::Snapshot { sequence, payload },
        Some(event_type) => Loaded::Event {
            sequence,
            position: unsigned(row, "position")?,
            event_type,
            event_version: row.try_get("event_version")?,
            payload,
        },
    })
}
