//! Orders in the database: what a bank was told of an approved move, and what it answered.

use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Rail, Reference},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use sqlx::{PgPool, Row, postgres::PgRow};
use utoipa::ToSchema;

use super::{MoveId, Way};

/// What a bank made of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TreasuryOrderStatus)]
pub(crate) enum OrderStatus {
    /// It was sent, and no answer is known.
    Sent,
    /// The bank has it; not decided.
    Accepted,
    /// The bank says that it made it. The statements' lines will show it.
    Paid,
    /// Not made.
    Refused,
    /// It may have been made: the bank and its statements are asked, and it is never sent again.
    Unknown,
    /// People make it.
    ByHand,
}

impl OrderStatus {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Paid => "paid",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::ByHand => "by_hand",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Sent, Self::Accepted, Self::Paid, Self::Refused, Self::Unknown, Self::ByHand]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// An order, as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) status: OrderStatus,
    pub(crate) rail: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) asked: u32,
    pub(crate) at: Timestamp,
}

/// A move that a bank is to make, or was told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) id: MoveId,
    pub(crate) reference: Reference,
    pub(crate) currency: String,
    pub(crate) way: Way,
    pub(crate) amount: Decimal,
}

/// One whose outcome is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) wanted: Wanted,
    pub(crate) rail: Rail,
    pub(crate) ordered_at: Timestamp,
    pub(crate) asked: u32,
}

const COLUMNS: &str = "m.id, m.reference, m.currency, m.direction, m.amount";
/// No line of it was stated: neither did people make it meanwhile.
const WITHOUT_LINES: &str =
    "not exists (select from statement_bookings b where b.item = m.reference)";

/// The orders.
#[derive(Debug, Clone)]
pub(crate) struct Orders(PgPool);

impl Orders {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// The approved moves at a bank that it was not told of.
    pub(crate) async fn wanted(&self, bank: &BankCode) -> sqlx::Result<Vec<Wanted>> {
        let sql = format!(
            "select {COLUMNS} from treasury_moves m
             where m.status = 'approved' and m.bank = $1 and {WITHOUT_LINES}
               and not exists (select from treasury_orders o where o.move_id = m.id)
             order by m.decided_at, m.id"
        );
        let rows = sqlx::query(&sql).bind(bank.as_str()).fetch_all(&self.0).await?;
        rows.iter().map(wanted).collect()
    }

    /// Notes that one is about to be sent; whether it was not noted before: then, and only then,
    /// the bank may be called.
    pub(crate) async fn begin(&self, id: MoveId, rail: &Rail, at: Timestamp) -> sqlx::Result<bool> {
        let sql = "insert into treasury_orders (move_id, ordered_at, rail, status)
                   values ($1, $2, $3, 'sent') on conflict do nothing";
        let begun = sqlx::query(sql).bind(id.0).bind(at).bind(rail.as_str());
        Ok(begun.execute(&self.0).await?.rows_affected() > 0)
    }

    /// Notes what the bank made of one. What was paid or refused stays that.
    pub(crate) async fn note(
        &self,
        id: MoveId,
        status: OrderStatus,
        code: Option<&str>,
    ) -> sqlx::Result<()> {
        let sql = "update treasury_orders set status = $2, code = $3
                   where move_id = $1 and status in ('sent', 'accepted', 'unknown')";
        sqlx::query(sql).bind(id.0).bind(status.as_str()).bind(code).execute(&self.0).await?;
        Ok(())
    }

    /// Those at a bank whose outcome is open, and that no line has shown.
    pub(crate) async fn open(&self, bank: &BankCode) -> sqlx::Result<Vec<Open>> {
        let sql = format!(
            "select {COLUMNS}, o.rail, o.ordered_at, o.asked
             from treasury_orders o join treasury_moves m on m.id = o.move_id
             where o.status in ('sent', 'accepted', 'unknown') and m.bank = $1
               and {WITHOUT_LINES}
             order by o.ordered_at, m.id"
        );
        let rows = sqlx::query(&sql).bind(bank.as_str()).fetch_all(&self.0).await?;
        let open = |row: &PgRow| {
            Ok(Open {
                wanted: wanted(row)?,
                rail: decoded(row, "rail")?,
                ordered_at: row.try_get("ordered_at")?,
                asked: count(row)?,
            })
        };
        rows.iter().map(open).collect()
    }

    /// Notes one more question about it; whether nobody else has just asked it.
    pub(crate) async fn ask(&self, id: MoveId, asked: u32) -> sqlx::Result<bool> {
        let sql = "update treasury_orders set asked = asked + 1
                   where move_id = $1 and asked = $2";
        let asked = sqlx::query(sql).bind(id.0).bind(i64::from(asked)).execute(&self.0).await?;
        Ok(asked.rows_affected() > 0)
    }

    /// Whether a reference at a bank is that of a move of ours.
    pub(crate) async fn is_ours(
        &self,
        bank: &BankCode,
        reference: &Reference,
    ) -> sqlx::Result<bool> {
        let sql = "select exists (select from treasury_moves where bank = $1 and reference = $2)";
        let found = sqlx::query_scalar(sql).bind(bank.as_str()).bind(reference.as_str());
        found.fetch_one(&self.0).await
    }
}

/// The order that a row has beside its move, if any.
pub(super) fn of_row(row: &PgRow) -> sqlx::Result<Option<Order>> {
    let Some(status) = row.try_get::<Option<&str>, _>("order_status")? else { return Ok(None) };
    let status = OrderStatus::parse(status).unwrap_or(OrderStatus::Unknown);
    Ok(Some(Order {
        status,
        rail: row.try_get("rail")?,
        code: row.try_get("code")?,
        asked: count(row)?,
        at: row.try_get("ordered_at")?,
    }))
}

fn wanted(row: &PgRow) -> sqlx::Result<Wanted> {
    Ok(Wanted {
        id: MoveId(row.try_get("id")?),
        reference: decoded(row, "reference")?,
        currency: row.try_get("currency")?,
        way: Way::parse(row.try_get("direction")?),
        amount: row.try_get("amount")?,
    })
}

fn count(row: &PgRow) -> sqlx::Result<u32> {
    let count: i32 = row.try_get("asked")?;
    Ok(u32::try_from(count).unwrap_or_default())
}

fn decoded<T: std::str::FromStr>(row: &PgRow, column: &str) -> sqlx::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: Box::new(error),
    })
}
