//! What becomes of payments by itself: they are settled when their day has come, requests that
//! nobody paid end, and refunds go out as soon as their shop has the money.
//!
//! Nothing rests on it but time: the ledger refuses to settle a payment twice or before its day,
//! and to pay a request at or after its end, whether this was there or not. Any number may run, and
//! each may die between any two steps: what a settlement is made of says its id, so that a batch
//! whose answer got lost is the same batch when it is handed in again, and one that overlaps with
//! another's is refused as a whole.

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use ledger_core::{
    chart::Authority,
    clock::{Clock, Ids},
    command::Operation,
    engine::SubmitError,
    ids::{IdError, MerchantCode, PaymentId, SettlementId},
    money::CurrencyCode,
    payment::{PaymentOperation, RetryRefund, SETTLED_MAX, Settle, movement::ShopAccounts},
    payment_request::PaymentRequestOperation,
};
use projections::{ReadError, ReadModels, RefundRow};
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use tokio::{
    sync::watch,
    time::{self, Instant},
};
use uuid::Builder;

use super::clerk::{Clerk, Handed};
use crate::{
    http::Ledger,
    payments::{BankCalendar, debt_limit},
};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it looks for what is to be settled, on one and the same day.
const SETTLE_EVERY: Duration = Duration::from_secs(60);
/// How long it waits for the read models to see what it has done.
const CATCH_UP: Duration = Duration::from_secs(5);
/// How many shops, requests or refunds it asks for at once.
const AT_ONCE: u32 = 100;
/// What shops are paid in.
const CURRENCY: &str = "INR";

/// Looks after payments; cheap to clone.
#[derive(Clone)]
pub struct PaymentKeeper {
    clerk: Clerk,
    read_models: ReadModels,
    pool: PgPool,
    currency: CurrencyCode,
    look_every: Duration,
}

