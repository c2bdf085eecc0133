//! Settlements: what became spendable of a shop's payments, a hundred at most at a time.

use ledger_core::{
    clock::Timestamp,
    ids::{MerchantCode, SettlementId},
    log::{self, Position},
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{At, Page, ReadError, ReadModels, cut, decimal, parsed, rows, unsigned, uuid};

const COLUMNS: &str = "s.id, s.merchant, s.currency, s.payments, s.gross::text as gross, \
    s.fee::text as fee, s.tax::text as tax, s.refunds::text as refunds, s.net::text as net, \
    s.repaid::text as repaid, s.settled_at, s.position";

/// A settlement: the sums of the payments that went into it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettlementRow {
    /// Its id.
    pub id: SettlementId,
    /// The shop.
    pub merchant: MerchantCode,
    /// Its currency.
    pub currency: CurrencyCode,
    /// How many payments.
    pub payments: u64,
    /// What was paid.
    pub gross: Decimal,
    /// What that cost the shop, without the tax in it.
    pub fee: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What was taken out of these payments before: given back, or held for a dispute.
    pub refunds: Decimal,
    /// What it moved: what was paid without fee, tax and refunds.
    pub net: Decimal,
    /// How much of that repaid what the shop owed; the rest the shop can spend.
    pub repaid: Decimal,
    /// When.
    pub settled_at: Timestamp,
    /// Where that stands in the log: the cursor.
    pub position: Position,
}

impl ReadModels {
    /// A settlement, if it exists.
    pub async fn settlement(
        &self,
        id: SettlementId,
    ) -> Result<At<Option<SettlementRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.settlements s on s.id = $1"
        );
        let found = sqlx::query(&sql).bind(id.uuid()).fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        Ok(At { position, value: found.pop() })
    }

    /// Settlements of a shop, or of all, the last one first, `limit` at most.
    pub async fn settlements(
        &self,
        merchant: Option<&MerchantCode>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Page<SettlementRow, Position>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (select * from read.settlements s
                 where ($1::text is null or s.merchant = $1) and s.position < $2
                 order by s.position desc limit $3) s on true
             order by s.position desc"
        );
        let found = sqlx::query(&sql)
            .bind(merchant.map(MerchantCode::as_str))
            .bind(log::read::signed(before.unwrap_or(Position::MAX >> 1))?)
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.pool)
            .await?;
        let (position, found) = rows(&found, row_or_none)?;
        Ok(cut(found, limit, position, |row| row.position))
    }
}

fn row_or_none(row: &PgRow) -> Result<Option<SettlementRow>, ReadError> {
    let Some(id) = uuid(row, "id")? else {
        return Ok(None);
    };
    Ok(Some(SettlementRow {
        id: SettlementId::from_uuid(id),
        merchant: parsed(row, "merchant")?,
        currency: parsed(row, "currency")?,
        payments: unsigned(row, "payments")?,
        gross: decimal(row, "gross")?,
        fee: decimal(row, "fee")?,
        tax: decimal(row, "tax")?,
        refunds: decimal(row, "refunds")?,
        net: decimal(row, "net")?,
        repaid: decimal(row, "repaid")?,
        settled_at: row.try_get("settled_at")?,
        position: unsigned(row, "position")?,
    }))
}
