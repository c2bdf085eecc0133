//! Withdrawals as those see them who send them: what waits for a bank, what a bank has not answered
//! for good, what a bank means by a reference, and how much a bank's escrow can still cover.

use std::collections::HashSet;

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, BankAccountId, BankCode, Rail, Reference, WithdrawalId},
    log::{self, Position},
    withdrawal::WithdrawalStatus,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow, types::Uuid};

use super::{At, ReadModels, alike, decimal, parsed, unsigned, variant};
use crate::error::ReadError;

pub(super) const COLUMNS: &str = "w.id, w.account_id, w.bank, w.rail, w.bank_account, \
    w.amount::text as amount, w.fee::text as fee, w.status, w.attempts, w.begun_at, \
    w.requested_at, w.requested_position, w.queued_position, w.changed_at, \
    w.unapplied::text as unapplied, w.late, w.sequence, w.last_position";

/// A withdrawal after its last event, without its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WithdrawalRow {
    /// Its id.
    pub id: WithdrawalId,
    /// Where the money comes from; its currency is the withdrawal's.
    pub account: AccountId,
    /// The bank that is to send it.
    pub bank: BankCode,
    /// The way.
    pub rail: Rail,
    /// The payee's account, opaque.
    pub bank_account: BankAccountId,
    /// What the payee gets.
    pub amount: Decimal,
    /// What it costs, tax included.
    pub fee: Decimal,
    /// Where it is in its life.
    pub status: WithdrawalStatus,
    /// How many attempts there were.
    pub attempts: u32,
    /// When the last of them was begun.
    pub begun_at: Option<Timestamp>,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// Where that stands in the log.
    pub requested_position: Position,
    /// Its place in the queue.
    pub queued_position: Option<Position>,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// What waits for its wallet.
    pub unapplied: Decimal,
    /// Whether a bank paid what it had refused.
    pub late: bool,
    /// Its last event, in its own stream.
    pub sequence: u64,
    /// And in the log.
    pub last_position: Position,
}

/// What a bank means by a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAttempt {
    /// The withdrawal.
    pub withdrawal: WithdrawalRow,
    /// Which attempt of it, from 1.
    pub attempt: u32,
    /// When it was begun.
    pub begun_at: Timestamp,
}

/// What a bank's escrow holds and what is already promised of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Float {
    /// The balance of `bank:{b}:escrow`.
    pub escrow: Decimal,
    /// What the bank says it paid and no statement shows yet.
    pub clearing_out: Decimal,
    /// What was sent, or is about to be, and has no outcome; what of it was proved paid in part is
    /// in `clearing_out` already.
    pub in_flight: Decimal,
}

impl Float {
    /// What can still be sent; below zero if too much was. Nothing if the figures do not fit.
    pub fn left(self) -> Option<Decimal> {
        self.escrow.checked_sub(self.clearing_out)?.checked_sub(self.in_flight)
    }
}

impl ReadModels {
    /// What waits for a bank behind a place in its queue, first come first, `limit` at most.
    pub async fn queued_withdrawals(
        &self,
        bank: &BankCode,
        behind: Position,
        limit: u32,
    ) -> Result<At<Vec<WithdrawalRow>>, ReadError> {
        let wanted = "w.bank = $1 and w.status = 'queued' and w.queued_position > $3";
        self.withdrawal_rows(wanted, "w.queued_position", (bank.as_str(), behind), limit).await
    }

