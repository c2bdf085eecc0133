//! What is open on an itemised account, oldest first: the list of breaks.

use ledger_core::{
    chart::AccountType,
    clock::Timestamp,
    ids::{AccountId, Item},
    log::{self, Position},
};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{Row, postgres::PgRow};

use super::{
    Page, ReadModels, accounts::currency, as_of::net, at_scale, cut, decimal, parsed, unsigned,
    variant,
};
use crate::error::ReadError;

/// An item that is not at zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpenItem {
    /// The business object.
    pub item: Item,
    /// What is open, on the account's normal side; below zero if it was settled too much.
    pub balance: Decimal,
    /// The leg that took it away from zero.
    pub opened_position: Position,
    /// When that was.
    pub opened_at: Timestamp,
}

impl ReadModels {
    /// The open items of an account that were opened after position `after`, oldest first.
    pub async fn open_items(
        &self,
        id: &AccountId,
        after: Option<Position>,
        limit: u32,
    ) -> Result<Page<OpenItem, Position>, ReadError> {
        let rows = sqlx::query(
            "select c.position as reflects, o.item, o.net_debits::text as net_debits,
                    o.opened_position, o.opened_at, o.currency, o.scale, o.account_type
             from read.checkpoint c
             left join lateral (
                 select o.*, a.currency, a.scale, a.account_type
                 from read.open_items o join read.accounts a on a.id = o.account_id
                 where o.account_id = $1 and o.opened_position > $2
                 order by o.opened_position, o.item limit $3) o on true
             order by o.opened_position, o.item",
        )
        .bind(id.as_str())
        .bind(log::read::signed(after.unwrap_or(0))?)
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.pool)
        .await?;
        let (position, items) = super::rows(&rows, item_or_none)?;
        // A leg has one item, so a position opens one.
        Ok(cut(items, limit, position, |item| item.opened_position))
    }
}

/// The item of a row; nothing if the row stands for none.
fn item_or_none(row: &PgRow) -> Result<Option<OpenItem>, ReadError> {
    if row.try_get::<Option<&str>, _>("item")?.is_none() {
        return Ok(None);
    }
    let account_type: AccountType = variant(row, "account_type")?;
    let balance = net(account_type, decimal(row, "net_debits")?, Decimal::ZERO)?;
    Ok(Some(OpenItem {
        item: parsed(row, "item")?,
        balance: at_scale(balance, u32::from(currency(row)?.scale)),
        opened_position: unsigned(row, "opened_position")?,
        opened_at: row.try_get("opened_at")?,
    }))
}
