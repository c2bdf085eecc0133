//! What is due: shops with payments to settle, and shops that owe refunds.

use chrono::NaiveDate;
use ledger_core::ids::{MerchantCode, PaymentId};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::Row as _;

use super::{At, ReadError, ReadModels, decimal, parsed, rows, unsigned, uuid};

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

    /// What settles of a shop's payments, day by day, the next one first, `limit` days at most.
    ///
    /// What was given away of a payment before it settles stands in its events and in no row: it
    /// is read there, for the few payments that have something of the kind.
    pub async fn settling_days(
        &self,
        merchant: &MerchantCode,
        limit: u32,
    ) -> Result<At<Vec<SettlingDay>>, ReadError> {
        let sql = "
            with taken as (
                select p.settles_on,
                       sum((convert_from(e.payload, 'UTF8')::json
                            -> 'from' ->> 'unsettled')::numeric) as amount
                from read.payments p
                join events e on e.aggregate_type = 'payment'
                    and e.aggregate_id = 'pay_' || replace(p.id::text, '-', '')
                    and e.event_type in ('refund_completed', 'dispute_opened')
                    and e.position <= p.last_position
                where p.merchant = $1 and p.settlement_id is null
                    and (p.refunded > 0 or p.dispute is not null)
                group by p.settles_on
            ), due as (
                select p.settles_on, count(*) as payments, sum(p.net) as net
                from read.payments p
                where p.merchant = $1 and p.settlement_id is null
                group by p.settles_on order by p.settles_on limit $2
            )
            select c.position as reflects, d.settles_on, d.payments,
                   (d.net - coalesce(t.amount, 0))::text as amount
            from read.checkpoint c left join due d on true
            left join taken t on t.settles_on = d.settles_on
            order by d.settles_on";
        let found = sqlx::query(sql).bind(merchant.as_str()).bind(i64::from(limit));
        let found = found.fetch_all(&self.pool).await?;
        let (position, value) = rows(&found, |row| -> Result<_, ReadError> {
            let Some(day) = row.try_get::<Option<NaiveDate>, _>("settles_on")? else {
                return Ok(None);
            };
            let (payments, amount) = (unsigned(row, "payments")?, decimal(row, "amount")?);
            Ok(Some(SettlingDay { day, payments, amount }))
        })?;
        Ok(At { position, value })
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
