//! The append itself.

use ledger_core::log::{Head, RecordedEvent};
use sqlx::PgPool;

/// The batch and its events in one statement, as the engine does it.
pub(crate) async fn append(
    pool: &PgPool,
    head: &Head,
    events: &[RecordedEvent],
) -> Result<(), sqlx::Error> {
    let signed = |value: u64| i64::try_from(value).unwrap();
    let column = |of: fn(&RecordedEvent) -> String| events.iter().map(of).collect::<Vec<_>>();
    sqlx::query(
        "with batch as (
             insert into batches (number, last_position, head_hash, recorded_at)
             values ($1, $2, $3, $4))
         insert into events (position, aggregate_type, aggregate_id, sequence, event_type,
             event_version, payload, metadata, recorded_at, hash)
         select p, t, i, s, e, v, b, m, $4, h
         from unnest($5::bigint[], $6::text[], $7::text[], $8::bigint[], $9::text[],
                     $10::text[], $11::bytea[], $12::bytea[], $13::bytea[])
              as x(p, t, i, s, e, v, b, m, h)",
    )
    .bind(signed(head.batch))
    .bind(signed(head.position))
    .bind(head.hash.as_slice())
    .bind(head.recorded_at)
    .bind(events.iter().map(|e| signed(e.position)).collect::<Vec<_>>())
    .bind(column(|e| e.aggregate_type.clone()))
    .bind(column(|e| e.aggregate_id.clone()))
    .bind(events.iter().map(|e| signed(e.sequence)).collect::<Vec<_>>())
    .bind(column(|e| e.event_type.clone()))
    .bind(column(|e| e.event_version.clone()))
    .bind(events.iter().map(|e| e.payload.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.metadata.clone()).collect::<Vec<_>>())
    .bind(events.iter().map(|e| e.hash.to_vec()).collect::<Vec<_>>())
    .execute(pool)
    .await?;
    Ok(())
}
