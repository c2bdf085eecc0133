//! What a shop has sold: sums of a span of time, and bars of them.

use chrono::{DateTime, Utc};
use ledger_core::{clock::Timestamp, ids::MerchantCode, money::CurrencyCode};
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

/// What was paid to a shop in an hour.
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
    /// What was paid to a shop in a currency, and went back, from one moment until before another:
    /// both on the quarter of an hour, as the days and hours of every zone begin.
    pub async fn payment_sums(
        &self,
        merchant: &MerchantCode,
        currency: CurrencyCode,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<PaymentSums, ReadError> {
        let row = sqlx::query(
            "select coalesce(sum(payments), 0)::bigint as payments,
                    coalesce(sum(gross), 0)::text as gross, coalesce(sum(fee), 0)::text as fee,
                    coalesce(sum(tax), 0)::text as tax, coalesce(sum(refunds), 0)::text as refunds
             from read.sales
             where merchant = $1 and currency = $2 and begins_at >= $3 and begins_at < $4",
        )
        .bind(merchant.as_str())
        .bind(currency.as_str())
        .bind(from)
        .bind(until)
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

    /// What was paid to a shop in a currency by the hour of a time zone; only what is not nothing.
    pub async fn payment_bars(
        &self,
        merchant: &MerchantCode,
        currency: CurrencyCode,
        (from, until): (Timestamp, Timestamp),
        zone: chrono_tz::Tz,
    ) -> Result<Vec<PaymentBar>, ReadError> {
        let rows = sqlx::query(
            "select date_trunc('hour', begins_at, $5) as begins,
                    sum(payments)::bigint as payments, sum(gross)::text as gross
             from read.sales
             where merchant = $1 and currency = $2 and begins_at >= $3 and begins_at < $4
                 and payments > 0
             group by 1 order by 1",
        )
        .bind(merchant.as_str())
        .bind(currency.as_str())
        .bind(from)
        .bind(until)
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
}
