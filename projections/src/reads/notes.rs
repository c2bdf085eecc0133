//! The words that people put on transactions. They are no part of the log, and can be erased at any
//! time: so they are looked up apart from what they label.

use std::collections::HashMap;

use ledger_core::ids::TransactionId;
use sqlx::Row;

use super::{ReadModels, parsed};
use crate::error::ReadError;

impl ReadModels {
    /// The note of a transaction, if it has one.
    pub async fn note(&self, id: TransactionId) -> Result<Option<String>, ReadError> {
        Ok(self.notes(&[id]).await?.remove(&id))
    }

    /// The notes of transactions. They are no part of the log and can be erased at any time.
    pub(super) async fn notes(
        &self,
        ids: &[TransactionId],
    ) -> Result<HashMap<TransactionId, String>, ReadError> {
        let texts: Vec<String> = ids.iter().map(TransactionId::to_string).collect();
        let rows = sqlx::query(
            "select transaction_id, note from transaction_notes where transaction_id = any($1)",
        )
        .bind(texts)
        .fetch_all(&self.pool)
        .await?;
        let mut notes = HashMap::with_capacity(rows.len());
        for row in &rows {
            notes.insert(parsed(row, "transaction_id")?, row.try_get("note")?);
        }
        Ok(notes)
    }
}
