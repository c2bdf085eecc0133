//! What is new on a wallet, and what is under way to and from it.

use ledger_core::{
    ids::AccountId,
    log::{self, Position},
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::Row;

use super::{
    ActivityRow, At, ReadModels, Towards,
    activity::{COLUMNS, row_or_none},
    decimal, rows, unsigned, variant,
};
use crate::{error::ReadError, models::ActivityStatus};

/// What changed on a wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The things that changed.
    pub rows: Vec<ActivityRow>,
    /// Where the account's own last event stands.
    pub account_position: Position,
}

/// A sum of what is underway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Underway {
    /// Coming or going.
    pub direction: Towards,
    /// Of this kind.
    pub kind: String,
    /// In this status, by the object's own word.
    pub object_status: String,
    /// How much, with fees.
    pub amount: Decimal,
    /// How many.
    pub count: u64,
}

impl ReadModels {
    /// What changed on a wallet after a position, in the order of the last changes; `limit` things
    /// at most, and how far the account itself is.
    pub async fn activity_since(
        &self,
        account: &AccountId,
        after: Position,
        limit: u32,
    ) -> Result<At<Changes>, ReadError> {
        let sql = format!(
            "select c.position as reflects, coalesce(w.last_position, 0) as account_position,
                    {COLUMNS}
             from read.checkpoint c
             left join read.accounts w on w.id = $1
             left join lateral (
                 select * from read.activity where account_id = $1 and last_position > $2
                 order by last_position limit $3) a on true
             order by a.last_position"
        );
        let found = sqlx::query(&sql)
            .bind(account.as_str())
            .bind(log::read::signed(after)?)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let first = found.first().ok_or(sqlx::Error::RowNotFound)?;
        let account_position = unsigned(first, "account_position")?;
        let (mut position, mut rows) = rows(&found, row_or_none)?;
        let plain = self.plain_since(account, after, (position, limit)).await?;
        rows.extend(plain.rows);
        if let Some(edge) = plain.edge {
            // Nobody looked further: that is how far this answer goes.
            position = position.min(edge);
            rows.retain(|row| row.last_position <= edge);
        }
        rows.sort_unstable_by_key(|row| row.last_position);
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(At { position, value: Changes { rows, account_position } })
    }

    /// What a wallet waits for, the newest first; `limit` things at most.
    pub async fn activity_open(
        &self,
        account: &AccountId,
        limit: u32,
    ) -> Result<At<Vec<ActivityRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS} from read.checkpoint c
             left join lateral (
                 select * from read.activity where account_id = $1 and status in ({})
                 order by began_position desc limit $2) a on true
             order by a.began_position desc",
            open()
        );
        let found = sqlx::query(&sql)
            .bind(account.as_str())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        let (position, value) = rows(&found, row_or_none)?;
        Ok(At { position, value })
    }

    /// What is on its way to and from a wallet: the sums of what is not final, by kind and the
    /// object's own status. Amounts of outgoing things are with their fees.
    pub async fn activity_underway(
        &self,
        account: &AccountId,
    ) -> Result<At<Vec<Underway>>, ReadError> {
        // In the text of the query: only then the planner knows that the index of what is not done
        // has them all.
        let sql = format!(
            "select c.position as reflects, a.direction, a.kind, a.object_status,
                    a.amount::text, a.count
             from read.checkpoint c
             left join lateral (
                 select direction, kind, object_status, sum(amount + fee) as amount,
                        count(*) as count
                 from read.activity where account_id = $1 and status in ({})
                 group by direction, kind, object_status) a on true
             order by a.direction, a.kind, a.object_status",
            open()
        );
        let found = sqlx::query(&sql).bind(account.as_str()).fetch_all(&self.pool).await?;
        let (position, value) = rows(&found, |row| -> Result<_, ReadError> {
            if row.try_get::<Option<&str>, _>("direction")?.is_none() {
                return Ok(None);
            }
            Ok(Some(Underway {
                direction: variant(row, "direction")?,
                kind: row.try_get("kind")?,
                object_status: row.try_get("object_status")?,
                amount: decimal(row, "amount")?,
                count: unsigned(row, "count")?,
            }))
        })?;
        Ok(At { position, value })
    }
}

/// The statuses in which something is still expected, as a list in SQL.
fn open() -> String {
    let open = ActivityStatus::ALL.into_iter().filter(|status| !status.is_final());
    let open: Vec<String> = open.map(|status| format!("'{}'", status.as_str())).collect();
    open.join(", ")
}
