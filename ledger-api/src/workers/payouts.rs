//! Payouts that go by themselves: on a shop's day all that it has available is withdrawn to the
//! bank account that its owner chose.
//!
//! Any number may run, and each may die between any two steps. The withdrawal's id is made of the
//! shop and the day, so the ledger takes one for a day, however often it is asked; the note of it
//! is made afterwards, and made again by whoever comes next. A day that comes to nothing is noted
//! too, with the reason, for it is shown.
//!
//! One at a time works, in a lane: of two, one could note that a day came to nothing while the
//! other pays it out, since the reason has just gone away. That a day is paid once does not rest
//! on the lane; that its note says so does.
//!
//! What it asks of read models can be a moment old. Nothing rests on it: more than there is is
//! refused by the ledger, and then the next look finds what there is.

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use ledger_core::{
    chart::Authority,
    clock::{Clock, Ids},
    engine::SubmitError,
    fee::{Pricing, Service},
    ids::{AccountId, BankAccountId, IdError, TransactionId, WithdrawalId},
    money::Money,
    withdrawal::{RequestWithdrawal, WithdrawalOperation},
};
use projections::{ReadError, ReadModels};
use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use tokio::{sync::watch, time};
use uuid::Builder;

use super::{
    clerk::{Clerk, Handed},
    lanes::{Held, Lane},
};
use crate::{
    banks::{
        Bank, BankRegistry,
        accounts::{BankAccount, BankAccountStatus, BankAccounts, PayeeKey},
    },
    fees::{self, Price},
    http::{Ledger, Problem},
    payments::BankCalendar,
    review::ReviewRules,
    shops::{DuePayout, MerchantId, PayoutOutcome, PayoutSkip, ShopError, Shops},
    wallet::{self, Pauses, Way},
};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it waits for the read models to see what happened.
const CATCH_UP: Duration = Duration::from_secs(5);
/// How many shops it takes in hand in one look.
const AT_ONCE: u32 = 100;
/// What shops are paid in.
const CURRENCY: &str = "INR";
/// The least that a bank account gets by itself, in rupees: the fee is a flat one.
pub(crate) const MINIMUM: Decimal = Decimal::ONE_HUNDRED;

/// What it is made of.
pub struct PayoutParts<'a> {
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
    /// What it tells.
    pub read_models: ReadModels,
    /// The database with shops, bank accounts and notes.
    pub pool: PgPool,
    /// The installation's secret.
    pub secret: &'a [u8; 32],
    /// The banks that can be called.
    pub banks: Arc<BankRegistry>,
    /// Which withdrawals a person looks at.
    pub review: ReviewRules,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
}

/// Looks after payouts; cheap to clone.
#[derive(Clone)]
pub struct PayoutKeeper {
    clerk: Clerk,
    read_models: ReadModels,
    shops: Shops,
    bank_accounts: BankAccounts,
    banks: Arc<BankRegistry>,
    pauses: Pauses,
    review: ReviewRules,
    look_every: Duration,
}

