//! What is due: shops with payments to settle, and shops that owe refunds.

use chrono::NaiveDate;
use ledger_core::{
    ids::{MerchantCode, PaymentId},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row as _, postgres::PgRow};

use super::{ReadError, ReadModels, decimal, parsed, unsigned, uuid};

/// What settles of a shop's payments on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SettlingDay {
    /// The bank day.
    pub day: NaiveDate,
    /// Of how many payments.
    pub payments: u64,
    /// What is left of them.
    pub amount: Decimal,
}

impl ReadModels {
    /// Shops with payments that are to be settled by `day`, in the order of their names, those
    /// after `after`.
    pub async fn merchants_to_settle(
        &self,
        day: NaiveDate,
        after: Option<&MerchantCode>,
        limit: u32,
    ) -> Result<Vec<MerchantCode>, ReadError> {
        // One look into the index per shop, however many payments it has.
        let sql = "
            with recursive shops as (
                (select merchant from read.payments
                 where settlement_id is null and merchant > $1 order by merchant limit 1)
                union all
                select (select p.merchant from read.payments p
                        where p.settlement_id is null and p.merchant > s.merchant
                        order by p.merchant limit 1)
                from shops s where s.merchant is not null
            )
            select s.merchant from shops s
            where s.merchant is not null and exists (
                select from read.payments p where p.settlement_id is null
                    and p.merchant = s.merchant and p.settles_on <= $2)
            limit $3";
        let rows = sqlx::query(sql)
            .bind(after.map_or("", MerchantCode::as_str))
            .bind(day)
            .bind(i64::from(limit));
        let rows = rows.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(|row| parsed(row, "merchant")).collect::<Result<_, _>>()?)
    }

    /// The payments of a shop that are to be settled by `day`, the oldest first.
    pub async fn payments_to_settle(
        &self,
        merchant: &MerchantCode,
        day: NaiveDate,
        limit: u32,
    ) -> Result<Vec<PaymentId>, ReadError> {
        let sql = "select id from read.payments
                   where settlement_id is null and merchant = $1 and settles_on <= $2
                   order by settles_on, paid_position limit $3";
        let rows = sqlx::query(sql).bind(merchant.as_str()).bind(day).bind(i64::from(limit));
        let mut found = Vec::new();
        for row in &rows.fetch_all(&self.pool).await? {
            found.extend(uuid(row, "id")?.map(PaymentId::from_uuid));
        }
        Ok(found)
    }

    /// What settles of a shop's payments in a currency, day by day, the next one first, `limit`
    /// days at most.
    pub async fn settling_days(
        &self,
        merchant: &MerchantCode,
        currency: CurrencyCode,
        limit: u32,
    ) -> Result<Vec<SettlingDay>, ReadError> {
        let sql = "select day, payments, amount::text as amount from read.settling_days
                   where merchant = $1 and currency = $2 and payments > 0
                   order by day limit $3";
        let found =
            sqlx::query(sql).bind(merchant.as_str()).bind(currency.as_str()).bind(i64::from(limit));
        let found = found.fetch_all(&self.pool).await?;
        let day = |row: &PgRow| -> Result<SettlingDay, ReadError> {
            let (payments, amount) = (unsigned(row, "payments")?, decimal(row, "amount")?);
            Ok(SettlingDay { day: row.try_get("day")?, payments, amount })
        };
        found.iter().map(day).collect()
    }

    /// Shops that owe refunds, in the order of their names, those after `after`.
    pub async fn merchants_with_pending_refunds(
        &self,
        after: Option<&MerchantCode>,
        limit: u32,
    ) -> Result<Vec<MerchantCode>, ReadError> {
        let sql = "select distinct merchant from read.refunds
                   where status = 'pending' and merchant > $1 order by merchant limit $2";
        let rows =
            sqlx::query(sql).bind(after.map_or("", MerchantCode::as_str)).bind(i64::from(limit));
        let rows = rows.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(|row| parsed(row, "merchant")).collect::<Result<_, _>>()?)
    }
}
