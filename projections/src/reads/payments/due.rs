//! What is due: shops with payments to settle, and shops that owe refunds.

use chrono::NaiveDate;
use ledger_core::ids::{MerchantCode, PaymentId};

use super::{ReadError, ReadModels, parsed, uuid};

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
