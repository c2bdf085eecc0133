//! Payments to shops, their refunds, the requests that they answer and the settlements that they
//! went into.
//!
//! A shop is named as its accounts name it: by the segment in their codes.

mod due;
mod refunds;
mod requests;
mod settlements;
mod sums;

use chrono::NaiveDate;
use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, MerchantCode, PaymentId, PaymentRequestId, SettlementId},
    log::{self, Position},
    money::CurrencyCode,
    payment::PaymentStatus,
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow, types::Uuid};

pub use due::SettlingDay;
pub use refunds::RefundRow;
pub use requests::{PaymentRequestFilter, PaymentRequestRow};
pub use settlements::{SettlementFilter, SettlementRow};
pub use sums::{PaymentBar, PaymentSums};

use super::{At, Page, ReadModels, cut, decimal, decimal_or_none, parsed, rows, unsigned, variant};
use crate::error::ReadError;

const COLUMNS: &str = "p.id, p.merchant, p.payer_id, p.currency, p.gross::text as gross, \
    p.fee::text as fee, p.tax::text as tax, p.net::text as net, p.refunded::text as refunded, \
    p.pending::text as pending, p.disputed::text as disputed, p.dispute, \
    p.status, p.request_id, p.order_id, p.store, p.terminal, \
    p.settles_on, p.settlement_id, p.settled::text as settled, p.settled_at, p.paid_at, \
    p.paid_position, p.changed_at, p.sequence, p.last_position";

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentRow {
    /// Its id.
    pub id: PaymentId,
    /// The shop.
    pub merchant: MerchantCode,
    /// Who paid: a wallet.
    pub payer: AccountId,
    /// Its currency.
    pub currency: CurrencyCode,
    /// What was paid.
    pub gross: Decimal,
    /// What it costs the shop, without the tax in it.
    pub fee: Decimal,
    /// The tax.
    pub tax: Decimal,
    /// What the shop has of it.
    pub net: Decimal,
    /// What has gone back.
    pub refunded: Decimal,
    /// What waits to go back.
    pub pending: Decimal,
    /// What is held of it, or was given to the payer, by a dispute.
    pub disputed: Decimal,
    /// Where its dispute is: `open`, or who has won it; nothing if there was none.
    pub dispute: Option<String>,
    /// Where it is in its life, the dispute aside.
    pub status: PaymentStatus,
    /// The request that it answered, if one.
    pub request: Option<PaymentRequestId>,
    /// What the shop knows it by.
    pub order_id: Option<String>,
    /// Where it was paid.
    pub store: Option<String>,
    /// At which till.
    pub terminal: Option<String>,
    /// On which day the shop can spend it.
    pub settles_on: NaiveDate,
    /// The settlement that it went into, once it did.
    pub settlement: Option<SettlementId>,
    /// What that settlement moved of it.
    pub settled: Option<Decimal>,
    /// When.
    pub settled_at: Option<Timestamp>,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// Where that stands in the log: the cursor.
    pub paid_position: Position,
    /// When something last happened to it.
    pub changed_at: Timestamp,
    /// How many events it has.
    pub sequence: u64,
    /// Where the last of them stands in the log.
    pub last_position: Position,
}

/// Which payments to list; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// Of this shop.
    pub merchant: Option<MerchantCode>,
    /// Paid from this wallet.
    pub payer: Option<AccountId>,
    /// In this status.
    pub status: Option<PaymentStatus>,
    /// Only what was ever disputed.
    pub disputed: bool,
    /// Paid at or after this moment.
    pub from: Option<Timestamp>,
    /// Paid before this moment.
    pub until: Option<Timestamp>,
    /// With this order id.
    pub order_id: Option<String>,
    /// At this store.
    pub store: Option<String>,
    /// At this till.
    pub terminal: Option<String>,
    /// Of this settlement.
    pub settlement: Option<SettlementId>,
    /// Just this one.
    pub id: Option<PaymentId>,
    /// Of exactly this amount.
    pub gross: Option<Decimal>,
    /// Paid before this position: the cursor.
    pub before: Option<Position>,
}

impl ReadModels {
    /// A payment, if it exists.
    pub async fn payment(&self, id: PaymentId) -> Result<At<Option<PaymentRow>>, ReadError> {
        let sql = format!(
            "select c.position as reflects, {COLUMNS}
             from read.checkpoint c left join read.payments p on p.id = $1"
        );
        let found = sqlx::query(&sql).bind(id.uuid()).fetch_all(&self.pool).await?;
        let (position, mut found) = rows(&found, row_or_none)?;
        Ok(At { position, value: found.pop() })
    }

