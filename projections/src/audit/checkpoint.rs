//! A checkpoint: the head of the log at a moment, kept where the log's keeper cannot reach it.
//!
//! A chain of hashes alone does not show that its tail was cut off, or that all of it was made
//! anew: both chains are sound. A head that somebody else noted down shows both.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row};

use super::{AuditError, report::Head, time};

/// The head of the log when the checkpoint was made.
///
/// It is **not signed**: it proves as much as the place where it is kept. Keep it outside the
/// database and out of reach of whoever could change the log. The signed kind is
/// [`super::proof::SignedCheckpoint`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The number of the last batch.
    pub batch: i64,
    /// The position of the last event.
    pub position: i64,
    /// How many events there are; the same number, as positions have no gaps.
    pub events: i64,
    /// The hash of the chain up to here, in hexadecimal.
    pub head_hash: String,
    /// When the last batch was recorded.
    pub recorded_at: String,
    /// When the checkpoint was made.
    pub made_at: String,
}

impl Checkpoint {
    /// The checkpoint of a head, for instance of one that was just verified.
    pub fn of(head: &Head, made_at: DateTime<Utc>) -> Self {
        Self {
            batch: head.batch,
            position: head.position,
            events: head.position,
            head_hash: head.hash.clone(),
            recorded_at: head.recorded_at.clone(),
            made_at: made_at.to_rfc3339_opts(SecondsFormat::Micros, true),
        }
    }

    /// Reads the JSON of a checkpoint's file.
    ///
    /// # Errors
    /// [`AuditError::Checkpoint`] if it is not one.
    pub fn from_json(json: &[u8]) -> Result<Self, AuditError> {
        let checkpoint: Self = serde_json::from_slice(json).map_err(AuditError::Checkpoint)?;
        let sound = checkpoint.batch >= 0
            && checkpoint.position >= 0
            && checkpoint.events == checkpoint.position
            && is_hash(&checkpoint.head_hash)
            && time::parse(&checkpoint.recorded_at).is_some();
        if sound { Ok(checkpoint) } else { Err(AuditError::CheckpointUnsound) }
    }

    /// The JSON of a checkpoint's file, with a line feed at its end.
    ///
    /// # Errors
    /// [`AuditError::Checkpoint`], which does not happen with these fields.
    pub fn to_json(&self) -> Result<String, AuditError> {
        let mut json = serde_json::to_string_pretty(self).map_err(AuditError::Checkpoint)?;
        json.push('\n');
        Ok(json)
    }
}

/// The checkpoint of a database's log as it stands. It notes the head; it verifies nothing.
///
/// # Errors
/// [`AuditError::Database`] if the log cannot be read.
pub async fn checkpoint(pool: &PgPool) -> Result<Checkpoint, AuditError> {
    let row = sqlx::query(
        "select number, last_position, encode(head_hash, 'hex'), recorded_at, clock_timestamp()
         from batches order by number desc limit 1",
    )
    .fetch_optional(pool)
    .await?
    .ok_or(AuditError::NoLog)?;
    let position: i64 = row.try_get(1)?;
    let recorded_at: DateTime<Utc> = row.try_get(3)?;
    let head = Head {
        batch: row.try_get(0)?,
        position,
        hash: row.try_get(2)?,
        recorded_at: time::text(recorded_at.timestamp_micros()),
    };
    Ok(Checkpoint::of(&head, row.try_get(4)?))
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Checkpoint {
        let head = Head {
            batch: 3,
            position: 7,
            hash: "ab".repeat(32),
            recorded_at: "2026-11-22T14:02:15.000001Z".into(),
        };
        Checkpoint::of(&head, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_checkpoint_survives_its_file() {
        let json = sample().to_json().unwrap();
        assert_eq!(Checkpoint::from_json(json.as_bytes()).unwrap(), sample());
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let mut short = sample();
        short.head_hash.pop();
        let mut late = sample();
        late.recorded_at = "yesterday".into();
        let mut odd = sample();
        odd.events = 8;
        for checkpoint in [short, late, odd] {
            let json = checkpoint.to_json().unwrap();
            let refused = Checkpoint::from_json(json.as_bytes());
            assert!(matches!(refused, Err(AuditError::CheckpointUnsound)), "{json}");
        }
        let refused = Checkpoint::from_json(b"{\"batch\":1}");
        assert!(matches!(refused, Err(AuditError::Checkpoint(_))));
    }
}
