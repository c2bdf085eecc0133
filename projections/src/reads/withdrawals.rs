//! A withdrawal, folded from its own stream: the stream is its timeline, so nothing is copied.

use ledger_core::{
    clock::Timestamp,
    ids::WithdrawalId,
    log::{self, LogError, Metadata, Position},
    withdrawal::{Withdrawal, WithdrawalEvent},
};
use sqlx::{Row, postgres::PgRow};

use super::{At, ReadModels, unsigned};
use crate::error::ReadError;

/// A withdrawal with all that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalHistory {
    /// As its events made it.
    pub withdrawal: Withdrawal,
    /// The events, the first first; there is one at least.
    pub facts: Vec<WithdrawalFact>,
    /// The words that were put on it, if they were not erased.
    pub note: Option<String>,
}

/// One thing that happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalFact {
    /// Where it stands in the log.
    pub position: Position,
    /// When.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Option<String>,
    /// The second person, where two were needed.
    pub approver: Option<String>,
    /// SHA-256 of what they had seen.
    pub evidence_sha256: Option<String>,
    /// What.
    pub event: WithdrawalEvent,
}

impl ReadModels {
    /// A withdrawal, if it exists.
    pub async fn withdrawal(
        &self,
        id: WithdrawalId,
    ) -> Result<At<Option<WithdrawalHistory>>, ReadError> {
        // In step with the read models, so that what a page says of it and of its account agree.
        let rows = sqlx::query(
            "select c.position as reflects, e.position, e.recorded_at, e.event_type,
                    e.event_version, e.payload, e.metadata
             from read.checkpoint c
             left join events e on e.aggregate_type = 'withdrawal' and e.aggregate_id = $1
                               and e.position <= c.position
             order by e.sequence",
        )
        .bind(id.to_string())
        .fetch_all(&self.pool)
        .await?;
        let (position, facts) = super::rows(&rows, fact)?;
        if facts.is_empty() {
            return Ok(At { position, value: None });
        }
        let withdrawal = Withdrawal::of(facts.iter().map(|fact| fact.event.clone()));
        let note = match withdrawal.properties() {
            Some(requested) => self.notes(&[requested.transaction_id]).await?,
            None => std::collections::HashMap::new(),
        };
        let note = note.into_values().next();
        Ok(At { position, value: Some(WithdrawalHistory { withdrawal, facts, note }) })
    }
}

/// The fact of a row; nothing if the row stands for none.
fn fact(row: &PgRow) -> Result<Option<WithdrawalFact>, ReadError> {
    let Some(event_type) = row.try_get::<Option<&str>, _>("event_type")? else {
        return Ok(None);
    };
    let position = unsigned(row, "position")?;
    let event = log::decode(event_type, row.try_get("event_version")?, row.try_get("payload")?);
    let metadata: Metadata = serde_json::from_slice(row.try_get("metadata")?)
        .map_err(|source| super::undecodable("metadata", source))?;
    Ok(Some(WithdrawalFact {
        position,
        recorded_at: row.try_get("recorded_at")?,
        actor: metadata.actor,
        approver: metadata.approver,
        evidence_sha256: metadata.evidence_sha256,
        event: event.map_err(|source| LogError::Corrupt { position, source })?,
    }))
}
