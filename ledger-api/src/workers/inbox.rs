//! Applies what banks told by webhook: each delivery of the inbox once.
//!
//! A webhook is a claim. That a bank paid is believed, for it only takes money from what was set
//! aside for this very payment, and the statement will show it; for all else (a refusal, a return,
//! another sum) the webhook is a reason to ask the bank, and its answer counts. What is about a
//! reference that nobody knows is parked, and applied when the reference appears.
//!
//! Effects are once by the ledger, conclusions by the inbox, so any of it may be done again: after
//! a crash between the two, by another process, by hand.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use futures::{StreamExt, future::BoxFuture, stream};
use ledger_core::{
    clock::{Clock, Timestamp},
    engine::SubmitError,
    ids::{BankCode, Reference},
    withdrawal::{AttemptOutcome, AttemptState, Source},
};
use projections::{KnownAttempt, ReadError, ReadModels};
use tokio::{sync::watch, time};

use super::{
    lanes::Lane,
    withdrawals::{
        AMOUNT_DIFFERS, Answer, Known, SendError, Sender, Told, Verdict, money, verdict,
    },
};
use crate::{
    banks::{BankMessage, Transfer, TransferStatus, message},
    webhooks::{Delivery, Inbox, Mark, Outcome},
};

/// How often it looks for new deliveries, and for parked ones whose time has come.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const PARKED_EVERY: Duration = Duration::from_secs(2);
/// How many deliveries are taken at once, and applied side by side.
const DELIVERIES_MAX: u32 = 200;
const SIDE_BY_SIDE: usize = 16;
/// How long a delivery that could not be confirmed waits before the next try; twice as long after
/// each.
const CONFIRM_AFTER: TimeDelta = TimeDelta::seconds(5);
const CONFIRM_AFTER_MAX: TimeDelta = TimeDelta::seconds(3_600);

/// What a delivery comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conclusion {
    /// It had its effect.
    Applied(String),
    /// It told nothing new.
    Ignored(String),
    /// It waits: for its reference, or, without one, for people.
    Parked {
        /// What it waits for.
        reference: Option<String>,
        /// Why.
        detail: String,
    },
}

/// Who applies what banks tell of money that came in.
pub trait Credits: Send + Sync {
    /// What a message comes to.
    fn apply<'a>(
        &'a self,
        bank: &'a BankCode,
        message: &'a BankMessage,
    ) -> BoxFuture<'a, Result<Conclusion, ApplyError>>;
}

/// Why nothing was concluded. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The ledger took no commands.
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    /// The read models could not be asked.
    #[error("the read models could not be asked")]
    Read(#[from] ReadError),
    /// The database could not be asked.
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
}

impl From<SendError> for ApplyError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Submit(error) => Self::Submit(error),
            SendError::Database(error) => Self::Database(error),
        }
    }
}

/// Applies deliveries.
#[derive(Clone)]
pub struct Applier {
    /// The inbox.
    pub inbox: Inbox,
    /// Which attempt a reference means.
    pub read_models: ReadModels,
    /// The banks, with what asks each of them.
    pub senders: Arc<BTreeMap<BankCode, Sender>>,
    /// Money that came in.
    pub credits: Arc<dyn Credits>,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
}

impl Applier {
    /// Works until `stopping` turns true, while the lane is its own.
    pub async fn run(self, mut lane: Lane, mut stopping: watch::Receiver<bool>) {
        let mut mark = Mark::default();
        let mut parked_at = time::Instant::now();
        let mut said = String::new();
        loop {
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            let parked_due = parked_at.elapsed() >= PARKED_EVERY;
            match self.round(&mut lane, &mut mark, parked_due, &stopping).await {
                Ok(()) => said.clear(),
                Err(error) => {
                    let error = projections::describe(&error);
                    if error != said {
                        tracing::warn!(error, "the inbox makes no progress; trying again");
                        said = error;
                    }
                }
            }
            if parked_due {
                parked_at = time::Instant::now();
            }
        }
        if let Err(error) = lane.leave().await {
            tracing::debug!(%error, "the lane ends by itself");
        }
    }

    async fn round(
        &self,
        lane: &mut Lane,
        mark: &mut Mark,
        parked_due: bool,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        if !lane.hold().await? {
            return Ok(());
        }
        loop {
            let fresh = self.inbox.fresh(*mark, DELIVERIES_MAX).await?;
            *mark = fresh.mark;
            let full = u32::try_from(fresh.deliveries.len()) == Ok(DELIVERIES_MAX);
            self.settle_all(fresh.deliveries, stopping).await?;
            if !full || !lane.hold().await? || *stopping.borrow() {
                break;
            }
        }
        if parked_due { self.unpark(stopping).await } else { Ok(()) }
    }