    /// What a bank was given and has no outcome, but for what people look at; the longest first,
    /// behind one of them.
    pub async fn unanswered_withdrawals(
        &self,
        bank: &BankCode,
        behind: Option<(Timestamp, WithdrawalId)>,
        limit: u32,
    ) -> Result<At<Vec<WithdrawalRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.withdrawals w
                 where w.bank = $1 and w.status in ('processing', 'outcome_unknown')
                   and ($3::timestamptz is null or (w.begun_at, w.id) > ($3, $4))
                 order by w.begun_at, w.id limit $2
             ) w on true
             order by w.begun_at, w.id"
        );
        let (begun_at, id) = behind.unzip();
        let query = sqlx::query(&sql).bind(bank.as_str()).bind(i64::from(limit)).bind(begun_at);
        let rows = query.bind(id.map(WithdrawalId::uuid)).fetch_all(&self.pool).await?;
        let (position, value) = super::rows(&rows, row_or_none)?;
        Ok(At { position, value })
    }

    /// What came back and waits for its wallet, the longest first.
    pub async fn unapplied_withdrawals(
        &self,
        limit: u32,
    ) -> Result<At<Vec<WithdrawalRow>>, ReadError> {
        let wanted = "w.unapplied > 0 and $1 = '' and $3 = 0
                      and not starts_with(w.account_id, 'suspense:')";
        self.withdrawal_rows(wanted, "w.changed_at, w.id", ("", 0), limit).await
    }

    async fn withdrawal_rows(
        &self,
        wanted: &str,
        order: &str,
        (of, behind): (&str, Position),
        limit: u32,
    ) -> Result<At<Vec<WithdrawalRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (
                 select * from read.withdrawals w where {wanted} order by {order} limit $2
             ) w on true
             order by {order}"
        );
        let query = sqlx::query(&sql).bind(of).bind(i64::from(limit));
        let rows = query.bind(log::read::signed(behind)?).fetch_all(&self.pool).await?;
        let (position, value) = super::rows(&rows, row_or_none)?;
        Ok(At { position, value })
    }

    /// Those of these references that a bank knows an attempt by.
    pub async fn known_references(
        &self,
        names: &[(BankCode, Reference)],
    ) -> Result<HashSet<(BankCode, Reference)>, ReadError> {
        let (banks, references): (Vec<&str>, Vec<&str>) =
            names.iter().map(|(bank, reference)| (bank.as_str(), reference.as_str())).unzip();
        let sql = "select a.bank, a.reference from unnest($1::text[], $2::text[]) as t(bank, name)
                   join read.withdrawal_attempts a on a.bank = t.bank and a.reference = t.name";
        let rows = sqlx::query(sql).bind(banks).bind(references).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((parsed(row, "bank")?, parsed(row, "reference")?))).collect()
    }

    /// The attempt that a bank knows by a reference, if there is one.
    pub async fn attempt_of(
        &self,
        bank: &BankCode,
        reference: &Reference,
    ) -> Result<At<Option<KnownAttempt>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, a.attempt, a.begun_at as attempt_begun_at, {COLUMNS}
             from read.checkpoint c
             left join read.withdrawal_attempts a on a.bank = $1 and a.reference = $2
             left join read.withdrawals w on w.id = a.withdrawal_id"
        );
        let query = sqlx::query(&sql).bind(bank.as_str()).bind(reference.as_str());
        let row = query.fetch_one(&self.pool).await?;
        let known = row_or_none(&row)?.map(|withdrawal| -> Result<_, ReadError> {
            let attempt: i32 = row.try_get("attempt")?;
            Ok(KnownAttempt {
                withdrawal,
                attempt: u32::try_from(attempt)
                    .map_err(|source| super::undecodable("attempt", source))?,
                begun_at: row.try_get("attempt_begun_at")?,
            })
        });
        Ok(At { position: unsigned(&row, "reflects")?, value: known.transpose()? })
    }

    /// What a bank's escrow in a currency holds, and what is promised of it.
    pub async fn float(
        &self,
        escrow: &AccountId,
        clearing_out: &AccountId,
        bank: &BankCode,
    ) -> Result<At<Float>, ReadError> {
        let row = sqlx::query(
            "select c.position as reflects,
                    coalesce((select a.balance from read.accounts a
                              where a.id = $1), 0)::text as escrow,
                    coalesce((select a.balance from read.accounts a
                              where a.id = $2), 0)::text as clearing_out,
                    coalesce((select -sum(o.net_debits) from read.withdrawals w
                              join read.open_items o
                                on o.account_id =
                                   'withdrawals:in_flight:' || split_part($1, ':', -1)
                               and o.item = 'wd_' || replace(w.id::text, '-', '')
                              where w.bank = $3 and w.status in
                                    ('processing', 'outcome_unknown', 'needs_attention')),
                             0)::text as in_flight
             from read.checkpoint c",
        )
        .bind(escrow.as_str())
        .bind(clearing_out.as_str())
        .bind(bank.as_str())
        .fetch_one(&self.pool)
        .await?;
        let value = Float {
            escrow: decimal(&row, "escrow")?,
            clearing_out: decimal(&row, "clearing_out")?,
            in_flight: decimal(&row, "in_flight")?,
        };
        Ok(At { position: unsigned(&row, "reflects")?, value })
    }
}

/// The withdrawal of a row; nothing if the row stands for none.
pub(super) fn row_or_none(row: &PgRow) -> Result<Option<WithdrawalRow>, ReadError> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("id")? else {
        return Ok(None);
    };
    let attempts: i32 = row.try_get("attempts")?;
    let queued: Option<i64> = row.try_get("queued_position")?;
    let queued_position = match queued {
        Some(_) => Some(unsigned(row, "queued_position")?),
        None => None,
    };
    let amounts = ["amount", "fee", "unapplied"].map(|column| decimal(row, column));
    let [amount, fee, unapplied] = amounts;
    let [amount, fee, unapplied] = alike([amount?, fee?, unapplied?]);
    Ok(Some(WithdrawalRow {
        id: WithdrawalId::from_uuid(id),
        account: parsed(row, "account_id")?,
        bank: parsed(row, "bank")?,
        rail: parsed(row, "rail")?,
        bank_account: BankAccountId::from_uuid(row.try_get("bank_account")?),
        amount,
        fee,
        status: variant(row, "status")?,
        attempts: u32::try_from(attempts)
            .map_err(|source| super::undecodable("attempts", source))?,
        begun_at: row.try_get("begun_at")?,
        requested_at: row.try_get("requested_at")?,
        requested_position: unsigned(row, "requested_position")?,
        queued_position,
        changed_at: row.try_get("changed_at")?,
        unapplied,
        late: row.try_get("late")?,
        sequence: unsigned(row, "sequence")?,
        last_position: unsigned(row, "last_position")?,
    }))
}
