//! What the desk has above everything else: per bank, how much was done within the hour and how
//! fast; what lies in suspense; how late banks' messages are applied.
//!
//! Read models and notes only: nothing is decided by these figures.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ledger_core::{clock::Timestamp, ids::BankCode, money::CurrencyCode};
use rust_decimal::Decimal;
use sqlx::{PgPool, Row as _};

/// How far back success and speed are counted.
const COUNTED_FOR: TimeDelta = TimeDelta::hours(1);
/// The most that are counted of a bank and a status: what an hour brings at forty a second.
const COUNTED_MAX: i64 = 150_000;

/// What a bank did within the last hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hour {
    /// How many were paid.
    pub(crate) paid: i64,
    /// How many were refused for good.
    pub(crate) failed: i64,
    /// How many seconds it took from the request to the payment, for 95 of 100.
    pub(crate) p95_seconds: Option<i64>,
}

impl Hour {
    /// Of a hundred that ended, how many were paid; nothing if none ended.
    pub(crate) fn success_percent(self) -> Option<i64> {
        let ended = self.paid.checked_add(self.failed).filter(|ended| *ended > 0)?;
        self.paid.checked_mul(100)?.checked_div(ended)
    }
}

/// What each bank did within the last hour.
///
/// # Errors
/// What the database says.
pub(crate) async fn hours(pool: &PgPool, now: Timestamp) -> sqlx::Result<BTreeMap<BankCode, Hour>> {
    // Through the index on the status, the newest first: old ones are not read.
    let sql = "
        with ended as (
            select * from (select bank, status, requested_at, changed_at from read.withdrawals
                where status = 'completed' order by requested_position desc limit $2) c
            union all
            select * from (select bank, status, requested_at, changed_at from read.withdrawals
                where status = 'failed' order by requested_position desc limit $2) f
        )
        select bank, count(*) filter (where status = 'completed') as paid,
               count(*) filter (where status = 'failed') as failed,
               percentile_disc(0.95) within group
                   (order by extract(epoch from changed_at - requested_at)::bigint)
                   filter (where status = 'completed') as p95
        from ended where changed_at > $1 group by bank";
    let since = now.checked_sub_signed(COUNTED_FOR).unwrap_or(now);
    let rows = sqlx::query(sql).bind(since).bind(COUNTED_MAX).fetch_all(pool).await?;
    let mut hours = BTreeMap::new();
    for row in &rows {
        let bank: &str = row.try_get("bank")?;
        let hour = Hour {
            paid: row.try_get("paid")?,
            failed: row.try_get("failed")?,
            p95_seconds: row.try_get("p95")?,
        };
        if let Ok(bank) = bank.parse() {
            hours.insert(bank, hour);
        }
    }
    Ok(hours)
}

/// The questions that a bank was asked about what it has and has not answered for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Asked {
    /// About how many withdrawals questions may be asked.
    pub(crate) withdrawals: i64,
    /// How many were asked about their present attempts.
    pub(crate) questions: i64,
}

/// The questions that banks were asked about what they have now.
///
/// # Errors
/// What the database says.
pub(crate) async fn asked(pool: &PgPool) -> sqlx::Result<BTreeMap<BankCode, Asked>> {
    let sql = "
        select w.bank, count(*) as withdrawals, coalesce(sum(q.asked), 0)::bigint as questions
        from read.withdrawals w
        left join lateral (
            select count(*) as asked from bank_questions q
            where q.withdrawal_id = w.id and q.attempt = w.attempts and q.number > 0) q on true
        where w.status in ('processing', 'outcome_unknown') group by w.bank";
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    let mut banks = BTreeMap::new();
    for row in &rows {
        let bank: &str = row.try_get("bank")?;
        let (withdrawals, questions) = (row.try_get("withdrawals")?, row.try_get("questions")?);
        if let Ok(bank) = bank.parse() {
            banks.insert(bank, Asked { withdrawals, questions });
        }
    }
    Ok(banks)
}

/// What lies in suspense: how many credits, how much, since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InSuspense {
    /// The currency.
    pub(crate) currency: CurrencyCode,
    /// How many.
    pub(crate) count: i64,
    /// How much.
    pub(crate) amount: Decimal,
    /// Since when the oldest lies there.
    pub(crate) oldest: Timestamp,
}

/// What lies in suspense, by currency.
///
/// # Errors
/// What the database says.
pub(crate) async fn in_suspense(pool: &PgPool) -> sqlx::Result<Vec<InSuspense>> {
    let sql = "select a.currency, count(*) as count, -sum(o.net_debits) as amount,
                      min(o.opened_at) as oldest
               from read.open_items o join read.accounts a on a.id = o.account_id
               where a.code = 'suspense:credits' group by a.currency order by a.currency";
    let rows = sqlx::query(sql).fetch_all(pool).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let currency: &str = row.try_get("currency")?;
        let Ok(currency) = currency.parse() else { continue };
        found.push(InSuspense {
            currency,
            count: row.try_get("count")?,
            amount: row.try_get("amount")?,
            oldest: row.try_get("oldest")?,
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::Hour;

    #[test]
    fn of_nothing_there_is_no_rate() {
        let hour = |paid, failed| Hour { paid, failed, p95_seconds: None }.success_percent();
        assert_eq!(hour(0, 0), None);
        assert_eq!(hour(0, 3), Some(0));
        assert_eq!(hour(2, 1), Some(66));
        assert_eq!(hour(7, 0), Some(100));
    }
}
