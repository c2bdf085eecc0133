//! What a shop sold, gave back and could dispose of, by day or by month.

use chrono::{DateTime, Utc};
use ledger_core::{
    clock::Timestamp,
    ids::MerchantCode,
    log::{self, Position},
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow};

use crate::{
    error::ReadError,
    reads::{ReadModels, decimal, rows, unsigned},
};

/// By what a report is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SalesUnit {
    /// By day.
    Day,
    /// By month.
    Month,
}

impl SalesUnit {
    /// The unit as addresses and the database name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// A day or a month of a shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SalesLine {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// How many payments.
    pub payments: u64,
    /// What was paid.
    pub gross: Decimal,
    /// What that cost the shop, without the tax in it.
    pub fee: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What the shop has of it.
    pub net: Decimal,
    /// What went back in that time, of whichever payments.
    pub refunds: Decimal,
    /// What was settled in that time, of whichever payments.
    pub settled: Decimal,
}

/// The days or months in which something happened, and the position that they reflect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SalesReport {
    /// The lines, the earliest first.
    pub lines: Vec<SalesLine>,
    /// Everything up to here is in them, and nothing after it.
    pub position: Position,
}

/// Three sums that meet at the day or month; one statement, so that they are of one moment.
const REPORT: &str = "
    with sold as (
        select date_trunc($4, paid_at, $5) as begins, count(*) as payments, sum(gross) as gross,
               sum(fee) as fee, sum(tax) as tax, sum(net) as net
        from read.payments
        where merchant = $1 and paid_position > $2 and paid_position <= $3
        group by 1
    ), back as (
        select date_trunc($4, changed_at, $5) as begins, sum(amount) as refunds
        from read.refunds
        where merchant = $1 and status = 'completed'
          and last_position > $2 and last_position <= $3
        group by 1
    ), ready as (
        select date_trunc($4, settled_at, $5) as begins, sum(net) as settled
        from read.settlements
        where merchant = $1 and position > $2 and position <= $3
        group by 1
    ), lines as (
        select begins, payments, gross, fee, tax, net, refunds, settled
        from sold full join back using (begins) full join ready using (begins)
    )
    select c.position as reflects, l.begins, coalesce(l.payments, 0) as payments,
           coalesce(l.gross, 0)::text as gross, coalesce(l.fee, 0)::text as fee,
           coalesce(l.tax, 0)::text as tax, coalesce(l.net, 0)::text as net,
           coalesce(l.refunds, 0)::text as refunds, coalesce(l.settled, 0)::text as settled
    from read.checkpoint c left join lines l on true
    order by l.begins";

impl ReadModels {
    /// What a shop sold, gave back and could dispose of, from one moment until before another, by
    /// the days or months of a time zone; only those in which something happened.
    pub async fn sales_report(
        &self,
        merchant: &MerchantCode,
        (from, until): (Timestamp, Timestamp),
        unit: SalesUnit,
        zone: chrono_tz::Tz,
    ) -> Result<SalesReport, ReadError> {
        let (after, upto) = (self.recorded_before(from).await?, self.recorded_before(until).await?);
        let found = sqlx::query(REPORT)
            .bind(merchant.as_str())
            .bind(log::read::signed(after)?)
            .bind(log::read::signed(upto)?)
            .bind(unit.as_str())
            .bind(zone.name())
            .fetch_all(&self.pool)
            .await?;
        let (position, lines) = rows(&found, line_or_none)?;
        Ok(SalesReport { lines, position })
    }
}

fn line_or_none(row: &PgRow) -> Result<Option<SalesLine>, ReadError> {
    let Some(from) = row.try_get::<Option<DateTime<Utc>>, _>("begins")? else {
        return Ok(None);
    };
    Ok(Some(SalesLine {
        from,
        payments: unsigned(row, "payments")?,
        gross: decimal(row, "gross")?,
        fee: decimal(row, "fee")?,
        tax: decimal(row, "tax")?,
        net: decimal(row, "net")?,
        refunds: decimal(row, "refunds")?,
        settled: decimal(row, "settled")?,
    }))
}
