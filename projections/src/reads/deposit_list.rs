//! Deposits as lists show them, and those whose time has come.

use ledger_core::{
    clock::Timestamp,
    deposit::DepositStatus,
    ids::{AccountId, BankCode, DepositId},
    log::{self, Position},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow, types::Uuid};

use super::{
    At, Page, ReadModels, alike, cut, decimal, decimal_or_none, parsed, rows, unsigned, variant,
};
use crate::error::ReadError;

/// A deposit after its last event, without its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DepositRow {
    /// Its id.
    pub id: DepositId,
    /// The wallet, if it is known.
    pub account: Option<AccountId>,
    /// Its currency.
    pub currency: CurrencyCode,
    /// The bank.
    pub bank: BankCode,
    /// What was asked for, if somebody asked.
    pub amount: Option<Decimal>,
    /// Until when it can be paid, if somebody asked.
    pub expires_at: Option<Timestamp>,
    /// What is on the wallet because of it.
    pub credited: Decimal,
    /// What arrived and is not on the wallet.
    pub aside: Decimal,
    /// Where it is in its life.
    pub status: DepositStatus,
    /// Whether money came after the intent had ended.
    pub late: bool,
    /// When it began.
    pub begun_at: Timestamp,
    /// Where that stands in the log.
    pub begun_position: Position,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// Its last event, in its own stream.
    pub sequence: u64,
}

impl ReadModels {
    /// The deposits of an account, or in a status, or all, begun before position `before`; newest
    /// first.
    pub async fn deposits(
        &self,
        account: Option<&AccountId>,
        status: Option<DepositStatus>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Page<DepositRow, Position>, ReadError> {
        let found = sqlx::query(
            "select c.position as reflects, d.id, d.account_id, d.currency, d.bank,
                    d.amount::text as amount, d.expires_at, d.credited::text as credited,
                    d.aside::text as aside, d.status, d.late, d.begun_at, d.begun_position,
                    d.changed_at, d.sequence
             from read.checkpoint c
             left join lateral (
                 select * from read.deposits d
                 where ($1::text is null or d.account_id = $1)
                   and ($2::text is null or d.status = $2) and d.begun_position < $3
                 order by d.begun_position desc limit $4) d on true
             order by d.begun_position desc",
        )
        .bind(account.map(AccountId::as_str))
        .bind(status.map(DepositStatus::as_str))
        .bind(log::read::signed(before.unwrap_or(Position::MAX >> 1))?)
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.pool)
        .await?;
        let (position, found) = rows(&found, row_or_none)?;
        Ok(cut(found, limit, position, |row| row.begun_position))
    }

    /// Deposits whose time to be paid has come, the longest first.
    pub async fn expired_deposits(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<At<Vec<DepositId>>, ReadError> {
        let found = sqlx::query(
            "select c.position as reflects, d.id
             from read.checkpoint c
             left join lateral (
                 select id, expires_at from read.deposits
                 where status = 'awaiting_payment' and expires_at <= $1
                 order by expires_at, id limit $2) d on true
             order by d.expires_at, d.id",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let (position, value) = rows(&found, |row| -> Result<_, ReadError> {
            Ok(row.try_get::<Option<Uuid>, _>("id")?.map(DepositId::from_uuid))
        })?;
        Ok(At { position, value })
    }
}

/// The deposit of a row; nothing if the row stands for none.
fn row_or_none(row: &PgRow) -> Result<Option<DepositRow>, ReadError> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("id")? else {
        return Ok(None);
    };
    let account = match row.try_get::<Option<&str>, _>("account_id")? {
        Some(_) => Some(parsed(row, "account_id")?),
        None => None,
    };
    let asked = decimal_or_none(row, "amount")?;
    let least = asked.unwrap_or_default();
    let [_, credited, aside] = alike([least, decimal(row, "credited")?, decimal(row, "aside")?]);
    Ok(Some(DepositRow {
        id: DepositId::from_uuid(id),
        account,
        currency: parsed(row, "currency")?,
        bank: parsed(row, "bank")?,
        amount: asked,
        expires_at: row.try_get("expires_at")?,
        credited,
        aside,
        status: variant(row, "status")?,
        late: row.try_get("late")?,
        begun_at: row.try_get("begun_at")?,
        begun_position: unsigned(row, "begun_position")?,
        changed_at: row.try_get("changed_at")?,
        sequence: unsigned(row, "sequence")?,
    }))
}
