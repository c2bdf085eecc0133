//! The sums of all payments that a filter matches.

use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{QueryBuilder, Row as _};

use crate::{
    error::ReadError,
    reads::{At, PaymentFilter, ReadModels, decimal, unsigned},
};

/// Sums of payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct PaymentTotals {
    /// How many.
    pub payments: u64,
    /// What was paid.
    pub gross: Decimal,
    /// What that cost the shop, without the tax in it.
    pub fee: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What the shop has of it.
    pub net: Decimal,
    /// What went back of them until now.
    pub refunded: Decimal,
}

impl ReadModels {
    /// The sums of all payments that match, whatever page is looked at; nothing if more than
    /// `at_most` do: a sum of a part would not be true.
    pub async fn payment_totals(
        &self,
        filter: &PaymentFilter,
        at_most: u32,
    ) -> Result<At<Option<PaymentTotals>>, ReadError> {
        let whole = PaymentFilter { before: None, ..filter.clone() };
        let mut query = QueryBuilder::new(
            "select c.position as reflects, s.* from read.checkpoint c cross join lateral (
                 select count(*) as payments, coalesce(sum(gross), 0)::text as gross,
                        coalesce(sum(fee), 0)::text as fee, coalesce(sum(tax), 0)::text as tax,
                        coalesce(sum(net), 0)::text as net,
                        coalesce(sum(refunded), 0)::text as refunded
                 from (select * from read.payments p where true",
        );
        self.restrict(&mut query, &whole).await?;
        query.push(" limit ").push_bind(i64::from(at_most) + 1).push(") matching) s");
        let row = query.build().fetch_one(&self.pool).await?;
        let position = unsigned(&row, "reflects")?;
        let count: i64 = row.try_get("payments")?;
        if count > i64::from(at_most) {
            return Ok(At { position, value: None });
        }
        let value = PaymentTotals {
            payments: unsigned(&row, "payments")?,
            gross: decimal(&row, "gross")?,
            fee: decimal(&row, "fee")?,
            tax: decimal(&row, "tax")?,
            net: decimal(&row, "net")?,
            refunded: decimal(&row, "refunded")?,
        };
        Ok(At { position, value: Some(value) })
    }
}
