//! The withdrawal: money on its way out to a bank account.
//!
//! It knows where it is in its life, where its money is, and what is known of each attempt to send
//! it; nothing of accounts, of the clock or of banks. What happens to it moves money, and which
//! accounts each event moves stands in [`movement`]: both are one append, so nothing is ever half
//! done inside the ledger.
//!
//! The law: a next attempt, with a new reference, only after *proof* that the one before paid
//! nothing. While that is not known, nothing moves and only questions help. Each attempt has its
//! own truth, and banks contradict themselves: a payment of an attempt that was refused, or of an
//! older one, is never dropped. If the money is still set aside it is taken from there; if it was
//! given back, the customer owes it. What is known already changes nothing when it comes again.

mod command;
mod decide;
mod error;
mod event;
pub mod movement;
pub mod quote;
mod send_back;
mod state;

use std::sync::Arc;

use cqrs_es::{Aggregate, event_sink::EventSink};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use command::{
    ApplyUnapplied, AssignUnapplied, AttemptOutcome, BeginAttempt, CancelWithdrawal, DecideReview,
    PayeeStanding, RecordOutcome, RecordReturn, RequestWithdrawal, SendAgain, SendBack, Standing,
    WithdrawalCommand, WithdrawalOperation,
};
pub use error::WithdrawalError;
pub use event::{
    Applied, Assigned, AttemptBegun, AttemptRefused, Completed, CompletedLate, GivenBack,
    PaidInPart, Queued, Requested, Returned, ReviewRequired, SentAgain, Told, WithdrawalEvent,
};
pub use state::{Attempt, AttemptState, FeeState, Funds, Source, WithdrawalStatus};

use crate::{command::Receipt, ids::WithdrawalId};

/// The most attempts of one withdrawal.
pub const ATTEMPTS_MAX: usize = 100;
/// The most pieces in which one attempt comes back.
pub const RETURNS_MAX: usize = 100;

/// A withdrawal as its events made it. Cheap enough to clone: a decision is made on a clone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Withdrawal {
    requested: Option<Arc<Requested>>,
    status: Option<WithdrawalStatus>,
    funds: Funds,
    fee: FeeState,
    attempts: Vec<Attempt>,
    /// What a person decided, where one had to look.
    #[serde(default)]
    approved: Option<bool>,
    #[serde(default)]
    late: bool,
    /// What waits for the wallet.
    #[serde(default)]
    unapplied: Decimal,
    /// What the customer came to owe by late payments, less what was repaid by returns.
    #[serde(default)]
    owed: Decimal,
}