/// Why a look did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
enum PayoutError {
    #[error("the read models could not be asked")]
    Read(#[from] ReadError),
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    #[error("the shops could not be asked for")]
    Shops(#[from] ShopError),
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
    #[error("a name is not well formed")]
    Id(#[from] IdError),
    #[error("it cannot be said now how the money would go: {0}")]
    Way(String),
}

/// What a payout would be.
struct Planned {
    amount: Money,
    price: Price,
    bank_account: BankAccountId,
}

impl PayoutKeeper {
    /// The lane in which it works.
    pub const LANE: &str = "payouts";

    /// Works with these parts.
    ///
    /// # Errors
    /// Never: its name is one.
    pub fn new(parts: PayoutParts<'_>) -> Result<Self, IdError> {
        let PayoutParts { ledger, read_models, pool, secret, banks, review, clock, ids } = parts;
        let principal = "ledger:payouts".parse()?;
        let authority = Authority::of_withdrawals();
        Ok(Self {
            clerk: Clerk { ledger, clock, ids, principal, authority },
            read_models,
            shops: Shops::new(pool.clone(), secret),
            bank_accounts: BankAccounts::new(pool.clone(), PayeeKey::derive(secret)),
            banks,
            pauses: Pauses::new(pool),
            review,
            look_every: LOOK_EVERY,
        })
    }

    /// The same, looking as often as this.
    #[must_use]
    pub fn looking_every(self, look_every: Duration) -> Self {
        Self { look_every, ..self }
    }

    /// Works until `stopping` turns true, while the lane is its own. A failed look is told and
    /// tried again: it never ends by itself.
    pub async fn run(self, mut lane: Lane, mut stopping: watch::Receiver<bool>) {
        let mut tick = time::interval(self.look_every);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            // A look is left between two steps when it is time to stop; each is whole by itself.
            let outcome = tokio::select! {
                outcome = self.look(&mut lane) => outcome,
                _ = stopping.wait_for(|stop| *stop) => break,
            };
            if let Err(error) = outcome {
                let error = projections::describe(&error);
                tracing::warn!(error, "payouts could not be looked after; trying again");
            }
        }
        if let Err(error) = lane.leave().await {
            tracing::debug!(%error, "the lane ends by itself");
        }
    }

    async fn look(&self, lane: &mut Lane) -> Result<(), PayoutError> {
        let today = BankCalendar::day_at(self.clerk.clock.now());
        // Before anything is read: what is read then is what whoever had it before left.
        if !lane.hold().await? {
            return Ok(());
        }
        let due = self.shops.due_payouts(today, AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        self.clerk.ledger.refresh().await?;
        let head = self.clerk.ledger.status().borrow().head.position;
        if self.read_models.wait_for(head, CATCH_UP).await? < head {
            return Ok(());
        }
        for one in &due {
            // Lost and taken again, it is another lane: somebody may have been here meanwhile.
            if !(lane.is_held() && lane.hold().await?) {
                return Ok(());
            }
            // One shop's trouble is no reason for the next one to wait.
            if let Err(error) = self.pay_out(one, today, &lane.held()).await {
                let error = projections::describe(&error);
                tracing::warn!(error, merchant = %one.shop, "a payout is still due");
            }
        }
        Ok(())
    }

    /// Does what is due of a shop, and notes it; nothing while the day's settlement is to come.
    async fn pay_out(
        &self,
        due: &DuePayout,
        today: NaiveDate,
        held: &Held,
    ) -> Result<(), PayoutError> {
        let code = due.shop.segment().parse()?;
        if due.day == today {
            let to_settle = self.read_models.payments_to_settle(&code, today, 1).await?;
            if !to_settle.is_empty() {
                return Ok(());
            }
        }
        let Some(outcome) = self.outcome(due, held).await? else { return Ok(()) };
        // What was paid is noted whoever has the lane; that nothing was is true only in it.
        if matches!(outcome, PayoutOutcome::Skipped(_)) && !held.is_held() {
            return Ok(());
        }
        let at = self.clerk.clock.now();
        self.shops.note_payout(due, &outcome, (today, at)).await?;
        match &outcome {
            PayoutOutcome::Requested(withdrawal) => {
                metrics::counter!("bahi_payouts_total", "outcome" => "requested").increment(1);
                tracing::info!(merchant = %due.shop, day = %due.day, %withdrawal, "paid out");
            }
            PayoutOutcome::Skipped(why) => {
                metrics::counter!("bahi_payouts_total", "outcome" => "skipped").increment(1);
                let why = why.as_str();
                tracing::info!(merchant = %due.shop, day = %due.day, why, "no payout");
            }
        }
        Ok(())
    }

    /// What comes of a day; nothing if the next look knows better.
    async fn outcome(
        &self,
        due: &DuePayout,
        held: &Held,
    ) -> Result<Option<PayoutOutcome>, PayoutError> {
        let withdrawal_id = withdrawal_id(due.shop, due.day);
        // Somebody was here and died before the note.
        if self.read_models.withdrawal(withdrawal_id).await?.value.is_some() {
            return Ok(Some(PayoutOutcome::Requested(withdrawal_id)));
        }
        let account = due.shop.available()?;
        let planned = match self.plan(due, &account).await? {
            Ok(planned) => planned,
            Err(why) => return Ok(Some(PayoutOutcome::Skipped(why))),
        };
        let banks: Vec<&dyn Bank> = self.banks.iter().map(AsRef::as_ref).collect();
        let now = self.clerk.clock.now();
        let way = Way { bank: None, rail: None };
        let (bank, rail) = match way.fastest(&banks, &self.pauses, (planned.amount, now)).await {
            Ok(way) => way,
            Err(problem) => return no_way(&problem).map(Some),
        };
        let with = (&self.bank_accounts, &self.read_models, now);
        let asked = (&account, planned.bank_account);
        let review = self.review.required_by(with, asked, planned.amount).await;
        let review = review.map_err(|problem| PayoutError::Way(problem.code().to_owned()))?;
        let (payee, payee_hash) = self.bank_accounts.standing(planned.bank_account).await?;
        let operation = WithdrawalOperation::Request(RequestWithdrawal {
            withdrawal_id,
            transaction_id: TransactionId::from_uuid(withdrawal_id.uuid()),
            account,
            amount: planned.amount,
            fee: planned.price.quote.fee,
            tax: planned.price.quote.tax,
            pricing: Pricing::InForce(Some(planned.price.version)),
            bank_account: planned.bank_account,
            bank,
            rail,
            payee_hash,
            payee,
            review,
            note: None,
        });
        if !held.is_held() {
            return Ok(None);
        }
        Ok(match self.clerk.hand_in(operation.into()).await? {
            Handed::Accepted { .. } => Some(PayoutOutcome::Requested(withdrawal_id)),
            Handed::Rejected(code) => match &*code {
                // Another process was faster.
                "withdrawal_exists" => Some(PayoutOutcome::Requested(withdrawal_id)),
                // Something was spent between the two looks, or the fee has changed.
                "insufficient_funds" | "fee_changed" => None,
                _ => Some(PayoutOutcome::Skipped(PayoutSkip::Refused(code))),
            },
        })
    }

    /// All that is available without the fee, to the account that was chosen; or why not.
    async fn plan(
        &self,
        due: &DuePayout,
        account: &AccountId,
    ) -> Result<Result<Planned, PayoutSkip>, PayoutError> {
        let Some(bank_account) = due.to else { return Ok(Err(PayoutSkip::NoAccount)) };
        // As it is now, and not as it is remembered: it may have been erased elsewhere.
        let known = self.bank_accounts.get(bank_account).await?;
        let own = due.shop.owner()?;
        let is_verified = |known: &BankAccount| known.status == BankAccountStatus::Verified;
        if !known.is_some_and(|known| known.owner == own && is_verified(&known)) {
            return Ok(Err(PayoutSkip::NoAccount));
        }
        let unknown = IdError { expected: "currency" };
        let currency = CURRENCY.parse().map_err(|_| unknown)?;
        let currency = self.clerk.currency(currency).ok_or(unknown)?;
        let balance = self.read_models.balance(account).await?.value;
        let available = balance.and_then(|balance| balance.available).unwrap_or_default();
        let book = self.clerk.ledger.status().borrow().book.clone();
        let now = self.clerk.clock.now();
        let planned = wallet::money(available, currency).ok().and_then(|available| {
            let amount = fees::whole(&book, available, now)?;
            let price = fees::price(&book, Service::Withdrawal, amount, now).ok()?;
            (amount.amount() >= MINIMUM).then_some(Planned { amount, price, bank_account })
        });
        Ok(planned.ok_or(PayoutSkip::BelowMinimum))
    }
}

/// That no bank takes so much is an end; that no bank could be asked is none.
fn no_way(problem: &Problem) -> Result<PayoutOutcome, PayoutError> {
    if problem.status() == 422 {
        return Ok(PayoutOutcome::Skipped(PayoutSkip::NoWay));
    }
    Err(PayoutError::Way(problem.code().to_owned()))
}

/// The id of the payout of a shop on a day: the same whoever makes it, and however often.
fn withdrawal_id(shop: MerchantId, day: NaiveDate) -> WithdrawalId {
    let mut hash = Sha256::new();
    hash.update(format!("bahi.payout.1\n{shop}\n{day}"));
    let digest: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(digest.split_at(16).0);
    // Version 8, so it is never the nil UUID.
    WithdrawalId::from_uuid(Builder::from_custom_bytes(half).into_uuid())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_payout_is_known_by_its_shop_and_its_day() {
        let shop = |number| MerchantId::from_uuid(Uuid::from_u128(number));
        let day: NaiveDate = "2026-11-23".parse().unwrap();
        let first = withdrawal_id(shop(1), day);
        assert_eq!(withdrawal_id(shop(1), day), first);
        assert_ne!(withdrawal_id(shop(2), day), first);
        assert_ne!(withdrawal_id(shop(1), day.succ_opt().unwrap()), first);
    }

    #[test]
    fn a_bank_that_takes_less_ends_the_day_and_one_that_is_silent_does_not() {
        let code = crate::http::codes::RAIL_UNKNOWN;
        let skipped = no_way(&Problem::field(code, "/amount", "No bank sends this much."));
        assert_eq!(skipped.unwrap(), PayoutOutcome::Skipped(PayoutSkip::NoWay));
        assert!(no_way(&Problem::internal(&"the database is away")).is_err());
    }
}
