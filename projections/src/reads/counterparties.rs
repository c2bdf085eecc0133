//! Who is on the other side of transactions: the wallet or the shop, where it is one alone.

use std::collections::HashMap;

use ledger_core::ids::{AccountId, TransactionId};
use sqlx::{Row as _, types::Uuid};

use super::{ReadModels, parsed};
use crate::error::ReadError;

impl ReadModels {
    /// The other wallet or the shop's account of each transaction that has exactly one; what it has
    /// of ours besides, as fees and taxes, is no other side.
    ///
    /// # Errors
    /// [`ReadError`] if the database does not answer.
    pub async fn counterparties(
        &self,
        account: &AccountId,
        transactions: &[TransactionId],
    ) -> Result<HashMap<TransactionId, AccountId>, ReadError> {
        let ids: Vec<Uuid> = transactions.iter().map(|id| id.uuid()).collect();
        let rows = sqlx::query(
            "select t.id, min(e.aggregate_id) as account
             from read.transactions t
             join events e on e.position >= t.first_position and e.position <= t.last_position
             where t.id = any($1) and e.aggregate_type = 'account' and e.aggregate_id <> $2
                 and (e.aggregate_id like 'wallet:%' or e.aggregate_id like 'merchant:%')
             group by t.id having count(distinct e.aggregate_id) = 1",
        )
        .bind(ids)
        .bind(account.as_str())
        .fetch_all(&self.pool)
        .await?;
        let found = rows.iter().map(|row| {
            let id: Uuid = row.try_get("id")?;
            Ok((TransactionId::from_uuid(id), parsed(row, "account")?))
        });
        found.collect()
    }
}
