//! What a shop has sold: sums of a span of time, and bars of them.

use chrono::{DateTime, Utc};
use ledger_core::{clock::Timestamp, ids::MerchantCode, log};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow};

use super::{ReadError, ReadModels, decimal, unsigned};

/// What was paid to a shop in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PaymentSums {
    /// How many payments.
    pub payments: u64,
    /// What was paid.
    pub gross: Decimal,
    /// What that cost the shop, without the tax in it.
    pub fee: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What went back in that time, of whichever payments.
    pub refunds: Decimal,
}

/// What was paid to a shop in an hour or on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PaymentBar {
    /// When it begins.
    pub from: DateTime<Utc>,
    /// How many payments.
    pub payments: u64,
    /// What was paid.
    pub gross: Decimal,
}

impl ReadModels {
    /// What was paid to a shop, and went back, from one moment until before another.
    pub async fn payment_sums(
        &self,
        merchant: &MerchantCode,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<PaymentSums, ReadError> {
        let (after, upto) = self.span(from, until).await?;
        let row = sqlx::query(
            "select count(*) as payments, coalesce(sum(gross), 0)::text as gross,
                    coalesce(sum(fee), 0)::text as fee, coalesce(sum(tax), 0)::text as tax,
                    (select coalesce(sum(amount), 0)::text from read.refunds
                     where merchant = $1 and status = 'completed'
                       and changed_at >= $2 and changed_at < $3) as refunds
             from read.payments
             where merchant = $1 and paid_position > $4 and paid_position <= $5",
        )
        .bind(merchant.as_str())
        .bind(from)
        .bind(until)
        .bind(after)
        .bind(upto)
        .fetch_one(&self.pool)
        .await?;
        Ok(PaymentSums {
            payments: unsigned(&row, "payments")?,
            gross: decimal(&row, "gross")?,
            fee: decimal(&row, "fee")?,
            tax: decimal(&row, "tax")?,
            refunds: decimal(&row, "refunds")?,
        })
    }

    /// What was paid to a shop by the hour or the day of a time zone; only what is not nothing.
    pub async fn payment_bars(
        &self,
        merchant: &MerchantCode,
        (from, until): (Timestamp, Timestamp),
        by_hour: bool,
        zone: chrono_tz::Tz,
    ) -> Result<Vec<PaymentBar>, ReadError> {
        let (after, upto) = self.span(from, until).await?;
        let rows = sqlx::query(
            "select date_trunc($4, paid_at, $5) as begins, count(*) as payments,
                    sum(gross)::text as gross
             from read.payments
             where merchant = $1 and paid_position > $2 and paid_position <= $3
             group by 1 order by 1",
        )
        .bind(merchant.as_str())
        .bind(after)
        .bind(upto)
        .bind(if by_hour { "hour" } else { "day" })
        .bind(zone.name())
        .fetch_all(&self.pool)
        .await?;
        let bar = |row: &PgRow| -> Result<PaymentBar, ReadError> {
            Ok(PaymentBar {
                from: row.try_get("begins")?,
                payments: unsigned(row, "payments")?,
                gross: decimal(row, "gross")?,
            })
        };
        rows.iter().map(bar).collect()
    }

    /// The positions of a span of time: those after the first and up to the second.
    async fn span(&self, from: Timestamp, until: Timestamp) -> Result<(i64, i64), ReadError> {
        let (after, upto) = (self.recorded_before(from).await?, self.recorded_before(until).await?);
        Ok((log::read::signed(after)?, log::read::signed(upto)?))
    }
}
