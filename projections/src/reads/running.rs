//! What an account had after each of some things of its activity: the running balance.
//!
//! The legs themselves say it (`balance_after`). An object's own stream names its transactions, a
//! transaction's legs lie side by side in the log, so a page of things is a handful of look-ups in
//! indexes, however long the account's history.

use std::collections::HashMap;

use ledger_core::{
    ids::{AccountId, TransactionId, TransferId},
    log::LogError,
};
use rust_decimal::Decimal;
use sqlx::{Row as _, types::Uuid};

use super::{ReadModels, activity::ActivityRow, unsigned};
use crate::{error::ReadError, models::decode_leg};

impl ReadModels {
    /// The balance of `account` after the last leg that each of these things has on it, by the
    /// thing's id. A thing that has moved nothing on the account is not in it.
    pub async fn balances_after(
        &self,
        account: &AccountId,
        rows: &[ActivityRow],
    ) -> Result<HashMap<String, Decimal>, ReadError> {
        let (objects, transactions) = self.transactions_behind(rows).await?;
        let found = sqlx::query(
            "select named.object, e.position, e.event_type, e.event_version, e.payload
             from unnest($1::text[], $2::uuid[]) named (object, id)
             join read.transactions t on t.id = named.id
             cross join lateral (
                 -- By their places in the log: the planner must not walk the account's stream.
                 select * from events
                 where position between t.first_position and t.last_position offset 0) e
             where e.aggregate_type = 'account' and e.aggregate_id = $3
                 and e.event_type in ('debited', 'credited')
             order by e.position",
        )
        .bind(&objects)
        .bind(&transactions)
        .bind(account.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut balances = HashMap::with_capacity(rows.len());
        for row in &found {
            let position = unsigned(row, "position")?;
            let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
            let leg = decode_leg(name, version, row.try_get("payload")?)
                .map_err(|source| LogError::Corrupt { position, source })?;
            // In the order of the log: the last one stays.
            balances.insert(row.try_get("object")?, leg.balance_after);
        }
        Ok(balances)
    }

    /// Pairs of a thing and a transaction of its, as two lists of one length.
    async fn transactions_behind(
        &self,
        rows: &[ActivityRow],
    ) -> Result<(Vec<String>, Vec<Uuid>), ReadError> {
        let (mut objects, mut transactions) = (Vec::new(), Vec::new());
        let mut streams = Vec::new();
        for row in rows {
            let own = row.object.parse::<TransactionId>().ok();
            let own = own.or_else(|| Some(row.object.parse::<TransferId>().ok()?.transaction_id()));
            match own {
                Some(id) => {
                    objects.push(row.object.clone());
                    transactions.push(id.uuid());
                }
                None => streams.push(row.object.clone()),
            }
        }
        if streams.is_empty() {
            return Ok((objects, transactions));
        }
        let named = sqlx::query(
            "select distinct named.object, named.id from (
                 select aggregate_id as object,
                        convert_from(payload, 'UTF8')::json ->> 'transaction_id' as id
                 from events
                 where aggregate_type in ('deposit', 'withdrawal') and aggregate_id = any($1)
             ) named where named.id is not null",
        )
        .bind(&streams)
        .fetch_all(&self.pool)
        .await?;
        for row in &named {
            let id: TransactionId = super::parsed(row, "id")?;
            objects.push(row.try_get("object")?);
            transactions.push(id.uuid());
        }
        Ok((objects, transactions))
    }
}
