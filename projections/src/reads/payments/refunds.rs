//! Refunds.

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, MerchantCode, PaymentId, RefundId},
    log::Position,
    money::CurrencyCode,
    payment::RefundStatus,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{At, ReadError, ReadModels, decimal, parsed, rows, unsigned, uuid, variant};

const COLUMNS: &str = "r.id, r.payment_id, r.merchant, r.payer_id, r.currency, \
    r.amount::text as amount, r.status, r.reason, r.requested_at, r.requested_position, \
    r.changed_at, r.last_position";

/// A refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefundRow {
    /// Its id.
    pub id: RefundId,
    /// Of which payment.
    pub payment: PaymentId,
    /// The shop that gives it back.
    pub merchant: MerchantCode,
    /// Who gets it.
    pub payer: AccountId,
    /// Its currency.
    pub currency: CurrencyCode,
    /// How much.
    pub amount: Decimal,
    /// Where it is.
    pub status: RefundStatus,
    /// Why the shop gives it back, or why that failed.
    pub reason: Option<String>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Where that stands in the log.
    pub requested_position: Position,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// Where that stands in the log.
    pub last_position: Position,
}

impl ReadModels {
    /// A refund, if it exists.
    pub async fn refund(&self, id: RefundId) -> Result<At<Option<RefundRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.refunds r on r.id = $1"
        );
        let found = sqlx::query(&sql).bind(id.uuid()).fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        Ok(At { position, value: found.pop() })
    }

    /// The refunds of a payment, the first first.
    pub async fn refunds_of(&self, payment: PaymentId) -> Result<At<Vec<RefundRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.refunds r on r.payment_id = $1
             order by r.requested_position"
        );
        let found = sqlx::query(&sql).bind(payment.uuid()).fetch_all(&self.pool).await?;
        let (position, value) = rows(&found, row_or_none)?;
        Ok(At { position, value })
    }

    /// What a shop has to give back and could not yet, the oldest first.
    pub async fn pending_refunds(
        &self,
        merchant: &MerchantCode,
        limit: u32,
    ) -> Result<At<Vec<RefundRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (select * from read.refunds r
                 where r.merchant = $1 and r.status = 'pending'
                 order by r.requested_position limit $2) r on true
             order by r.requested_position"
        );
        let found = sqlx::query(&sql).bind(merchant.as_str()).bind(i64::from(limit));
        let (position, value) = rows(&found.fetch_all(&self.pool).await?, row_or_none)?;
        Ok(At { position, value })
    }
}

fn row_or_none(row: &PgRow) -> Result<Option<RefundRow>, ReadError> {
    let (Some(id), Some(payment)) = (uuid(row, "id")?, uuid(row, "payment_id")?) else {
        return Ok(None);
    };
    Ok(Some(RefundRow {
        id: RefundId::from_uuid(id),
        payment: PaymentId::from_uuid(payment),
        merchant: parsed(row, "merchant")?,
        payer: parsed(row, "payer_id")?,
        currency: parsed(row, "currency")?,
        amount: decimal(row, "amount")?,
        status: variant(row, "status")?,
        reason: row.try_get("reason")?,
        requested_at: row.try_get("requested_at")?,
        requested_position: unsigned(row, "requested_position")?,
        changed_at: row.try_get("changed_at")?,
        last_position: unsigned(row, "last_position")?,
    }))
}