    /// Payments, the last one first, `limit` at most.
    pub async fn payments(
        &self,
        filter: &PaymentFilter,
        limit: u32,
    ) -> Result<Page<PaymentRow, Position>, ReadError> {
        let mut query = QueryBuilder::new("select c.position as reflects, ");
        query.push(COLUMNS).push(
            " from read.checkpoint c left join lateral (select * from read.payments p where true",
        );
        self.restrict(&mut query, filter).await?;
        query.push(" order by p.paid_position desc limit ").push_bind(i64::from(limit) + 1);
        query.push(") p on true order by p.paid_position desc");
        let found = query.build().fetch_all(&self.pool).await?;
        let (position, found) = rows(&found, row_or_none)?;
        Ok(cut(found, limit, position, |row| row.paid_position))
    }

    /// What a filter asks for, as conditions on `p`.
    pub(super) async fn restrict(
        &self,
        query: &mut QueryBuilder<'_, Postgres>,
        filter: &PaymentFilter,
    ) -> Result<(), ReadError> {
        restrict(query, filter);
        // By the clock as well: moments never go back in the log.
        if let Some(from) = filter.from {
            let after = self.recorded_before(from).await?;
            query.push(" and p.paid_position > ").push_bind(log::read::signed(after)?);
        }
        if let Some(until) = filter.until {
            let upto = self.recorded_before(until).await?;
            query.push(" and p.paid_position <= ").push_bind(log::read::signed(upto)?);
        }
        if let Some(before) = filter.before {
            query.push(" and p.paid_position < ").push_bind(log::read::signed(before)?);
        }
        Ok(())
    }
}

/// All but what is a matter of positions.
fn restrict(query: &mut QueryBuilder<'_, Postgres>, filter: &PaymentFilter) {
    let texts = [
        ("merchant", filter.merchant.as_ref().map(ToString::to_string)),
        ("payer_id", filter.payer.as_ref().map(|payer| payer.as_str().to_owned())),
        ("status", filter.status.map(|status| status.as_str().to_owned())),
        ("order_id", filter.order_id.clone()),
        ("store", filter.store.clone()),
        ("terminal", filter.terminal.clone()),
    ];
    for (column, value) in texts {
        if let Some(value) = value {
            query.push(format!(" and p.{column} = ")).push_bind(value);
        }
    }
    if filter.disputed {
        query.push(" and p.dispute is not null");
    }
    if let Some(settlement) = filter.settlement {
        query.push(" and p.settlement_id = ").push_bind(settlement.uuid());
    }
    if let Some(id) = filter.id {
        query.push(" and p.id = ").push_bind(id.uuid());
    }
    if let Some(gross) = filter.gross {
        query.push(" and p.gross = ").push_bind(gross);
    }
}

/// The payment of a row; nothing if the row stands for none.
fn row_or_none(row: &PgRow) -> Result<Option<PaymentRow>, ReadError> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("id")? else {
        return Ok(None);
    };
    Ok(Some(PaymentRow {
        id: PaymentId::from_uuid(id),
        merchant: parsed(row, "merchant")?,
        payer: parsed(row, "payer_id")?,
        currency: parsed(row, "currency")?,
        gross: decimal(row, "gross")?,
        fee: decimal(row, "fee")?,
        tax: decimal(row, "tax")?,
        net: decimal(row, "net")?,
        refunded: decimal(row, "refunded")?,
        pending: decimal(row, "pending")?,
        disputed: decimal(row, "disputed")?,
        dispute: row.try_get("dispute")?,
        status: variant(row, "status")?,
        request: uuid(row, "request_id")?.map(PaymentRequestId::from_uuid),
        order_id: row.try_get("order_id")?,
        store: row.try_get("store")?,
        terminal: row.try_get("terminal")?,
        settles_on: row.try_get("settles_on")?,
        settlement: uuid(row, "settlement_id")?.map(SettlementId::from_uuid),
        settled: decimal_or_none(row, "settled")?,
        settled_at: row.try_get("settled_at")?,
        paid_at: row.try_get("paid_at")?,
        paid_position: unsigned(row, "paid_position")?,
        changed_at: row.try_get("changed_at")?,
        sequence: unsigned(row, "sequence")?,
        last_position: unsigned(row, "last_position")?,
    }))
}

fn uuid(row: &PgRow, column: &str) -> sqlx::Result<Option<Uuid>> {
    row.try_get(column)
}
