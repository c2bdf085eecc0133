//! Payment requests.

use ledger_core::{
    clock::Timestamp,
    ids::{MerchantCode, PaymentId, PaymentRequestId},
    log::{self, Position},
    money::CurrencyCode,
    payment_request::PaymentRequestStatus,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{
    At, Page, ReadError, ReadModels, cut, decimal_or_none, parsed, rows, unsigned, uuid, variant,
};

const COLUMNS: &str = "q.id, q.merchant, q.currency, q.amount::text as amount, q.order_id, \
    q.store, q.terminal, q.single_use, q.status, q.payment_id, q.expires_at, q.created_at, \
    q.created_position, q.changed_at, q.last_position";

/// A payment request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentRequestRow {
    /// Its id.
    pub id: PaymentRequestId,
    /// The shop that asks.
    pub merchant: MerchantCode,
    /// In which currency.
    pub currency: CurrencyCode,
    /// How much; nothing if whoever pays says it.
    pub amount: Option<Decimal>,
    /// What the shop knows it by.
    pub order_id: Option<String>,
    /// Where it is shown.
    pub store: Option<String>,
    /// At which till.
    pub terminal: Option<String>,
    /// Whether it is paid once.
    pub single_use: bool,
    /// Where it is.
    pub status: PaymentRequestStatus,
    /// What paid it, if it is paid once and was.
    pub payment: Option<PaymentId>,
    /// Until when it can be paid, if there is an end.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where that stands in the log: the cursor.
    pub created_position: Position,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// Where that stands in the log.
    pub last_position: Position,
}

/// Which requests to list; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentRequestFilter {
    /// Of this shop.
    pub merchant: Option<MerchantCode>,
    /// In this status.
    pub status: Option<PaymentRequestStatus>,
    /// With this order id.
    pub order_id: Option<String>,
    /// Made before this position: the cursor.
    pub before: Option<Position>,
}

impl ReadModels {
    /// A payment request, if it exists.
    pub async fn payment_request(
        &self,
        id: PaymentRequestId,
    ) -> Result<At<Option<PaymentRequestRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.payment_requests q on q.id = $1"
        );
        let found = sqlx::query(&sql).bind(id.uuid()).fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        Ok(At { position, value: found.pop() })
    }

    /// Payment requests, the last one first, `limit` at most.
    pub async fn payment_requests(
        &self,
        filter: &PaymentRequestFilter,
        limit: u32,
    ) -> Result<Page<PaymentRequestRow, Position>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c
             left join lateral (select * from read.payment_requests q
                 where ($1::text is null or q.merchant = $1)
                   and ($2::text is null or q.status = $2)
                   and ($3::text is null or q.order_id = $3)
                   and q.created_position < $4
                 order by q.created_position desc limit $5) q on true
             order by q.created_position desc"
        );
        let found = sqlx::query(&sql)
            .bind(filter.merchant.as_ref().map(MerchantCode::as_str))
            .bind(filter.status.map(PaymentRequestStatus::as_str))
            .bind(filter.order_id.as_deref())
            .bind(log::read::signed(filter.before.unwrap_or(Position::MAX >> 1))?)
            .bind(i64::from(limit) + 1)
            .fetch_all(&self.pool)
            .await?;
        let (position, found) = rows(&found, row_or_none)?;
        Ok(cut(found, limit, position, |row| row.created_position))
    }

    /// The words that were put on a payment request, if they were not erased.
    pub async fn payment_request_words(
        &self,
        id: PaymentRequestId,
    ) -> Result<Option<String>, ReadError> {
        Ok(self.notes(&[id.note_id()]).await?.into_values().next())
    }

    /// Payment requests whose time has come, the longest first.
    pub async fn expired_payment_requests(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<At<Vec<PaymentRequestId>>, ReadError> {
        let found = sqlx::query(
            "select c.position as reflects, q.id
             from read.checkpoint c
             left join lateral (select id, expires_at from read.payment_requests
                 where status = 'open' and expires_at is not null and expires_at <= $1
                 order by expires_at, id limit $2) q on true
             order by q.expires_at, q.id",
        )
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let (position, value) = rows(&found, |row| -> Result<_, ReadError> {
            Ok(uuid(row, "id")?.map(PaymentRequestId::from_uuid))
        })?;
        Ok(At { position, value })
    }
}

fn row_or_none(row: &PgRow) -> Result<Option<PaymentRequestRow>, ReadError> {
    let Some(id) = uuid(row, "id")? else {
        return Ok(None);
    };
    Ok(Some(PaymentRequestRow {
        id: PaymentRequestId::from_uuid(id),
        merchant: parsed(row, "merchant")?,
        currency: parsed(row, "currency")?,
        amount: decimal_or_none(row, "amount")?,
        order_id: row.try_get("order_id")?,
        store: row.try_get("store")?,
        terminal: row.try_get("terminal")?,
        single_use: row.try_get("single_use")?,
        status: variant(row, "status")?,
        payment: uuid(row, "payment_id")?.map(PaymentId::from_uuid),
        expires_at: row.try_get("expires_at")?,
        created_at: row.try_get("created_at")?,
        created_position: unsigned(row, "created_position")?,
        changed_at: row.try_get("changed_at")?,
        last_position: unsigned(row, "last_position")?,
    }))
}
