//! Which key signs: what the log itself says of it.

use projections::audit::proof::LogKey;
use serde::Deserialize;
use sqlx::{PgPool, Row};

/// The key that the last rotation put in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyInForce {
    /// The key.
    pub key: LogKey,
    /// The position of the rotation: what is signed from there on is signed with it.
    pub since: i64,
}

#[derive(Deserialize)]
struct Rotated {
    new_key: String,
}

/// The key in force at a position. Nothing if there was no rotation yet: then the first key is.
///
/// # Errors
/// What the database says; a rotation that can't be read is an error too.
pub async fn key_in_force(pool: &PgPool, position: u64) -> sqlx::Result<Option<KeyInForce>> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "select position, payload from events
         where aggregate_id = 'main' and aggregate_type = 'book'
           and event_type = 'checkpoint_key_rotated' and position <= $1
         order by sequence desc limit 1",
    )
    .bind(position)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let payload: Vec<u8> = row.try_get("payload")?;
    let rotated: Rotated =
        serde_json::from_slice(&payload).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let key = rotated
        .new_key
        .parse()
        .map_err(|error: projections::audit::proof::KeyError| sqlx::Error::Decode(error.into()))?;
    Ok(Some(KeyInForce { key, since: row.try_get("position")? }))
}
