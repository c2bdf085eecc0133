//! Applies what banks told by webhook: each delivery of the inbox once.
//!
//! A webhook is a claim. That a bank paid is believed, for it only takes money from what was set
//! aside for this very payment, and the statement will show it; for all else (a refusal, a return,
//! another sum) the webhook is a reason to ask the bank, and its answer counts. What is about a
//! reference that nobody knows is parked, and applied when the reference appears.
//!
//! Effects are once by the ledger, conclusions by the inbox, so any of it may be done again: after
//! a crash between the two, by another process, by hand.

mod owners;
mod parked;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream};
use ledger_core::{
    clock::Clock,
    engine::SubmitError,
    ids::BankCode,
    withdrawal::{AttemptOutcome, AttemptState, Source},
};
use projections::{KnownAttempt, ReadError, ReadModels};
use tokio::{sync::watch, time};

use owners::{Owners, Settled};
use parked::Parked;

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
        let mut state = State {
            mark: Mark::default(),
            parked: Parked::default(),
            parked_at: time::Instant::now(),
            owners: Owners::default(),
        };
        let mut said = String::new();
        loop {
            tokio::select! {
                () = time::sleep(LOOK_EVERY) => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            match self.round(&mut lane, &mut state, &stopping).await {
                Ok(()) => said.clear(),
                Err(error) => {
                    let error = projections::describe(&error);
                    if error != said {
                        tracing::warn!(error, "the inbox makes no progress; trying again");
                        said = error;
                    }
                }
            }
        }
        if let Err(error) = lane.leave().await {
            tracing::debug!(%error, "the lane ends by itself");
        }
    }

    async fn round(
        &self,
        lane: &mut Lane,
        state: &mut State,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        if !lane.hold().await? {
            return Ok(());
        }
        // Whatever becomes of one part: what cannot be done there keeps nothing else back.
        let mut done = self.settle_fresh(lane, state, stopping).await;
        if state.parked_at.elapsed() >= PARKED_EVERY {
            state.parked_at = time::Instant::now();
            let settled = &mut state.owners.settled;
            done = done.and(self.unpark(&mut state.parked, settled, stopping).await);
        }
        done.and(self.assign(&mut state.owners).await)
    }

    async fn settle_fresh(
        &self,
        lane: &mut Lane,
        state: &mut State,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        loop {
            let fresh = self.inbox.fresh(state.mark, DELIVERIES_MAX).await?;
            state.mark = fresh.mark;
            let full = u32::try_from(fresh.deliveries.len()) == Ok(DELIVERIES_MAX);
            let settled = &mut state.owners.settled;
            self.settle_all(fresh.deliveries, settled, stopping).await?;
            if !full || !lane.hold().await? || *stopping.borrow() {
                return Ok(());
            }
        }
    }

    async fn settle_all(
        &self,
        deliveries: Vec<Delivery>,
        settled: &mut Vec<Settled>,
        stopping: &watch::Receiver<bool>,
    ) -> Result<(), ApplyError> {
        let each = deliveries.into_iter().map(async |delivery| {
            let is_final = self.conclude(&delivery, stopping).await?;
            Ok(Some(Settled::of(&delivery)).filter(|_| is_final))
        });
        let mut each = stream::iter(each).buffer_unordered(SIDE_BY_SIDE);
        let mut first = Ok(());
        // All of them, whatever became of one: it must not stand in the others' way.
        while let Some(done) = each.next().await {
            match done {
                Ok(done) => settled.extend(done),
                Err(error) => first = first.and(Err(error)),
            }
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
        if self.conclude(&delivery, stopping).await? {
            self.assign(&mut Owners::one(Settled::of(&delivery))).await?;
        }
        Ok(())
    }

    /// Whether that is final.
    async fn conclude(
        &self,
        delivery: &Delivery,
        stopping: &watch::Receiver<bool>,
    ) -> Result<bool, ApplyError> {
        let conclusion = self.apply(delivery, stopping).await?;
        let outcome = match &conclusion {
            Conclusion::Applied(detail) => Outcome::Applied(detail),
            Conclusion::Ignored(detail) => Outcome::Ignored(detail),
            Conclusion::Parked { reference, detail } => {
                Outcome::Parked { reference: reference.as_deref(), detail }
            }
        };
        let (word, is_final) = match conclusion {
            Conclusion::Applied(_) => ("applied", true),
            Conclusion::Ignored(_) => ("ignored", true),
            Conclusion::Parked { .. } => ("parked", false),
        };
        metrics::counter!("bahi_inbox_concluded_total", "outcome" => word).increment(1);
        self.inbox.record(delivery.id, outcome).await?;
        Ok(is_final)
    }

    async fn apply(
        &self,
        delivery: &Delivery,
        stopping: &watch::Receiver<bool>,
    ) -> Result<Conclusion, ApplyError> {
        let for_people =
            |detail: &str| Conclusion::Parked { reference: None, detail: detail.into() };
        if delivery.is_unreadable {
            return Ok(for_people("its bytes are not what the intake sealed"));
        }
        let Some(body) = &delivery.body else {
            return Ok(Conclusion::Ignored("its bytes were erased".to_owned()));
        };
        let bank = delivery.bank.parse::<BankCode>().ok();
        let Some((sender, bank)) = bank.and_then(|bank| Some((self.senders.get(&bank)?, bank)))
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
        let Some(known) = known else {
            return sender.of_no_withdrawal(bank, &transfer.reference).await;
        };
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
            Answer::Known { .. } if differs(&claim, sent) => Conclusion::Parked {
                reference: None,
                detail: format!("{id}: the webhook's amount is not the bank's own"),
            },
            Answer::Known { known: Known::Nothing, .. } => waiting("the bank has not decided"),
            // A return is never inferred: it waits until the bank's own books have it.
            Answer::Known { verdict, .. } if !says_as_much(&verdict, &claim) => {
                waiting("the bank does not confirm that it came back")
            }
            Answer::Known { known: done, .. } => concluded(&known, done, "by enquiry"),
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
}

/// What a worker remembers between its rounds.
struct State {
    mark: Mark,
    parked: Parked,
    parked_at: time::Instant,
    owners: Owners,
}

/// Whether it says that exactly what was sent was paid.
fn is_payment_of(claim: &Verdict, sent: ledger_core::money::Money) -> bool {
    matches!(
        claim,
        Verdict::Decided { outcome: AttemptOutcome::Paid { amount, .. }, .. } if *amount == sent
    )
}

/// Whether what a bank answered covers what its webhook claimed, where that is of money that came
/// back. Anything else that it claims, its own answer takes the place of.
fn says_as_much(answered: &Verdict, claim: &Verdict) -> bool {
    !matches!(claim, Verdict::Returned { .. }) || answered == claim
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
