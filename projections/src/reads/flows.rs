//! Money in and out of an account, day by day: the bars of a dashboard.

use chrono::NaiveDate;
use ledger_core::{
    chart::{AccountType, Direction},
    ids::AccountId,
    money::Currency,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{At, ReadModels, accounts::currency, at_scale, decimal, unsigned, variant};
use crate::error::ReadError;

/// The days of an account on which money moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flows {
    /// The currency with its scale.
    pub currency: Currency,
    /// By business date, oldest first. A day without legs is left out.
    pub days: Vec<DayFlow>,
}

/// What moved on one business date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayFlow {
    /// The business date.
    pub day: NaiveDate,
    /// The legs that raised the balance.
    pub money_in: Decimal,
    /// The legs that lowered it.
    pub money_out: Decimal,
    /// How many legs there were.
    pub legs: u64,
}

impl ReadModels {
    /// What moved on an account on the days from `from` to `to`, both included, if it exists.
    pub async fn flows(
        &self,
        id: &AccountId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<At<Option<Flows>>, ReadError> {
        let rows = sqlx::query(
            "select c.position as reflects, a.currency, a.scale, a.account_type,
                    f.day, f.debits::text as debits, f.credits::text as credits, f.legs
             from read.checkpoint c
             left join read.accounts a on a.id = $1
             left join read.flows f on f.account_id = a.id and f.day >= $2 and f.day <= $3
             order by f.day",
        )
        .bind(id.as_str())
        .bind(from)
        .bind(to)
        .fetch_all(&self.pool)
        .await?;
        let first = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let position = unsigned(first, "reflects")?;
        if first.try_get::<Option<&str>, _>("currency")?.is_none() {
            return Ok(At { position, value: None });
        }
        let currency = currency(first)?;
        let days = rows.iter().filter_map(|row| day(row, currency).transpose());
        Ok(At { position, value: Some(Flows { currency, days: days.collect::<Result<_, _>>()? }) })
    }
}

/// The day of a row; nothing if the row stands for none.
fn day(row: &PgRow, currency: Currency) -> sqlx::Result<Option<DayFlow>> {
    let Some(day) = row.try_get("day")? else {
        return Ok(None);
    };
    let account_type: AccountType = variant(row, "account_type")?;
    let at_scale = |amount| at_scale(amount, u32::from(currency.scale));
    let debits = at_scale(decimal(row, "debits")?);
    let credits = at_scale(decimal(row, "credits")?);
    let (money_in, money_out) = match account_type.normal_side() {
        Direction::Debit => (debits, credits),
        Direction::Credit => (credits, debits),
    };
    Ok(Some(DayFlow { day, money_in, money_out, legs: unsigned(row, "legs")? }))
}
