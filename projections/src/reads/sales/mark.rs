//! How far a shop's sales have come: what tells a page that it is old.

use ledger_core::{ids::MerchantCode, log::Position};
use sqlx::Row as _;

use crate::{
    error::ReadError,
    reads::{ReadModels, unsigned},
};

/// A point in a shop's sales; another one means that something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SalesMark {
    /// Where the last payment, settlement or request for a refund stands in the log.
    pub position: Position,
    /// How many refunds wait.
    pub waiting: u64,
}

impl ReadModels {
    /// How far a shop's sales have come. Three looks at the ends of indexes, and the few refunds
    /// that wait: it is asked a few times a second for every counter that is open.
    pub async fn sales_mark(&self, merchant: &MerchantCode) -> Result<SalesMark, ReadError> {
        let row = sqlx::query(
            "select coalesce(greatest(
                        (select max(paid_position) from read.payments where merchant = $1),
                        (select max(position) from read.settlements where merchant = $1),
                        (select max(requested_position) from read.refunds where merchant = $1)
                    ), 0) as position,
                    (select count(*) from read.refunds
                     where merchant = $1 and status = 'pending') as waiting",
        )
        .bind(merchant.as_str())
        .fetch_one(&self.pool)
        .await?;
        let waiting = u64::try_from(row.try_get::<i64, _>("waiting")?).unwrap_or_default();
        Ok(SalesMark { position: unsigned(&row, "position")?, waiting })
    }
}
