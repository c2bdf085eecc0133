//! Makes payments of what payers with apps of other banks have sent to a shop's code, and sends
//! back what no shop can have and what shops give back.
//!
//! The money lies on the credit's own account. From there it is paid as any wallet pays a shop, or
//! is withdrawn to whom it came from, by the bank's own word. Both have ids that follow from the
//! credit, so any number of these may run and each may die between any two steps.

use std::{sync::Arc, time::Duration};

use ledger_core::{
    chart::Authority,
    clock::{Clock, Ids},
    command::Idempotency,
    deposit::{CreditPlace, KnownCredit},
    engine::SubmitError,
    fee::Pricing,
    ids::{BankAccountId, IdError, Owner, PayeeHash, TransactionId},
    money::Money,
    payment::{PayMerchant, PaymentOperation, RefundStatus},
    withdrawal::{PayeeStanding, RequestWithdrawal, WithdrawalOperation},
};
use projections::{ReadError, ReadModels};
use rust_decimal::Decimal;
use sqlx::{PgPool, Row as _};
use tokio::{sync::watch, time};

use super::clerk::{Clerk, Handed};
use crate::{
    banks::{
        Bank, BankRegistry, CallError, Payee,
        accounts::{BankAccounts, Checked, CreateError, NewBankAccount, PayeeKey},
    },
    deposits::{Outside, OutsideCredit, OutsideReturn},
    http::Ledger,
    payments::Calendars,
};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many it takes up in one look.
const AT_ONCE: u32 = 100;
/// How often it counts what waits for people.
const COUNT_EVERY: Duration = Duration::from_secs(60);
/// The most that it counts.
const COUNTED_MAX: u32 = 100;
/// Whose the bank accounts are that money is sent back to: no customer's.
const OWNER: &str = "bahi";
const PRINCIPAL: &str = "ledger:outside";

/// What it works with.
pub struct OutsideParts<'a> {
    /// The engine.
    pub ledger: Arc<dyn Ledger>,
    /// What has become of credits and refunds.
    pub read_models: ReadModels,
    /// The database.
    pub pool: PgPool,
    /// The installation's secret.
    pub secret: &'a [u8; 32],
    /// The banks to ask.
    pub banks: Arc<BankRegistry>,
    /// When payments settle.
    pub calendars: Calendars,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
}

/// Looks after them; cheap to clone.
#[derive(Clone)]
pub struct OutsideKeeper {
    pays: Clerk,
    sends: Clerk,
    outside: Outside,
    read_models: ReadModels,
    pool: PgPool,
    banks: Arc<BankRegistry>,
    bank_accounts: BankAccounts,
    calendars: Calendars,
}