    async fn settle_all(
        &self,
        deliveries: Vec<Delivery>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        let settled = deliveries.into_iter().map(|delivery| self.settle(delivery, stopping));
        let mut settled = stream::iter(settled).buffer_unordered(SIDE_BY_SIDE);
        let mut first = Ok(());
        // All of them, whatever became of one: it must not stand in the others' way.
        while let Some(done) = settled.next().await {
            first = first.and(done);
        }
        first
    }

    /// Applies a delivery and notes what it came to. Also for a delivery that was settled before:
    /// then its conclusion stays the first one.
    ///
    /// # Errors
    /// [`ApplyError`]: it may be applied again.
    pub async fn settle(
        &self,
        delivery: Delivery,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        let conclusion = self.apply(&delivery, stopping).await?;
        let outcome = match &conclusion {
            Conclusion::Applied(detail) => Outcome::Applied(detail),
            Conclusion::Ignored(detail) => Outcome::Ignored(detail),
            Conclusion::Parked { reference, detail } => {
                Outcome::Parked { reference: reference.as_deref(), detail }
            }
        };
        let word = match conclusion {
            Conclusion::Applied(_) => "applied",
            Conclusion::Ignored(_) => "ignored",
            Conclusion::Parked { .. } => "parked",
        };
        metrics::counter!("bahi_inbox_concluded_total", "outcome" => word).increment(1);
        self.inbox.record(delivery.id, outcome).await?;
        Ok(())
    }

