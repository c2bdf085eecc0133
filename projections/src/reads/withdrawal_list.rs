//! Withdrawals as those see them who look over many: lists, the reasons of those that wait, and how
//! much lies with each bank.

use std::collections::HashMap;

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, BankAccountId, BankCode, Reference, WithdrawalId},
    log::{self, LogError, Position},
    withdrawal::{WithdrawalEvent, WithdrawalStatus},
};
use rust_decimal::Decimal;
use sqlx::{Row, types::Uuid};

use super::{
    Page, ReadModels, cut, decimal, parsed, unsigned,
    withdrawal_queue::{COLUMNS, WithdrawalRow, row_or_none},
};
use crate::error::ReadError;

/// Which withdrawals to list. Each part that is left out lets all pass.
#[derive(Debug, Clone, Default)]
pub struct WithdrawalFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// In this status.
    pub status: Option<WithdrawalStatus>,
    /// Of this bank.
    pub bank: Option<BankCode>,
    /// Only these (`true`), or all but these.
    pub among: Option<(Vec<WithdrawalId>, bool)>,
    /// Requested before this position.
    pub before: Option<Position>,
}

/// What lies with a bank in one status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The bank.
    pub bank: BankCode,
    /// The status; none that is final.
    pub status: WithdrawalStatus,
    /// How many.
    pub count: u64,
    /// How much, whatever the currency: a bank has one.
    pub amount: Decimal,
    /// Since when the oldest of them was requested.
    pub oldest: Timestamp,
}

impl ReadModels {
    /// Withdrawals, those that were requested last first.
    pub async fn withdrawals(
        &self,
        filter: &WithdrawalFilter,
        limit: u32,
    ) -> Result<Page<WithdrawalRow, Position>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.withdrawals w
                 where ($1::text is null or w.account_id = $1)
                   and ($2::text is null or w.status = $2)
                   and ($3::text is null or w.bank = $3)
                   and ($4::uuid[] is null or (w.id = any ($4)) = $5)
                   and w.requested_position < $6
                 order by w.requested_position desc limit $7) w on true
             order by w.requested_position desc"
        );
        let among = filter.among.as_ref();
        let ids: Option<Vec<Uuid>> = among.map(|(ids, _)| ids.iter().map(|id| id.uuid()).collect());
        let rows = sqlx::query(&sql)
            .bind(filter.account.as_ref().map(AccountId::as_str))
            .bind(filter.status.map(WithdrawalStatus::as_str))
            .bind(filter.bank.as_ref().map(BankCode::as_str))
            .bind(ids)
            .bind(among.is_none_or(|(_, among)| *among))
            .bind(log::read::signed(filter.before.unwrap_or(Position::MAX >> 1))?)
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.pool)
            .await?;
        let (position, rows) = super::rows(&rows, row_or_none)?;
        Ok(cut(rows, limit, position, |row| row.requested_position))
    }

    /// Why each of these withdrawals is where it is, as far as its last event says.
    pub async fn withdrawal_reasons(
        &self,
        rows: &[&WithdrawalRow],
    ) -> Result<HashMap<WithdrawalId, Reference>, ReadError> {
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let mut places = HashMap::with_capacity(rows.len());
        for row in rows {
            places.insert(row.last_position, row.id);
        }
        let positions: Result<Vec<i64>, _> =
            places.keys().map(|position| log::read::signed(*position)).collect();
        let sql = "select position, event_type, event_version, payload from events
                   where aggregate_type = 'withdrawal' and position = any ($1)";
        let mut reasons = HashMap::new();
        for row in sqlx::query(sql).bind(positions?).fetch_all(&self.pool).await? {
            let position = unsigned(&row, "position")?;
            let event_type: &str = row.try_get("event_type")?;
            let event =
                log::decode(event_type, row.try_get("event_version")?, row.try_get("payload")?);
            let event: WithdrawalEvent =
                event.map_err(|source| LogError::Corrupt { position, source })?;
            if let Some((id, reason)) = places.get(&position).zip(event.reason()) {
                reasons.insert(*id, reason.clone());
            }
        }
        Ok(reasons)
    }

    /// Which bank account each of these withdrawals goes to.
    pub async fn payee_accounts(
        &self,
        ids: &[WithdrawalId],
    ) -> Result<HashMap<WithdrawalId, BankAccountId>, ReadError> {
        let uuids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
        let found = sqlx::query("select id, bank_account from read.withdrawals where id = any($1)")
            .bind(uuids)
            .fetch_all(&self.pool)
            .await?;
        let pair = |row: &sqlx::postgres::PgRow| -> Result<_, ReadError> {
            let id = WithdrawalId::from_uuid(row.try_get("id")?);
            Ok((id, BankAccountId::from_uuid(row.try_get("bank_account")?)))
        };
        found.iter().map(pair).collect()
    }

    /// How many withdrawals of an account were requested since a moment, counted up to `most`.
    pub async fn withdrawals_since(
        &self,
        account: &AccountId,
        since: Timestamp,
        most: u32,
    ) -> Result<u32, ReadError> {
        // The newest by the index on the account, of which the old ones are then left out.
        let sql = "select count(*) from (
                       select requested_at from read.withdrawals
                       where account_id = $1 order by requested_position desc limit $2
                   ) w where requested_at >= $3";
        let query = sqlx::query_scalar(sql).bind(account.as_str()).bind(i64::from(most));
        let count: i64 = query.bind(since).fetch_one(&self.pool).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Whether an account has withdrawn to a bank account before, leaving out what came to nothing.
    pub async fn has_withdrawn_to(
        &self,
        account: &AccountId,
        bank_account: BankAccountId,
    ) -> Result<bool, ReadError> {
        let sql = "select exists (select from read.withdrawals where account_id = $1
                       and bank_account = $2
                       and status not in ('cancelled', 'rejected', 'failed'))";
        let query = sqlx::query_scalar(sql).bind(account.as_str()).bind(bank_account.uuid());
        Ok(query.fetch_one(&self.pool).await?)
    }

    /// What lies with each bank and has not ended, by status.
    pub async fn backlogs(&self) -> Result<Vec<Backlog>, ReadError> {
        let sql = "select bank, status, count(*) as count, sum(amount)::text as amount,
                          min(requested_at) as oldest
                   from read.withdrawals
                   where status in ('pending_review', 'queued', 'processing', 'outcome_unknown',
                                    'needs_attention')
                   group by bank, status order by bank, status";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        let backlog = |row| -> Result<Backlog, ReadError> {
            Ok(Backlog {
                bank: parsed(row, "bank")?,
                status: super::variant(row, "status")?,
                count: unsigned(row, "count")?,
                amount: decimal(row, "amount")?,
                oldest: row.try_get("oldest")?,
            })
        };
        rows.iter().map(backlog).collect()
    }
}