impl Withdrawal {
    /// The withdrawal that these events made.
    pub fn of(events: impl IntoIterator<Item = WithdrawalEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::after)
    }

    /// The withdrawal after one more event.
    pub fn after(mut self, event: WithdrawalEvent) -> Self {
        self.apply(event);
        self
    }

    /// Its fixed properties, once it was requested.
    pub fn properties(&self) -> Option<&Requested> {
        self.requested.as_deref()
    }

    /// Where it is in its life; nothing before it was requested.
    pub const fn status(&self) -> Option<WithdrawalStatus> {
        self.status
    }

    /// Where its amount is.
    pub const fn funds(&self) -> Funds {
        self.funds
    }

    /// What became of its fee.
    pub const fn fee_state(&self) -> FeeState {
        self.fee
    }

    /// Its attempts, the first first.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Whether a bank paid what it had refused, or an older attempt: somebody has to look at it.
    pub const fn is_late(&self) -> bool {
        self.late
    }

    /// What waits in `returns:unapplied` for the wallet to take it.
    pub const fn unapplied(&self) -> Decimal {
        self.unapplied
    }

    /// What the customer owes because of it.
    pub const fn owed(&self) -> Decimal {
        self.owed
    }

    /// What came back of all attempts.
    pub fn returned(&self) -> Decimal {
        let returned = self.attempts.iter().map(Attempt::returned);
        returned.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// What was paid in parts, of all attempts.
    pub fn in_parts(&self) -> Decimal {
        let parts = self.attempts.iter().map(Attempt::in_parts);
        parts.fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// What of the amount is still where [`Withdrawal::funds`] says: all, but for parts that were
    /// paid.
    pub fn left(&self) -> Decimal {
        let amount = self.requested.as_ref().map_or(Decimal::ZERO, |requested| requested.amount);
        amount.saturating_sub(self.in_parts())
    }

    /// What a payment of an attempt still moves: all, but for its parts that moved.
    pub fn due(&self, number: u32) -> Decimal {
        let amount = self.requested.as_ref().map_or(Decimal::ZERO, |requested| requested.amount);
        let parts = self.attempt(number).map(Attempt::in_parts);
        amount.saturating_sub(parts.unwrap_or_default())
    }

    /// An attempt by its number, from 1.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.attempts.get(index)
    }

    fn attempt_mut(&mut self, number: u32) -> Option<&mut Attempt> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.attempts.get_mut(index)
    }

    /// What is answered to whoever changed it.
    pub fn receipt(&self, withdrawal_id: WithdrawalId) -> Option<Receipt> {
        let requested = self.properties()?;
        Some(Receipt::Withdrawal {
            withdrawal_id,
            status: self.status?,
            account: requested.account.clone(),
            amount: requested.amount,
            fee: requested.fee,
            bank_account: requested.bank_account,
            bank: requested.bank.clone(),
            rail: requested.rail.clone(),
        })
    }

    fn give_back(&mut self, back: &GivenBack, status: WithdrawalStatus) {
        self.status = Some(status);
        self.funds = Funds::GivenBack;
        self.fee = FeeState::GivenBack;
        if back.unapplied {
            self.unapplied = self.unapplied.saturating_add(back.total);
        }
    }

    fn begin(&mut self, begun: AttemptBegun) {
        self.status = Some(WithdrawalStatus::Processing);
        self.funds = Funds::InFlight;
        self.attempts.push(Attempt {
            reference: begun.reference,
            bank: begun.bank,
            rail: begun.rail,
            state: AttemptState::Open,
            returns: std::collections::BTreeMap::new(),
            stated: std::collections::BTreeSet::new(),
            parts: std::collections::BTreeMap::new(),
        });
    }

    fn pay_in_part(&mut self, part: PaidInPart) {
        if let Some(attempt) = self.attempt_mut(part.attempt) {
            attempt.parts.insert(part.bank_reference, part.amount);
        }
        if self.status == Some(WithdrawalStatus::Processing) {
            self.status = Some(WithdrawalStatus::OutcomeUnknown);
        }
    }

    fn pay(&mut self, attempt: u32, bank_reference: crate::ids::Reference) {
        let rest = self.due(attempt);
        if let Some(attempt) = self.attempt_mut(attempt) {
            if !attempt.parts.is_empty() {
                let part = attempt.parts.entry(bank_reference.clone()).or_default();
                *part = part.saturating_add(rest);
            }
            attempt.state = AttemptState::Paid { bank_reference };
        }
    }

    fn complete(&mut self, completed: Completed) {
        self.pay(completed.attempt, completed.bank_reference);
        self.status = Some(WithdrawalStatus::Completed);
        self.funds = Funds::Out;
        self.fee = FeeState::Earned;
        self.late |= completed.late;
    }

    fn complete_late(&mut self, late: CompletedLate) {
        self.pay(late.attempt, late.bank_reference);
        if self.funds == Funds::GivenBack || !late.from_in_flight.is_zero() {
            self.status = Some(WithdrawalStatus::Completed);
            self.funds = Funds::Out;
        }
        if self.fee == FeeState::Held {
            self.fee = FeeState::Earned;
        }
        self.late = true;
        self.unapplied = self.unapplied.saturating_sub(late.from_unapplied);
        self.owed = self.owed.saturating_add(late.owed);
    }

    /// Money is back. If less than one whole payment stands, the payee did not get it: that is a
    /// failure of ours, and the fee is due back.
    fn come_back(&mut self, returned: Returned) {
        self.unapplied = self.unapplied.saturating_add(returned.amount);
        if let Some(attempt) = self.attempt_mut(returned.attempt) {
            if returned.source == Source::Statement {
                attempt.stated.insert(returned.bank_reference.clone());
            }
            attempt.returns.insert(returned.bank_reference, returned.amount);
        }
        let amount = self.requested.as_ref().map_or(Decimal::ZERO, |requested| requested.amount);
        let paid = self.attempts.iter().map(|attempt| attempt.paid(amount));
        let paid = paid.fold(Decimal::ZERO, Decimal::saturating_add);
        // While the rest of a payment in parts is in flight, its end is not known.
        if self.funds == Funds::InFlight {
            return;
        }
        if paid.saturating_sub(self.returned()) < amount {
            self.status = Some(WithdrawalStatus::Returned);
            if self.fee == FeeState::Earned {
                self.fee = FeeState::DueBack;
            }
        }
    }

    fn apply_returned(&mut self, applied: &Applied) {
        self.unapplied = self.unapplied.saturating_sub(applied.amount);
        self.owed = self.owed.saturating_sub(applied.repaid);
        if self.fee == FeeState::DueBack {
            self.fee = FeeState::GivenBack;
        }
    }
}

