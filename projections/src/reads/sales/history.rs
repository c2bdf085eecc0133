//! A payment, folded from its own stream: the stream is its timeline, so nothing is copied.

use ledger_core::{
    clock::Timestamp,
    ids::PaymentId,
    log::{self, LogError, Metadata, Position},
    payment::{Payment, PaymentEvent},
};
use sqlx::{Row, postgres::PgRow};

use crate::{
    error::ReadError,
    reads::{At, ReadModels, rows, undecodable, unsigned},
};

/// A payment with all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentHistory {
    /// As its events made it.
    pub payment: Payment,
    /// The events, the first first; there is one at least.
    pub facts: Vec<PaymentFact>,
}

/// One thing that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentFact {
    /// Where it stands in the log.
    pub position: Position,
    /// When.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Option<String>,
    /// What.
    pub event: PaymentEvent,
}

impl ReadModels {
    /// A payment with its steps, if it exists.
    pub async fn payment_history(
        &self,
        id: PaymentId,
    ) -> Result<At<Option<PaymentHistory>>, ReadError> {
        // In step with the read models, so that what a page says of it and of its shop agree.
        let found = sqlx::query(
            "select c.position as reflects, e.position, e.recorded_at, e.event_type,
                    e.event_version, e.payload, e.metadata
             from read.checkpoint c
             left join events e on e.aggregate_type = 'payment' and e.aggregate_id = $1
                               and e.position <= c.position
             order by e.sequence",
        )
        .bind(id.to_string())
        .fetch_all(&self.pool)
        .await?;
        let (position, facts) = rows(&found, fact)?;
        if facts.is_empty() {
            return Ok(At { position, value: None });
        }
        let payment = Payment::of(facts.iter().map(|fact| fact.event.clone()));
        Ok(At { position, value: Some(PaymentHistory { payment, facts }) })
    }
}

/// The fact of a row; nothing if the row stands for none.
fn fact(row: &PgRow) -> Result<Option<PaymentFact>, ReadError> {
    let Some(event_type) = row.try_get::<Option<&str>, _>("event_type")? else {
        return Ok(None);
    };
    let position = unsigned(row, "position")?;
    let event = log::decode(event_type, row.try_get("event_version")?, row.try_get("payload")?);
    let metadata: Metadata = serde_json::from_slice(row.try_get("metadata")?)
        .map_err(|source| undecodable("metadata", source))?;
    Ok(Some(PaymentFact {
        position,
        recorded_at: row.try_get("recorded_at")?,
        actor: metadata.actor,
        event: event.map_err(|source| LogError::Corrupt { position, source })?,
    }))
}
