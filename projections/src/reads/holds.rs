//! Holds: one by its id, those of an account, and those whose time has come.

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, HoldId, TransactionId},
    log::{self, Position},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{Row, postgres::PgRow, types::Uuid};

use super::{At, Page, ReadModels, cut, decimal, decimal_or_none, parsed, unsigned, variant};
use crate::error::ReadError;

const COLUMNS: &str = "h.id, h.account_id, h.amount::text as amount, h.state, \
    h.captured::text as captured, h.transaction_id, h.expires_at, h.placed_at, \
    h.placed_position, h.ended_at, h.sequence";

/// A hold after its last event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The account whose decrease it reserves.
    pub account: AccountId,
    /// How much it reserves, or did when it ended.
    pub amount: Decimal,
    /// What became of it.
    pub state: HoldState,
    /// How much of it was posted, if it was captured.
    pub captured: Option<Decimal>,
    /// The transaction that posted it, if it was captured.
    pub transaction_id: Option<TransactionId>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The event that placed it.
    pub placed_position: Position,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Its last event, in its own stream.
    pub sequence: u64,
}

/// What became of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldState {
    /// It reserves.
    Open,
    /// A part or the whole was posted, the rest is free again.
    Captured,
    /// Nothing was posted; somebody gave it up.
    Released,
    /// Nothing was posted; its time had come.
    Expired,
}

impl HoldState {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

impl ReadModels {
    /// A hold, if it exists.
    pub async fn hold(&self, id: HoldId) -> Result<At<Option<Hold>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.holds h on h.id = $1"
        );
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_one(&self.pool).await?;
        Ok(At { position: unsigned(&row, "reflects")?, value: hold_or_none(&row)? })
    }

    /// The holds of an account that were placed before position `before`, newest first; all, or
    /// those in one state.
    pub async fn holds(
        &self,
        account: &AccountId,
        state: Option<HoldState>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Page<Hold, Position>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.holds h
                 where h.account_id = $1 and h.placed_position < $2
                   and ($3::text is null or h.state = $3)
                 order by h.placed_position desc limit $4) h on true
             order by h.placed_position desc"
        );
        let rows = sqlx::query(&sql)
            .bind(account.as_str())
            .bind(log::read::signed(before.unwrap_or(Position::MAX >> 1))?)
            .bind(state.map(HoldState::as_str))
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.pool)
            .await?;
        let (position, holds) = super::rows(&rows, hold_or_none)?;
        Ok(cut(holds, limit, position, |hold| hold.placed_position))
    }

    /// Open holds whose time had come by `now`, the most overdue first, `limit` at most. Some may
    /// have ended since the position that the answer reflects; whoever ends them must expect it.
    pub async fn expired_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<At<Vec<Hold>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.holds h
                 where h.state = 'open' and h.expires_at is not null and h.expires_at <= $1
                 order by h.expires_at, h.id limit $2) h on true
             order by h.expires_at, h.id"
        );
        let rows = sqlx::query(&sql).bind(now).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let (position, value) = super::rows(&rows, hold_or_none)?;
        Ok(At { position, value })
    }
}

/// The hold of a row; nothing if the row stands for none.
fn hold_or_none(row: &PgRow) -> Result<Option<Hold>, ReadError> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("id")? else {
        return Ok(None);
    };
    let transaction_id: Option<Uuid> = row.try_get("transaction_id")?;
    Ok(Some(Hold {
        id: HoldId::from_uuid(id),
        account: parsed(row, "account_id")?,
        amount: decimal(row, "amount")?,
        state: variant(row, "state")?,
        captured: decimal_or_none(row, "captured")?,
        transaction_id: transaction_id.map(TransactionId::from_uuid),
        expires_at: row.try_get("expires_at")?,
        placed_at: row.try_get("placed_at")?,
        placed_position: unsigned(row, "placed_position")?,
        ended_at: row.try_get("ended_at")?,
        sequence: unsigned(row, "sequence")?,
    }))
}