impl Aggregate for Withdrawal {
    const TYPE: &'static str = "withdrawal";
    type Command = WithdrawalCommand;
    type Event = WithdrawalEvent;
    type Error = WithdrawalError;
    type Services = ();

    async fn handle(
        &mut self,
        command: WithdrawalCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), WithdrawalError> {
        for event in self.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: WithdrawalEvent) {
        use WithdrawalStatus as Status;
        match event {
            WithdrawalEvent::Requested(requested) => {
                self.requested = Some(Arc::new(requested));
                self.funds = Funds::Reserved;
            }
            WithdrawalEvent::ReviewRequired(_) => self.status = Some(Status::PendingReview),
            WithdrawalEvent::Approved {} => self.approved = Some(true),
            WithdrawalEvent::Rejected(back) => {
                self.approved = Some(false);
                self.give_back(&back, Status::Rejected);
            }
            WithdrawalEvent::Queued(_) => {
                self.status = Some(Status::Queued);
                self.funds = Funds::Reserved;
            }
            WithdrawalEvent::Cancelled(back) => self.give_back(&back, Status::Cancelled),
            WithdrawalEvent::AttemptBegun(begun) => self.begin(begun),
            WithdrawalEvent::AttemptRefused(refused) => {
                if let Some(attempt) = self.attempt_mut(refused.attempt) {
                    attempt.state = AttemptState::Refused { retryable: refused.retryable };
                }
            }
            WithdrawalEvent::OutcomeUnknown(_) => self.status = Some(Status::OutcomeUnknown),
            WithdrawalEvent::AttentionNeeded(_) => self.status = Some(Status::NeedsAttention),
            WithdrawalEvent::Failed(back) => self.give_back(&back, Status::Failed),
            WithdrawalEvent::PaidInPart(part) => self.pay_in_part(part),
            WithdrawalEvent::Completed(completed) => self.complete(completed),
            WithdrawalEvent::CompletedLate(late) => self.complete_late(late),
            WithdrawalEvent::Returned(returned) => self.come_back(returned),
            WithdrawalEvent::Applied(applied) => self.apply_returned(&applied),
            WithdrawalEvent::Assigned(Assigned { amount, .. })
            | WithdrawalEvent::SentAgain(SentAgain { amount, .. }) => {
                self.unapplied = self.unapplied.saturating_sub(amount);
            }
        }
    }
}

#[cfg(test)]
mod tests;
