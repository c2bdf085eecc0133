//! Has banks make the moves of our own money that people approved: top-ups of escrow, and sweeps.
//!
//! By the law of the queue of withdrawals. That a bank is told is noted before it is called, and
//! only whoever noted it calls, once; after silence there are only questions, few, and then the
//! bank's statements: what their closed days do not have was not made. Nothing is told twice. What
//! a bank answers is shown to people and moves nothing: the lines of its statements do.
//!
//! A refusal ends the order. The next day's close asks for another move, with another reference.

use std::{sync::Arc, time::Duration};

use ledger_core::{
    clock::{Clock, Timestamp},
    money::{Currency, CurrencyCode, Money},
    withdrawal::AttemptOutcome,
};
use sqlx::PgPool;
use tokio::{sync::watch, time};

use super::{
    lanes::Lane,
    rounds::{self, Rounds},
    withdrawals::{Verdict, delta, enquiry_at, verdict},
};
use crate::{
    banks::{
        Bank, BankRegistry, CallError, Contract, Doubt, Payee, PayeeError, RailTerms, Submission,
        Transfer,
    },
    http::Ledger,
    statements::{Absence, absent_from_statements},
    treasury::{Open, OrderStatus, Orders, Wanted},
};

/// How often it looks for moves that people approved.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The longest wait that a bank can ask for before the same order is handed in again, and how often
/// it is.
const TOO_FAST_MAX: Duration = Duration::from_secs(2);
const TOO_FAST_TIMES: u32 = 5;
/// Whose our accounts are, as a transfer between them says.
const OWNER: &str = "Bahi";

