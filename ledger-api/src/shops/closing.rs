//! The end of a shop: what stands in its way, and the day from which it takes no payments any more;
//! and which fees how many shops agreed to.
//!
//! Its accounts are closed in the ledger first, which alone says whether they are empty; only then
//! the row says so. What the shop has sold stays, and its people can still look at it.

use ledger_core::ids::IdError;

use super::{MerchantId, ShopError, Shops};

/// What stands in the way of a shop's end: how much of each there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, sqlx::FromRow)]
pub struct Unfinished {
    /// Its accounts that are not at zero.
    pub accounts: i64,
    /// Withdrawals that have not ended.
    pub withdrawals: i64,
    /// Refunds that wait until it has money.
    pub refunds: i64,
    /// Disputes that nobody has decided.
    pub disputes: i64,
    /// What it owes us: accounts of it.
    pub debts: i64,
}

impl Unfinished {
    /// Each kind in words, with how many there are.
    pub const fn all(self) -> [(&'static str, i64); 5] {
        [
            ("accounts with money", self.accounts),
            ("withdrawals on their way", self.withdrawals),
            ("refunds that wait", self.refunds),
            ("open disputes", self.disputes),
            ("debts to us", self.debts),
        ]
    }

    /// Whether nothing stands in the way.
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl Shops {
    /// What stands in the way of a shop's end, as far as the read models know.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn unfinished_business(&self, id: MerchantId) -> Result<Unfinished, ShopError> {
        let malformed = |_: IdError| ShopError::Malformed("id");
        let (unsettled, available) =
            (id.unsettled().map_err(malformed)?, id.available().map_err(malformed)?);
        let sql = "
            select (select count(*) from read.accounts
                    where id = any($2) and (balance <> 0 or held <> 0)) as accounts,
                   (select count(*) from read.withdrawals
                    where account_id = $3 and status in ('pending_review', 'queued', 'processing',
                        'outcome_unknown', 'needs_attention')) as withdrawals,
                   (select count(*) from read.refunds
                    where merchant = $1 and status = 'pending') as refunds,
                   (select count(*) from read.payments
                    where merchant = $1 and dispute = 'open') as disputes,
                   (select count(*) from read.accounts
                    where starts_with(id, 'receivable:merchant:' || $1 || ':')
                      and balance <> 0) as debts";
        let found = sqlx::query_as(sql)
            .bind(id.segment())
            .bind(vec![unsettled.to_string(), available.to_string()])
            .bind(available.to_string())
            .fetch_one(&self.pool)
            .await?;
        Ok(found)
    }

    /// How many shops that take payments are on each version of the fees.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn by_terms(&self) -> Result<Vec<(i32, i64)>, ShopError> {
        let sql = "select terms_version, count(*) from merchants where status = 'active'
                   group by terms_version order by terms_version";
        Ok(sqlx::query_as(sql).fetch_all(&self.pool).await?)
    }

    /// Takes no payments any more, and pays nothing out by itself.
    ///
    /// # Errors
    /// [`ShopError`].
    pub async fn close(&self, id: MerchantId) -> Result<(), ShopError> {
        sqlx::query(
            "update merchants set status = 'closed', payout_every = null, payout_next = null
             where id = $1",
        )
        .bind(id.uuid())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
