//! Which periods were closed and opened again, by whom, and what is left of income and expense.

use chrono::NaiveDate;
use ledger_core::{
    book::{BOOK_ID, BookEvent},
    chart::AccountType,
    clock::Timestamp,
    ids::AccountId,
    log::{self, LogError, Position},
    money::Currency,
};
use rust_decimal::Decimal;
use serde::Deserialize;
use sqlx::Row;

use super::{At, ReadModels, accounts::currency, at_scale, decimal, unsigned, variant};
use crate::error::ReadError;

/// Something that happened to periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodChange {
    /// What: one of the three events of the book that are about periods.
    pub event: BookEvent,
    /// Where it stands.
    pub position: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Who did it.
    pub actor: Option<String>,
    /// Who approved.
    pub approver: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What an account of income or expense has up to a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earned {
    /// The account.
    pub account: AccountId,
    /// Its type.
    pub account_type: AccountType,
    /// Its currency.
    pub currency: Currency,
    /// Debits less credits.
    pub net_debits: Decimal,
}

/// Who and why, as the first event of a command has it.
#[derive(Deserialize)]
struct Who {
    actor: Option<String>,
    approver: Option<String>,
    reason: Option<String>,
}

impl ReadModels {
    /// Everything that happened to periods, the last one first. It comes from the log itself.
    pub async fn period_changes(&self) -> Result<Vec<PeriodChange>, ReadError> {
        let rows = sqlx::query(
            "select position, recorded_at, event_type, event_version, payload, metadata
             from events
             where aggregate_type = 'book' and aggregate_id = $1
               and event_type in ('period_closed', 'period_reopened', 'year_closed')
             order by sequence desc",
        )
        .bind(BOOK_ID)
        .fetch_all(&self.pool)
        .await?;
        let mut changes = Vec::with_capacity(rows.len());
        for row in &rows {
            let position = unsigned(row, "position")?;
            let event = log::decode(
                row.try_get("event_type")?,
                row.try_get("event_version")?,
                row.try_get("payload")?,
            )
            .map_err(|source| LogError::Corrupt { position, source })?;
            let who: Who = serde_json::from_slice(row.try_get("metadata")?)
                .map_err(|source| super::undecodable("metadata", source))?;
            let Who { actor, approver, reason } = who;
            let recorded_at = row.try_get("recorded_at")?;
            changes.push(PeriodChange { event, position, recorded_at, actor, approver, reason });
        }
        Ok(changes)
    }

    /// What every account of income and expense has of the days up to `day`, if it has anything.
    pub async fn earned_until(&self, day: NaiveDate) -> Result<At<Vec<Earned>>, ReadError> {
        let rows = sqlx::query(
            "select c.position as reflects, a.*
             from read.checkpoint c
             left join (select a.id, a.account_type, a.currency, a.scale,
                               sum(f.debits - f.credits)::text as net_debits
                        from read.accounts a join read.flows f on f.account_id = a.id
                        where a.account_type in ('income', 'expense') and f.day <= $1
                        group by a.id having sum(f.debits - f.credits) <> 0) a on true
             order by a.id",
        )
        .bind(day)
        .fetch_all(&self.pool)
        .await?;
        let (position, value) = super::rows(&rows, |row| -> Result<_, ReadError> {
            if row.try_get::<Option<&str>, _>("id")?.is_none() {
                return Ok(None);
            }
            let currency = currency(row)?;
            Ok(Some(Earned {
                account: super::parsed(row, "id")?,
                account_type: variant(row, "account_type")?,
                currency,
                net_debits: at_scale(decimal(row, "net_debits")?, u32::from(currency.scale)),
            }))
        })?;
        Ok(At { position, value })
    }
}