/// What it is made of.
pub struct TreasuryKeeper {
    /// The database with the moves.
    pub pool: PgPool,
    /// The banks that can be called.
    pub banks: Arc<BankRegistry>,
    /// What knows the currencies.
    pub ledger: Arc<dyn Ledger>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

/// Why a bank's moves did not get on. The next look tries again.
#[derive(Debug, thiserror::Error)]
pub enum TreasuryError {
    /// The bank did not say what it can do.
    #[error("the bank's contract is not known")]
    Bank(#[from] CallError),
    /// The database did not answer.
    #[error("the moves could not be read")]
    Database(#[from] sqlx::Error),
    /// Its contract names our accounts by numbers that are none.
    #[error("the bank's contract has an account that is none")]
    Account(#[from] PayeeError),
}

impl Rounds for TreasuryKeeper {
    type Error = TreasuryError;
    const PAUSE: Duration = LOOK_EVERY;
    const WAITS: &'static str = "a move of our own waits";

    async fn work(&mut self, lane: &mut Lane) -> Result<(), TreasuryError> {
        self.round(lane).await
    }
}

impl TreasuryKeeper {
    /// Works until `stopping` turns true, while the lane is its own.
    pub async fn run(self, lane: Lane, stopping: watch::Receiver<bool>) {
        rounds::keep(self, lane, stopping).await;
    }

    /// Looks at every bank once. One bank's trouble keeps no other back.
    ///
    /// # Errors
    /// [`TreasuryError`], the first of them.
    pub async fn round(&self, lane: &mut Lane) -> Result<(), TreasuryError> {
        let orders = Orders::new(self.pool.clone());
        let mut first = Ok(());
        for bank in self.banks.iter() {
            if !lane.hold().await? {
                break;
            }
            let done = self.of_bank(&orders, bank.as_ref(), lane).await;
            first = first.and(done);
        }
        first
    }

    async fn of_bank(
        &self,
        orders: &Orders,
        bank: &dyn Bank,
        lane: &mut Lane,
    ) -> Result<(), TreasuryError> {
        let (wanted, open) = (orders.wanted(bank.code()).await?, orders.open(bank.code()).await?);
        if wanted.is_empty() && open.is_empty() {
            return Ok(());
        }
        let contract = bank.contract().await?;
        for one in &wanted {
            self.order(orders, (bank, &contract), one, lane).await?;
        }
        for one in &open {
            self.follow(orders, (bank, &contract), one).await?;
        }
        Ok(())
    }

    /// Tells the bank, if it can make the transfer now.
    async fn order(
        &self,
        orders: &Orders,
        (bank, contract): (&dyn Bank, &Contract),
        wanted: &Wanted,
        lane: &mut Lane,
    ) -> Result<(), TreasuryError> {
        let now = self.clock.now();
        let id = wanted.id;
        let Some(amount) = self.amount(wanted) else {
            tracing::warn!(%id, "a move is in a currency of no book");
            return Ok(());
        };
        let Some(terms) = rail(contract, amount, now) else {
            tracing::debug!(%id, "no rail of the bank takes the move now");
            return Ok(());
        };
        let (from, to) = wanted.way.accounts();
        let to = contract.accounts.iter().find(|account| account.name == to);
        let Some(to) = to.filter(|_| contract.accounts.iter().any(|a| a.name == from)) else {
            tracing::warn!(%id, "the bank does not have both of our accounts");
            return Ok(());
        };
        let submission = Submission {
            reference: wanted.reference.clone(),
            amount,
            rail: terms.rail.clone(),
            from: from.to_owned(),
            beneficiary: Payee::parse(&to.account_number, &to.ifsc, OWNER)?,
        };
        if !lane.hold().await? || !orders.begin(id, &terms.rail, now).await? {
            return Ok(());
        }
        let answer = submit(bank, &submission).await;
        let (status, code) = match &answer {
            Ok(transfer) => made(transfer, amount, contract),
            Err(error) => without_answer(error),
        };
        self.noted(orders, wanted, (status, code)).await
    }

    /// Asks about one that has no end, as rarely as the bank allows; then its statements.
    async fn follow(
        &self,
        orders: &Orders,
        (bank, contract): (&dyn Bank, &Contract),
        open: &Open,
    ) -> Result<(), TreasuryError> {
        let (now, wanted) = (self.clock.now(), &open.wanted);
        let Some(amount) = self.amount(wanted) else { return Ok(()) };
        match enquiry_at(&contract.enquiry, open.ordered_at, open.asked) {
            Some(at) if at > now => Ok(()),
            Some(_) => {
                if !orders.ask(wanted.id, open.asked).await? {
                    return Ok(());
                }
                match bank.enquire(&wanted.reference).await {
                    Ok(Some(transfer)) => {
                        self.noted(orders, wanted, made(&transfer, amount, contract)).await
                    }
                    // That it is not known now, and that there is no answer, prove nothing.
                    Ok(None) | Err(_) => Ok(()),
                }
            }
            None => self.look(orders, contract, open, now).await,
        }
    }

    /// Whether the statements prove that it was not made.
    async fn look(
        &self,
        orders: &Orders,
        contract: &Contract,
        open: &Open,
        now: Timestamp,
    ) -> Result<(), TreasuryError> {
        let certain = contract.rail(&open.rail).map(|terms| delta(terms.final_within));
        let age = now.signed_duration_since(open.ordered_at);
        // Until then the bank may still make it, whatever its statements say.
        if certain.is_some_and(|certain| age <= certain) {
            return Ok(());
        }
        let sent_on = open.ordered_at.with_timezone(&contract.time_zone).date_naive();
        let reference = &open.wanted.reference;
        let found = absent_from_statements(&self.pool, &contract.bank, reference, sent_on).await?;
        if found != Absence::Proved {
            return Ok(());
        }
        let absent = (OrderStatus::Refused, Some("absent_from_statements".to_owned()));
        self.noted(orders, &open.wanted, absent).await
    }

    async fn noted(
        &self,
        orders: &Orders,
        wanted: &Wanted,
        (status, code): (OrderStatus, Option<String>),
    ) -> Result<(), TreasuryError> {
        let (id, reference, word) = (wanted.id, &wanted.reference, status.as_str());
        orders.note(id, status, code.as_deref()).await?;
        match status {
            OrderStatus::Refused | OrderStatus::Unknown => {
                tracing::warn!(%id, %reference, status = word, code, "a move of our own");
            }
            OrderStatus::Sent | OrderStatus::Accepted | OrderStatus::Paid | OrderStatus::ByHand => {
                tracing::info!(%id, %reference, status = word, "a move of our own");
            }
        }
        Ok(())
    }

    fn amount(&self, wanted: &Wanted) -> Option<Money> {
        let code: CurrencyCode = wanted.currency.parse().ok()?;
        let currency: Currency = self.ledger.status().borrow().book.currency(code)?;
        let mut amount = wanted.amount;
        amount.rescale(u32::from(currency.scale));
        Money::from_decimal(amount, currency).ok()
    }
}

/// The quickest rail that takes the amount and works now.
fn rail(contract: &Contract, amount: Money, now: Timestamp) -> Option<&RailTerms> {
    let works = |terms: &&RailTerms| {
        let hours = terms.hours;
        let open = hours.is_none_or(|it| it.next_open(now, contract.time_zone) == Some(now));
        open && terms.takes(amount)
    };
    contract.rails.iter().filter(works).min_by_key(|terms| terms.final_within)
}

/// Hands it in; again, with the same reference, while the bank says that it was too fast and passed
/// nothing on.
async fn submit(bank: &dyn Bank, submission: &Submission) -> Result<Transfer, CallError> {
    let mut times = 0;
    loop {
        match bank.submit(submission).await {
            Err(CallError::TooFast { retry_after }) if times < TOO_FAST_TIMES => {
                times += 1;
                time::sleep(retry_after.min(TOO_FAST_MAX)).await;
            }
            answer => return answer,
        }
    }
}

/// What a bank's transfer says of an order of `sent`.
fn made(transfer: &Transfer, sent: Money, contract: &Contract) -> (OrderStatus, Option<String>) {
    let unknown = |code: &str| (OrderStatus::Unknown, Some(code.to_owned()));
    match verdict(transfer, sent, contract) {
        Verdict::Open => (OrderStatus::Accepted, None),
        Verdict::Returned { .. } => unknown("returned"),
        Verdict::Decided { outcome, code } => match outcome {
            AttemptOutcome::Paid { amount, .. } if amount == sent => (OrderStatus::Paid, None),
            AttemptOutcome::Paid { .. } | AttemptOutcome::PaidInPart { .. } => {
                unknown("amount_differs")
            }
            AttemptOutcome::RefusedFinal | AttemptOutcome::RefusedRetryable => {
                (OrderStatus::Refused, code.map(|code| code.to_string()))
            }
            AttemptOutcome::Unknown | AttemptOutcome::NeedsAttention => {
                (OrderStatus::Unknown, code.map(|code| code.to_string()))
            }
        },
    }
}

/// What follows from a call that brought no transfer.
fn without_answer(error: &CallError) -> (OrderStatus, Option<String>) {
    let (status, code) = match error {
        // Nothing was passed to the bank.
        CallError::NotUnderstood { code, .. } => (OrderStatus::Refused, code.as_str()),
        CallError::ReferenceReused => (OrderStatus::Unknown, "reference_reused"),
        CallError::TooFast { .. } => (OrderStatus::Unknown, "bank_too_fast"),
        CallError::Unknown(Doubt::TimedOut) => (OrderStatus::Unknown, "bank_timeout"),
        CallError::Unknown(Doubt::Connection) => (OrderStatus::Unknown, "bank_unreachable"),
        CallError::Unknown(_) => (OrderStatus::Unknown, "bank_answer_invalid"),
    };
    (status, Some(code.to_owned()))
}