/// Why a round did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("payments could not be read")]
    Read(#[from] ReadError),
    #[error("what shops agreed to could not be read")]
    Terms(#[from] sqlx::Error),
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    #[error("a name is not well formed")]
    Id(#[from] IdError),
    #[error("the read models have not seen yet what is to be settled")]
    Behind,
}

impl PaymentKeeper {
    /// Works on a ledger, its read models, and the database that has the shops.
    ///
    /// # Errors
    /// Never: its name is one.
    pub fn new(
        ledger: Arc<dyn Ledger>,
        (read_models, pool): (ReadModels, PgPool),
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, IdError> {
        let principal = "ledger:payments".parse()?;
        let authority = Authority::of_payments();
        let unknown = IdError { expected: "currency" };
        let currency = CURRENCY.parse().map_err(|_| unknown)?;
        Ok(Self {
            clerk: Clerk { ledger, clock, ids, principal, authority },
            read_models,
            pool,
            currency,
            look_every: LOOK_EVERY,
        })
    }

    /// The same, looking as often as this.
    #[must_use]
    pub fn looking_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// Works until `stopping` turns true. A failed round is told and tried again: it never ends by
    /// itself.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut tick = time::interval(self.look_every);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut last: Option<(NaiveDate, Instant)> = None;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            let day = BankCalendar::day_at(self.clerk.clock.now());
            let is_due =
                last.is_none_or(|(known, at)| known != day || at.elapsed() >= SETTLE_EVERY);
            // A round is left between two steps when it is time to stop; each is whole by itself.
            let outcome = tokio::select! {
                outcome = self.round(is_due.then_some(day)) => outcome,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            match outcome {
                Ok(()) if is_due => last = Some((day, Instant::now())),
                Ok(()) => {}
                Err(error) => {
                    let error = projections::describe(&error);
                    tracing::warn!(error, "payments could not be looked after; trying again");
                }
            }
        }
    }

    async fn round(&self, settle: Option<NaiveDate>) -> Result<(), KeepError> {
        self.expire_requests().await?;
        if let Some(day) = settle {
            self.catch_up().await?;
            self.settle(day).await?;
        }
        self.retry_refunds().await
    }

    /// Waits until the read models have what the log has: a day is looked through once, and not
    /// again for a while.
    async fn catch_up(&self) -> Result<(), KeepError> {
        self.clerk.ledger.refresh().await?;
        let head = self.clerk.ledger.status().borrow().head.position;
        let seen = self.read_models.wait_for(head, CATCH_UP).await?;
        if seen < head { Err(KeepError::Behind) } else { Ok(()) }
    }

    /// Ends requests that nobody paid in time.
    async fn expire_requests(&self) -> Result<(), KeepError> {
        loop {
            let now = self.clerk.clock.now();
            let due = self.read_models.expired_payment_requests(now, AT_ONCE).await?.value;
            let mut position = 0;
            for id in &due {
                let operation = PaymentRequestOperation::Expire(*id);
                match self.clerk.hand_in(operation.into()).await? {
                    Handed::Accepted { position: at, .. } => position = at.max(position),
                    Handed::Rejected(code) => {
                        tracing::warn!(request = %id, code, "a payment request did not expire");
                    }
                }
            }
            // Or the next look would see the same ones again.
            self.read_models.wait_for(position, CATCH_UP).await?;
            if due.len() < usize::try_from(AT_ONCE).unwrap_or(usize::MAX) {
                return Ok(());
            }
        }
    }

    /// Settles what is due by `day`, shop by shop.
    async fn settle(&self, day: NaiveDate) -> Result<(), KeepError> {
        let mut after: Option<MerchantCode> = None;
        loop {
            let shops = self.read_models.merchants_to_settle(day, after.as_ref(), AT_ONCE).await?;
            for shop in &shops {
                self.settle_shop(shop, day).await?;
            }
            match shops.last() {
                Some(last) => after = Some(last.clone()),
                None => return Ok(()),
            }
        }
    }

    /// Settles what is due of one shop, a hundred payments at a time.
    async fn settle_shop(&self, shop: &MerchantCode, day: NaiveDate) -> Result<(), KeepError> {
        let at_once = u32::try_from(SETTLED_MAX).unwrap_or(u32::MAX);
        loop {
            let payments = self.read_models.payments_to_settle(shop, day, at_once).await?;
            let count = payments.len();
            if count == 0 {
                return Ok(());
            }
            let settlement_id = settlement_id(shop, day, &payments);
            let (merchant, currency) = (shop.clone(), self.currency);
            let settle = Settle { settlement_id, merchant, currency, day, payments };
            match self.clerk.hand_in(settle.into()).await? {
                Handed::Accepted { position, .. } => {
                    metrics::counter!("bahi_settlements_total").increment(1);
                    tracing::info!(merchant = %shop, settlement = %settlement_id, count, "settled");
                    self.read_models.wait_for(position, CATCH_UP).await?;
                }
                // Another process was faster; or the shop is frozen: the next look tells.
                Handed::Rejected(code) => {
                    tracing::warn!(merchant = %shop, code, "not settled");
                    return Ok(());
                }
            }
            if count < SETTLED_MAX {
                return Ok(());
            }
        }
    }

    /// Gives back what waited, shop by shop.
    async fn retry_refunds(&self) -> Result<(), KeepError> {
        let mut after: Option<MerchantCode> = None;
        loop {
            let models = &self.read_models;
            let shops = models.merchants_with_pending_refunds(after.as_ref(), AT_ONCE).await?;
            for shop in &shops {
                self.retry_refunds_of(shop).await?;
            }
            match shops.last() {
                Some(last) => after = Some(last.clone()),
                None => return Ok(()),
            }
        }
    }

    /// The oldest first: none that the shop's money would do for overtakes one that it does not.
    async fn retry_refunds_of(&self, shop: &MerchantCode) -> Result<(), KeepError> {
        let pending = self.read_models.pending_refunds(shop, AT_ONCE).await?.value;
        let book = self.clerk.ledger.status().borrow().book.clone();
        let receivable_limit = debt_limit(&self.pool, &book, shop).await?;
        for refund in &pending {
            let operation: Operation = PaymentOperation::RetryRefund(RetryRefund {
                payment_id: refund.payment,
                refund_id: refund.id,
                receivable_limit,
            })
            .into();
            if !self.clerk.would_be_news(operation.clone()).await? {
                if self.waits_for_payer(shop, refund, receivable_limit).await? {
                    continue;
                }
                return Ok(());
            }
            if let Handed::Accepted { position, .. } = self.clerk.hand_in(operation).await? {
                metrics::counter!("bahi_refunds_retried_total").increment(1);
                tracing::info!(refund = %refund.id, "a refund that waited went on");
                self.read_models.wait_for(position, CATCH_UP).await?;
            }
        }
        Ok(())
    }

    /// Whether a refund waits for its payer (whose wallet takes nothing now) and not for its shop:
    /// those behind it need not.
    async fn waits_for_payer(
        &self,
        shop: &MerchantCode,
        refund: &RefundRow,
        limit: Decimal,
    ) -> Result<bool, KeepError> {
        let accounts = ShopAccounts::of(shop, refund.currency)?;
        let has = self.read_models.balance(&accounts.available).await?.value;
        let Some(has) = has.and_then(|balance| balance.available) else { return Ok(false) };
        let owed = self.read_models.balance(&accounts.receivable).await?.value;
        let owed = owed.map(|balance| balance.posted).unwrap_or_default();
        let may_borrow = limit.saturating_sub(owed).max(Decimal::ZERO);
        Ok(has.saturating_add(may_borrow) >= refund.amount)
    }
}

/// The id of the settlement of just these payments of a shop on a day: the same whoever makes it,
/// and however often.
fn settlement_id(shop: &MerchantCode, day: NaiveDate, payments: &[PaymentId]) -> SettlementId {
    let mut hash = Sha256::new();
    hash.update(format!("bahi.settlement.1\n{shop}\n{day}"));
    for payment in payments {
        hash.update(format!("\n{payment}"));
    }
    let digest: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(digest.split_at(16).0);
    // Version 8, so it is never the nil UUID.
    SettlementId::from_uuid(Builder::from_custom_bytes(half).into_uuid())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_settlement_is_known_by_what_it_is_made_of() {
        let payment = |number| PaymentId::from_uuid(Uuid::from_u128(number));
        let (tea, books) = ("tea".parse().unwrap(), "books".parse().unwrap());
        let day: NaiveDate = "2026-11-23".parse().unwrap();
        let next = day.succ_opt().unwrap();
        let two = [payment(1), payment(2)];
        let first = settlement_id(&tea, day, &two);
        assert_eq!(settlement_id(&tea, day, &two), first);
        for other in [
            settlement_id(&books, day, &two),
            settlement_id(&tea, next, &two),
            settlement_id(&tea, day, &two[..1]),
            settlement_id(&tea, day, &[payment(1), payment(3)]),
        ] {
            assert_ne!(other, first);
        }
    }
}
