//! A shop's accounts in the ledger, opened when the shop is.
//!
//! The shop is made first, for a handle may be taken and an account cannot be unmade. What a crash
//! leaves undone between the two is done by the next request for the shop, or by the keeper; the
//! ledger's idempotency keys make it once.

use ledger_core::ids::IdError;

use super::{Merchant, MerchantId, ShopError, Shops};
use crate::people::{WalletError, Wallets};

/// Why a shop's accounts are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum ShopOpenError {
    /// The ledger did not open them.
    #[error("the accounts of a shop were not opened")]
    Ledger(#[from] WalletError),
    /// The shop could not be read or written.
    #[error("the shop could not be read or written")]
    Shop(#[from] ShopError),
    /// A name was not well formed.
    #[error("a name is not well formed")]
    Id(#[from] IdError),
}

/// Opens the accounts of shops; cheap to clone.
#[derive(Clone)]
pub struct ShopAccounts {
    shops: Shops,
    wallets: Wallets,
}

impl ShopAccounts {
    /// For the shops of the ledger that `wallets` opens accounts in.
    pub const fn new(shops: Shops, wallets: Wallets) -> Self {
        Self { shops, wallets }
    }

    /// Opens what is not open yet.
    ///
    /// # Errors
    /// [`ShopOpenError`]; what was done until then stays, and may be done again.
    pub async fn settle(&self, shop: &Merchant) -> Result<(), ShopOpenError> {
        if shop.opened_at.is_some() {
            return Ok(());
        }
        let rooms = [("unsettled", shop.id.unsettled()?), ("available", shop.id.available()?)];
        for (room, account) in rooms {
            let key = format!("open-shop-{room}-{}", shop.id.segment());
            let whose = (shop.id.owner()?, shop.id.principal()?);
            self.wallets.open_account(account, whose, &key).await?;
        }
        let now = self.wallets.now();
        Ok(self.shops.note_opened(shop.id, now).await?)
    }

    /// Opens what a crash left; how many shops that were.
    ///
    /// # Errors
    /// [`ShopError`] if they could not be asked for; what the ledger refuses waits for the next
    /// time.
    pub async fn finish(&self, at_most: u32) -> Result<usize, ShopError> {
        let mut finished = 0;
        for id in self.shops.unfinished(at_most).await? {
            finished += usize::from(self.finish_one(id).await?);
        }
        Ok(finished)
    }

    async fn finish_one(&self, id: MerchantId) -> Result<bool, ShopError> {
        let Some(shop) = self.shops.by_id(id).await? else { return Ok(false) };
        match self.settle(&shop).await {
            Ok(()) => {
                tracing::info!(merchant = %id, "the accounts of a shop were opened");
                Ok(true)
            }
            Err(error) => {
                let error = projections::describe(&error);
                tracing::warn!(%error, merchant = %id, "the accounts of a shop are missing");
                Ok(false)
            }
        }
    }
}
