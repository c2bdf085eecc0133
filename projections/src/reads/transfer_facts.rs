//! What happened to a transfer that waits to be claimed, from its own stream.

use ledger_core::{
    clock::Timestamp,
    ids::TransferId,
    log::{self, LogError, Metadata},
    transfer::TransferEvent,
};
use sqlx::Row;

use super::{ReadModels, unsigned};
use crate::error::ReadError;

impl ReadModels {
    /// Who made the claim of a transfer that waits for a person; nothing if none does.
    pub async fn claim_made_by(&self, id: TransferId) -> Result<Option<String>, ReadError> {
        let found: Option<Vec<u8>> = sqlx::query_scalar(
            "select e.metadata from read.transfers t
             join events e on e.aggregate_type = 'transfer' and e.aggregate_id = $2
                          and e.event_type = 'claim_in_review'
             where t.id = $1 and t.status = 'claim_in_review'
             order by e.sequence desc limit 1",
        )
        .bind(id.uuid())
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(metadata) = found else { return Ok(None) };
        let metadata: Metadata = serde_json::from_slice(&metadata)
            .map_err(|source| super::undecodable("metadata", source))?;
        Ok(metadata.actor)
    }

    /// The events of a transfer that the read models have, the first first, with their times.
    pub async fn transfer_facts(
        &self,
        id: TransferId,
    ) -> Result<Vec<(Timestamp, TransferEvent)>, ReadError> {
        let rows = sqlx::query(
            "select e.position, e.recorded_at, e.event_type, e.event_version, e.payload
             from read.checkpoint c
             join events e on e.aggregate_type = 'transfer' and e.aggregate_id = $1
                          and e.position <= c.position
             order by e.sequence",
        )
        .bind(id.to_string())
        .fetch_all(&self.pool)
        .await?;
        let mut facts = Vec::with_capacity(rows.len());
        for row in &rows {
            let position = unsigned(row, "position")?;
            let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
            let event = log::decode(name, version, row.try_get("payload")?)
                .map_err(|source| LogError::Corrupt { position, source })?;
            facts.push((row.try_get("recorded_at")?, event));
        }
        Ok(facts)
    }
}