/// Why something was not done. The next look tries again.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("the read models could not be asked")]
    Read(#[from] ReadError),
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    #[error("a name is not well formed")]
    Id(#[from] IdError),
    #[error("the bank gave no answer")]
    Bank(#[from] CallError),
    #[error("the day of a settlement could not be told ({0})")]
    Calendar(String),
    #[error("it waits for people: {0}")]
    ForPeople(&'static str),
}

impl OutsideKeeper {
    /// Works with these parts.
    ///
    /// # Errors
    /// Never: its name is one.
    pub fn new(parts: OutsideParts<'_>) -> Result<Self, IdError> {
        let clerk = |authority| -> Result<Clerk, IdError> {
            let principal = PRINCIPAL.parse()?;
            let (ledger, clock) = (Arc::clone(&parts.ledger), Arc::clone(&parts.clock));
            Ok(Clerk { ledger, clock, ids: Arc::clone(&parts.ids), principal, authority })
        };
        Ok(Self {
            pays: clerk(Authority::of_payments())?,
            sends: clerk(Authority::of_withdrawals())?,
            outside: Outside::new(parts.pool.clone()),
            read_models: parts.read_models,
            bank_accounts: BankAccounts::new(parts.pool.clone(), PayeeKey::derive(parts.secret)),
            pool: parts.pool,
            banks: parts.banks,
            calendars: parts.calendars,
        })
    }

    /// Works until `stopping` turns true. A failed round is told and tried again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut tick = time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut counting = time::interval(COUNT_EVERY);
        counting.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            let counts = tokio::select! {
                _ = tick.tick() => false,
                _ = counting.tick() => true,
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            if counts {
                self.count().await;
                continue;
            }
            if let Err(error) = self.round().await {
                let error = projections::describe(&error);
                tracing::warn!(error, "payments from outside are behind; trying again");
            }
        }
    }

    /// Says how much waits for people.
    async fn count(&self) {
        match self.outside.stuck(None, COUNTED_MAX).await {
            Ok(stuck) => {
                let count = u32::try_from(stuck.len()).unwrap_or(u32::MAX);
                metrics::gauge!("bahi_outside_stuck").set(f64::from(count));
            }
            Err(error) => {
                let error = projections::describe(&error);
                tracing::warn!(error, "what of payers from outside waits was not counted");
            }
        }
    }

    async fn round(&self) -> Result<(), KeepError> {
        for credit in self.outside.take_open(AT_ONCE).await? {
            if let Err(error) = self.pay(&credit).await {
                let error = projections::describe(&error);
                tracing::warn!(error, deposit = %credit.deposit_id, "not paid to its shop yet");
            }
        }
        for back in self.outside.take_returns(AT_ONCE).await? {
            if let Err(error) = self.send(&back).await {
                let error = projections::describe(&error);
                tracing::warn!(error, deposit = %back.credit.deposit_id, "not sent back yet");
            }
        }
        Ok(())
    }

    /// What the ledger has booked of a credit; nothing before it has.
    async fn booked(&self, credit: &OutsideCredit) -> Result<Option<KnownCredit>, KeepError> {
        let history = self.read_models.deposit(credit.deposit_id).await?.value;
        let credits = history.as_ref().map(|history| history.deposit.credits());
        let mut own = credits.unwrap_or_default().iter().enumerate();
        let deposit = history.as_ref().map(|history| &history.deposit);
        let on_account = |number: usize| {
            let number = u32::try_from(number).ok()?.checked_add(1)?;
            deposit?.wallet_of(number).filter(|wallet| **wallet == credit.account)
        };
        Ok(own.find(|(index, _)| on_account(*index).is_some()).map(|(_, known)| known.clone()))
    }

    /// Pays the shop with a credit, or has it sent back if the shop cannot have it.
    async fn pay(&self, credit: &OutsideCredit) -> Result<(), KeepError> {
        let Some(known) = self.booked(credit).await? else { return Ok(()) };
        match known.place {
            CreditPlace::Told => return Ok(()),
            CreditPlace::Wallet => {}
            // In suspense, or asked back: the desk has it.
            CreditPlace::Review { .. }
            | CreditPlace::ToReturn
            | CreditPlace::Recalled
            | CreditPlace::Divided
            | CreditPlace::SentBack { .. } => {
                return Ok(self.outside.conclude(credit, "people", None).await?);
            }
        }
        let Some(operation) = self.payment(credit, known.credit.amount).await? else {
            // The shop may have closed after it was paid, before that was noted.
            if self.outside.is_paid(credit).await? {
                return Ok(self.outside.conclude(credit, "paid", None).await?);
            }
            return Ok(self.outside.send_back(credit, "shop_blocked").await?);
        };
        match self.pays.hand_in(operation.into()).await? {
            Handed::Accepted { .. } => self.outside.conclude(credit, "paid", None).await?,
            Handed::Rejected(code) if code == "payment_exists" => {
                self.outside.conclude(credit, "paid", None).await?;
            }
            // Somebody holds it: whoever asks for it back.
            Handed::Rejected(code) if code == "insufficient_funds" => {
                self.outside.conclude(credit, "people", Some(&code)).await?;
            }
            Handed::Rejected(code) => {
                tracing::info!(deposit = %credit.deposit_id, code, "it goes back to its payer");
                self.outside.send_back(credit, &code).await?;
            }
        }
        Ok(())
    }

    /// The payment that a credit becomes, on the terms of its shop; nothing if the shop takes none.
    async fn payment(
        &self,
        credit: &OutsideCredit,
        amount: Decimal,
    ) -> Result<Option<PaymentOperation>, KeepError> {
        let sql = "select terms_version, settlement_lag from merchants
                   where id = $1 and status = 'active'";
        let row = sqlx::query(sql).bind(credit.merchant.uuid()).fetch_optional(&self.pool).await?;
        let Some(row) = row else { return Ok(None) };
        let (version, lag): (i32, i16) =
            (row.try_get("terms_version")?, row.try_get("settlement_lag")?);
        let book = self.pays.ledger.status().borrow().book.clone();
        let terms = u32::try_from(version).ok().and_then(|version| book.terms(version));
        let (Some(terms), Ok(lag)) = (terms, u8::try_from(lag)) else { return Ok(None) };
        let settles_on = self.calendars.settles_on(self.pays.clock.now(), lag).await;
        Ok(Some(PaymentOperation::Pay(PayMerchant {
            payment_id: credit.payment_id(),
            payer: credit.account.clone(),
            merchant: credit.merchant.segment().parse()?,
            amount: self.money(credit, amount)?,
            terms: terms.rates(),
            request: credit.request,
            settles_on: settles_on.map_err(|why| KeepError::Calendar(why.code().to_owned()))?,
            order: None,
            store: None,
            terminal: None,
        })))
    }

    fn money(&self, credit: &OutsideCredit, amount: Decimal) -> Result<Money, KeepError> {
        let unknown = IdError { expected: "amount in a currency of the book" };
        let currency = self.pays.currency(credit.account.currency()?).ok_or(unknown)?;
        Ok(Money::from_decimal(amount, currency).map_err(|_| unknown)?)
    }

    /// Sends something back to whom it came from.
    async fn send(&self, back: &OutsideReturn) -> Result<(), KeepError> {
        let credit = &back.credit;
        let amount = match back.refund {
            Some(refund) => {
                let known = self.read_models.refund(refund).await?.value;
                match known.map(|known| (known.status, known.amount)) {
                    Some((RefundStatus::Completed, amount)) => amount,
                    Some((RefundStatus::Pending, _)) => return Ok(()),
                    Some((RefundStatus::Failed | RefundStatus::Cancelled, _)) => {
                        return Ok(self.outside.returned(back, None).await?);
                    }
                    // Not seen yet, or never asked.
                    None => {
                        if back.is_old {
                            self.outside.returned(back, None).await?;
                        }
                        return Ok(());
                    }
                }
            }
            None => match self.booked(credit).await? {
                Some(known) => known.credit.amount,
                None => return Ok(()),
            },
        };
        let amount = self.money(credit, amount)?;
        let withdrawal_id = back.withdrawal_id();
        let operation = self.withdrawal(back, amount).await?;
        match self.sends.hand_in(operation.into()).await? {
            Handed::Accepted { .. } => {}
            Handed::Rejected(code) if code == "withdrawal_exists" => {}
            Handed::Rejected(code) => {
                tracing::warn!(withdrawal = %withdrawal_id, code, "the ledger does not send it");
                return Ok(());
            }
        }
        metrics::counter!("bahi_outside_sent_back_total").increment(1);
        Ok(self.outside.returned(back, Some(withdrawal_id)).await?)
    }

    async fn withdrawal(
        &self,
        one: &OutsideReturn,
        amount: Money,
    ) -> Result<WithdrawalOperation, KeepError> {
        let credit = &one.credit;
        let bank = self.banks.get(&credit.bank);
        let bank = bank.ok_or(KeepError::ForPeople("no address is configured for its bank"))?;
        let (bank_account, payee_hash) = self.remitter(bank.as_ref(), credit).await?;
        let contract = bank.contract().await?;
        let fits = contract.rails.iter().find(|terms| terms.takes(amount));
        let rail = fits.ok_or(KeepError::ForPeople("the bank sends no such amount"))?.rail.clone();
        let withdrawal_id = one.withdrawal_id();
        Ok(WithdrawalOperation::Request(RequestWithdrawal {
            withdrawal_id,
            transaction_id: TransactionId::from_uuid(withdrawal_id.uuid()),
            account: credit.account.clone(),
            amount,
            fee: Money::zero(amount.currency()),
            tax: Money::zero(amount.currency()),
            // Sending back what was not asked for costs nobody anything.
            pricing: Pricing::AsGiven,
            bank_account,
            bank: credit.bank.clone(),
            rail,
            payee_hash: Some(payee_hash),
            // Whoever paid, by the bank's own word.
            payee: PayeeStanding::Unchecked,
            review: None,
            note: None,
        }))
    }

    /// Who paid, by the bank's word, kept as a bank account: the same one whenever it is asked.
    async fn remitter(
        &self,
        bank: &dyn Bank,
        credit: &OutsideCredit,
    ) -> Result<(BankAccountId, PayeeHash), KeepError> {
        const UNKNOWN: KeepError = KeepError::ForPeople("the bank does not say who paid");
        let id = credit.credit_id.as_ref().ok_or(UNKNOWN)?;
        let told = bank.credit(id).await?.and_then(|told| told.payer).ok_or(UNKNOWN)?;
        let payee = Payee::parse(&told.account_number, &told.ifsc, &told.name);
        let now = self.sends.clock.now();
        let mut fingerprint = [0; 32];
        fingerprint[..16].copy_from_slice(credit.deposit_id.uuid().as_bytes());
        let new = NewBankAccount {
            id: BankAccountId::from_uuid(self.sends.ids.fresh()),
            owner: OWNER.parse::<Owner>()?,
            payee: payee.map_err(|_| UNKNOWN)?,
            at: now,
            principal: self.sends.principal.clone(),
            idempotency: Idempotency {
                key: format!("remitter-{}", credit.account).parse()?,
                fingerprint,
            },
        };
        let kept = self.bank_accounts.create(&new).await.map_err(|error| match error {
            CreateError::KeyReused => UNKNOWN,
            CreateError::Database(error) => KeepError::Database(error),
        })?;
        let (id, right) = (kept.account.id, Checked::Right { registered_name: None });
        self.bank_accounts.note_check(id, bank.code(), &right, now).await?;
        let (_, hash) = self.bank_accounts.payee(id).await?.ok_or(UNKNOWN)?;
        Ok((id, hash))
    }
}
