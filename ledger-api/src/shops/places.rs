//! Where a shop sells: its stores, and the terminals that stand in them. Closed and never deleted,
//! for payments name them.

use ledger_core::clock::Timestamp;
use sqlx::{Row as _, postgres::PgRow};

use super::{MerchantId, PlaceName, ShopError, Shops, StoreId, TerminalId};

/// A place where a shop sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Which.
    pub id: StoreId,
    /// What it is called.
    pub name: PlaceName,
    /// Since when.
    pub created_at: Timestamp,
    /// What stands there and is not closed.
    pub terminals: Vec<Terminal>,
}

/// What payments are taken with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Which.
    pub id: TerminalId,
    /// What it is called.
    pub name: PlaceName,
    /// Since when.
    pub created_at: Timestamp,
}

impl Shops {
    /// The stores of a shop that are not closed, the oldest first.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn stores(&self, merchant: MerchantId) -> Result<Vec<Store>, ShopError> {
        let rows = sqlx::query(
            "select s.id, s.name, s.created_at, t.id as terminal_id, t.name as terminal_name,
                 t.created_at as terminal_created_at
             from merchant_stores s
             left join merchant_terminals t on t.store_id = s.id and t.closed_at is null
             where s.merchant_id = $1 and s.closed_at is null
             order by s.created_at, s.id, t.created_at, t.id",
        )
        .bind(merchant.uuid())
        .fetch_all(&self.pool)
        .await?;
        let mut stores: Vec<Store> = Vec::new();
        for row in &rows {
            let id = StoreId::from_uuid(row.try_get("id")?);
            if stores.last().is_none_or(|last| last.id != id) {
                let (name, created_at) = (place(row, "name")?, row.try_get("created_at")?);
                stores.push(Store { id, name, created_at, terminals: Vec::new() });
            }
            if let (Some(terminal), Some(store)) = (terminal(row)?, stores.last_mut()) {
                store.terminals.push(terminal);
            }
        }
        Ok(stores)
    }

    /// Opens a store.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn open_store(
        &self,
        merchant: MerchantId,
        id: StoreId,
        name: &PlaceName,
        at: Timestamp,
    ) -> Result<(), ShopError> {
        sqlx::query(
            "insert into merchant_stores (id, merchant_id, name, created_at)
             values ($1, $2, $3, $4)",
        )
        .bind(id.uuid())
        .bind(merchant.uuid())
        .bind(name.as_str())
        .bind(at)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Puts a terminal into a store of the shop's.
    ///
    /// # Errors
    /// [`ShopError::Gone`] if it is not a store of the shop's, or not any more.
    pub async fn add_terminal(
        &self,
        merchant: MerchantId,
        (store, id): (StoreId, TerminalId),
        name: &PlaceName,
        at: Timestamp,
    ) -> Result<(), ShopError> {
        let added = sqlx::query(
            "insert into merchant_terminals (id, merchant_id, store_id, name, created_at)
             select $1, $2, s.id, $4, $5 from merchant_stores s
             where s.id = $3 and s.merchant_id = $2 and s.closed_at is null",
        )
        .bind(id.uuid())
        .bind(merchant.uuid())
        .bind(store.uuid())
        .bind(name.as_str())
        .bind(at)
        .execute(&self.pool)
        .await?;
        if added.rows_affected() == 1 { Ok(()) } else { Err(ShopError::Gone) }
    }

    /// Closes a store with all that stands in it.
    ///
    /// # Errors
    /// [`ShopError::Gone`] if it is not a store of the shop's, or not any more.
    pub async fn close_store(
        &self,
        merchant: MerchantId,
        id: StoreId,
        at: Timestamp,
    ) -> Result<(), ShopError> {
        let closed: i64 = sqlx::query_scalar(
            "with closed as (
                 update merchant_stores set closed_at = $3
                 where id = $1 and merchant_id = $2 and closed_at is null returning id
             ), emptied as (
                 update merchant_terminals set closed_at = $3
                 where store_id in (select id from closed) and closed_at is null
             )
             select count(*) from closed",
        )
        .bind(id.uuid())
        .bind(merchant.uuid())
        .bind(at)
        .fetch_one(&self.pool)
        .await?;
        if closed == 1 { Ok(()) } else { Err(ShopError::Gone) }
    }

    /// Closes a terminal.
    ///
    /// # Errors
    /// [`ShopError::Gone`] if it is not a terminal of the shop's, or not any more.
    pub async fn close_terminal(
        &self,
        merchant: MerchantId,
        id: TerminalId,
        at: Timestamp,
    ) -> Result<(), ShopError> {
        let closed = sqlx::query(
            "update merchant_terminals set closed_at = $3
             where id = $1 and merchant_id = $2 and closed_at is null",
        )
        .bind(id.uuid())
        .bind(merchant.uuid())
        .bind(at)
        .execute(&self.pool)
        .await?;
        if closed.rows_affected() == 1 { Ok(()) } else { Err(ShopError::Gone) }
    }
}

fn terminal(row: &PgRow) -> Result<Option<Terminal>, ShopError> {
    let id: Option<sqlx::types::Uuid> = row.try_get("terminal_id")?;
    let Some(id) = id else { return Ok(None) };
    Ok(Some(Terminal {
        id: TerminalId::from_uuid(id),
        name: place(row, "terminal_name")?,
        created_at: row.try_get("terminal_created_at")?,
    }))
}

fn place(row: &PgRow, column: &'static str) -> Result<PlaceName, ShopError> {
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|_| ShopError::Malformed(column))
}
