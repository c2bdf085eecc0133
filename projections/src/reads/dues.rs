//! What customers owe and could repay, and what banks were late with.

use ledger_core::ids::AccountId;
use rust_decimal::Decimal;
use sqlx::{Row as _, postgres::PgRow};

use super::{
    At, ReadModels, at_scale, decimal, parsed, unsigned,
    withdrawal_queue::{COLUMNS, WithdrawalRow, row_or_none},
};
use crate::error::ReadError;

/// What the owner of a wallet owes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debt {
    /// The receivable.
    pub account: AccountId,
    /// The wallet beside it.
    pub wallet: AccountId,
    /// How much is owed.
    pub owed: Decimal,
    /// What is on the wallet and on no hold.
    pub free: Decimal,
}

impl ReadModels {
    /// Who owes something and has something, `limit` at most. What the wallet keeps by a floor, a
    /// lien or a freeze the ledger knows.
    pub async fn debts_that_can_be_repaid(&self, limit: u32) -> Result<At<Vec<Debt>>, ReadError> {
        let rows = sqlx::query(
            "select c.position as reflects, d.*
             from read.checkpoint c
             left join lateral (
                 select r.id as account, w.id as wallet, r.balance::text as owed, r.scale,
                        (w.balance - w.held)::text as free
                 from read.accounts r
                 join read.accounts w
                   on w.id = 'wallet:' || split_part(r.code, ':', 3) || ':' || r.currency
                 where r.id >= 'receivable:' and r.id < 'receivable;' and r.balance > 0
                   and w.balance - w.held - coalesce(w.floor, 0) > 0 and w.closed_at is null
                   and w.freezes = '{}'
                 order by r.id limit $1) d on true
             order by d.account",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let (position, value) = super::rows(&rows, debt_or_none)?;
        Ok(At { position, value })
    }

    /// Withdrawals whose money is back on their wallets, more than a day after they were sent, and
    /// that nobody has looked at for that; `limit` at most.
    pub async fn late_withdrawals(&self, limit: u32) -> Result<At<Vec<WithdrawalRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.withdrawals w
                 where w.status in ('failed', 'returned') and w.unapplied = 0
                   and w.account_id like 'wallet:%' and w.begun_at is not null
                   and w.changed_at > w.begun_at + interval '1 day'
                   and not exists (select from withdrawal_compensations n
                                   where n.withdrawal_id = w.id)
                 order by w.requested_position limit $1
             ) w on true
             order by w.requested_position"
        );
        let rows = sqlx::query(&sql).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        let (position, value) = super::rows(&rows, row_or_none)?;
        Ok(At { position, value })
    }
}

fn debt_or_none(row: &PgRow) -> Result<Option<Debt>, ReadError> {
    if row.try_get::<Option<&str>, _>("account")?.is_none() {
        return Ok(None);
    }
    let scale = u32::try_from(row.try_get::<i32, _>("scale")?).unwrap_or_default();
    unsigned(row, "reflects")?;
    Ok(Some(Debt {
        account: parsed(row, "account")?,
        wallet: parsed(row, "wallet")?,
        owed: at_scale(decimal(row, "owed")?, scale),
        free: at_scale(decimal(row, "free")?, scale),
    }))
}