    async fn apply(
        &self,
        delivery: &Delivery,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Conclusion, ApplyError> {
        let Some(body) = &delivery.body else {
            return Ok(Conclusion::Ignored("its bytes were erased".to_owned()));
        };
        let for_people =
            |detail: &str| Conclusion::Parked { reference: None, detail: detail.into() };
        let bank = delivery.bank.parse::<BankCode>().ok();
        let Some((bank, sender)) = bank
            .and_then(|bank| Some((self.senders.get(&bank)?, bank)))
            .map(|(sender, bank)| (bank, sender))
        else {
            return Ok(for_people("no address is configured for this bank"));
        };
        match message::parse(body) {
            Ok(BankMessage::Transfer(transfer)) => {
                self.transfer(&bank, sender, transfer, stopping).await
            }
            Ok(message @ (BankMessage::Credit(_) | BankMessage::CollectLinkDeclined(_))) => {
                self.credits.apply(&bank, &message).await
            }
            Ok(BankMessage::Other(_)) => Ok(Conclusion::Ignored("of no use to us".to_owned())),
            Err(error) => Ok(for_people(&error.to_string())),
        }
    }

    async fn transfer(
        &self,
        bank: &BankCode,
        sender: &Sender,
        transfer: Transfer,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Conclusion, ApplyError> {
        let waiting = |detail: &str| {
            let reference = Some(transfer.reference.as_str().to_owned());
            Conclusion::Parked { reference, detail: detail.to_owned() }
        };
        let known = self.read_models.attempt_of(bank, &transfer.reference).await?.value;
        let Some(known) = known else { return Ok(waiting("nobody knows the reference yet")) };
        let id = known.withdrawal.id;
        if transfer.status == TransferStatus::Accepted {
            return Ok(Conclusion::Ignored(format!("{id}: accepted, not decided")));
        }
        let Some(sent) = money(&sender.teller.clerk, &known.withdrawal) else {
            return Ok(waiting("its currency is not in the book yet"));
        };
        let Ok(contract) = sender.bank.contract().await else {
            return Ok(waiting("the bank's contract is not known yet"));
        };
        let claim = verdict(&transfer, sent, &contract);
        if self.is_known(&known, &claim).await? {
            return Ok(Conclusion::Ignored(format!("{id}: known already")));
        }
        let attempt = (id, known.attempt);
        // What was refused and given back is not taken from a wallet by a message alone.
        if is_payment_of(&claim, sent) && !self.was_refused(&known).await? {
            let told = Told { id, attempt: known.attempt, source: Source::Webhook };
            let done = sender.teller.tell(told, claim, &mut stopping.clone()).await?;
            return Ok(concluded(&known, done, "by webhook"));
        }
        // A claim that is not believed without a question.
        let asked = sender.notes.asked(&[attempt]).await?.get(&id).copied().unwrap_or_default();
        Ok(match sender.ask(attempt, sent, asked, &contract, stopping.clone()).await? {
            // The webhook spoke of another sum than the bank's books: people ask it why.
            Answer::Known(_) if differs(&claim, sent) => Conclusion::Parked {
                reference: None,
                detail: format!("{id}: the webhook's amount is not the bank's own"),
            },
            Answer::Known(Known::Nothing) => waiting("the bank has not decided"),
            Answer::Known(done) => concluded(&known, done, "by enquiry"),
            Answer::NotAsked | Answer::NotFound | Answer::Nothing(_) => {
                waiting("the bank did not confirm it yet")
            }
        })
    }

    /// Whether the attempt was refused: then its money may be on the wallet again.
    async fn was_refused(&self, known: &KnownAttempt) -> Result<bool, ReadError> {
        let history = self.read_models.withdrawal(known.withdrawal.id).await?.value;
        let attempt = history.as_ref().and_then(|it| it.withdrawal.attempt(known.attempt));
        Ok(attempt.is_some_and(|attempt| matches!(attempt.state, AttemptState::Refused { .. })))
    }

    /// Whether the withdrawal knows what is claimed, so that there is nothing to ask.
    async fn is_known(&self, known: &KnownAttempt, claim: &Verdict) -> Result<bool, ReadError> {
        let history = self.read_models.withdrawal(known.withdrawal.id).await?.value;
        let Some(history) = history else { return Ok(false) };
        let Some(attempt) = history.withdrawal.attempt(known.attempt) else { return Ok(false) };
        Ok(match (claim, &attempt.state) {
            (Verdict::Decided { outcome, .. }, AttemptState::Refused { retryable }) => {
                match outcome {
                    AttemptOutcome::RefusedRetryable => *retryable,
                    AttemptOutcome::RefusedFinal => !retryable,
                    AttemptOutcome::Paid { .. }
                    | AttemptOutcome::PaidInPart { .. }
                    | AttemptOutcome::Unknown
                    | AttemptOutcome::NeedsAttention => false,
                }
            }
            (Verdict::Returned { bank_reference, amount, .. }, _) => {
                attempt.returns.get(bank_reference) == Some(&amount.amount())
            }
            _ => false,
        })
    }

    /// Applies what was parked and can be now.
    async fn unpark(&self, stopping: &watch::Receiver<bool>) -> Result<(), ApplyError> {
        let waiting = self.inbox.waiting(DELIVERIES_MAX.saturating_mul(5)).await?;
        metrics::gauge!("bahi_inbox_parked")
            .set(f64::from(u32::try_from(waiting.len()).unwrap_or(u32::MAX)));
        let now = self.clock.now();
        let mut due = Vec::new();
        for parked in waiting {
            let bank = parked.bank.parse::<BankCode>();
            let reference = parked.reference.parse::<Reference>();
            let (Ok(bank), Ok(reference)) = (bank, reference) else { continue };
            if parked.at > now || next_try(parked.attempts, parked.at) > now {
                continue;
            }
            // What nobody knows costs a look and leaves no trace.
            let is_transfer =
                parked.event_type.as_deref().is_none_or(|t| t.starts_with("transfer."));
            let is_known = self.read_models.attempt_of(&bank, &reference).await?.value.is_some();
            if !is_transfer || is_known {
                due.extend(self.inbox.find(parked.delivery_id).await?);
            }
        }
        self.settle_all(due, stopping).await
    }
}

/// When a delivery that was parked so often, last then, is tried again.
fn next_try(attempts: i64, at: Timestamp) -> Timestamp {
    let doublings = u32::try_from(attempts.clamp(1, 20)).unwrap_or(20).saturating_sub(1);
    let factor = 1_i32.checked_shl(doublings).unwrap_or(i32::MAX);
    let pause = CONFIRM_AFTER.checked_mul(factor).unwrap_or(CONFIRM_AFTER_MAX);
    at.checked_add_signed(pause.min(CONFIRM_AFTER_MAX)).unwrap_or(Timestamp::MAX_UTC)
}

/// Whether it says that exactly what was sent was paid.
fn is_payment_of(claim: &Verdict, sent: ledger_core::money::Money) -> bool {
    matches!(
        claim,
        Verdict::Decided { outcome: AttemptOutcome::Paid { amount, .. }, .. } if *amount == sent
    )
}

/// Whether it says that something else than what was sent was paid.
fn differs(claim: &Verdict, sent: ledger_core::money::Money) -> bool {
    match claim {
        Verdict::Decided { outcome: AttemptOutcome::Paid { amount, .. }, .. } => *amount != sent,
        Verdict::Decided { outcome: AttemptOutcome::NeedsAttention, code } => {
            code.as_ref().is_some_and(|code| code.as_str() == AMOUNT_DIFFERS)
        }
        Verdict::Decided { .. } | Verdict::Open | Verdict::Returned { .. } => false,
    }
}

fn concluded(known: &KnownAttempt, done: Known, how: &str) -> Conclusion {
    let id = known.withdrawal.id;
    match done {
        Known::Recorded { .. } => Conclusion::Applied(format!("{id}, {how}")),
        Known::Nothing => Conclusion::Ignored(format!("{id}: nothing follows")),
        Known::Contradiction(code) => Conclusion::Parked {
            reference: None,
            detail: format!("{id}: contradicts what is known ({code})"),
        },
    }
}
