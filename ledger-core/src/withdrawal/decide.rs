//! What a withdrawal says to what it is asked. Guards stand in order of precedence; what follows
//! them succeeds. No event at all means: that is known already.

use rust_decimal::Decimal;

use super::{
    ATTEMPTS_MAX, Applied, ApplyUnapplied, Attempt, AttemptBegun, AttemptOutcome, AttemptRefused,
    AttemptState, BeginAttempt, CancelWithdrawal, Completed, CompletedLate, DecideReview, FeeState,
    Funds, GivenBack, PaidInPart, Queued, RETURNS_MAX, RecordOutcome, RecordReturn,
    RequestWithdrawal, Requested, Returned, ReviewRequired, Source, Standing, Told, Withdrawal,
    WithdrawalCommand, WithdrawalError, WithdrawalEvent, WithdrawalOperation, WithdrawalStatus,
};
use crate::{
    ids::{Reference, TransactionId},
    money,
};

pub(super) type Decided = Result<Vec<WithdrawalEvent>, WithdrawalError>;

impl Withdrawal {
    /// What comes of a command. The planner asks as well, to know what moves.
    ///
    /// # Errors
    /// The first [`WithdrawalError`] in order of precedence.
    pub fn decide(&self, command: &WithdrawalCommand) -> Decided {
        let standing = command.standing;
        match &command.operation {
            WithdrawalOperation::Request(request) => self.request(request),
            WithdrawalOperation::Cancel(cancel) => self.cancel(cancel, standing),
            WithdrawalOperation::DecideReview(review) => self.decide_review(review, standing),
            WithdrawalOperation::BeginAttempt(begin) => self.begin_attempt(begin),
            WithdrawalOperation::RecordOutcome(told) => self.record_outcome(told, standing),
            WithdrawalOperation::RecordReturn(back) => self.record_return(back, standing),
            WithdrawalOperation::ApplyUnapplied(apply) => self.apply_unapplied(apply, standing),
            WithdrawalOperation::SendBack(back) => self.send_back(back),
            WithdrawalOperation::AssignUnapplied(assign) => self.assign_unapplied(assign, standing),
            WithdrawalOperation::SendAgain(again) => self.send_again(again),
        }
    }

    pub(super) fn known(&self) -> Result<(&Requested, WithdrawalStatus), WithdrawalError> {
        self.properties().zip(self.status()).ok_or(WithdrawalError::NotFound)
    }

    fn request(&self, request: &RequestWithdrawal) -> Decided {
        if self.properties().is_some() {
            return Err(WithdrawalError::Exists);
        }
        let (fee, tax) = (request.fee.amount(), request.tax.amount());
        let total = request.amount.checked_add(request.fee);
        if tax > fee || tax.scale() != fee.scale() || total.is_err() {
            return Err(WithdrawalError::FeeInvalid);
        }
        let next = match &request.review {
            Some(rule) => WithdrawalEvent::ReviewRequired(ReviewRequired { reason: rule.clone() }),
            None => WithdrawalEvent::Queued(Queued { transaction_id: None }),
        };
        let requested = Requested {
            account: request.account.clone(),
            amount: request.amount.amount(),
            fee,
            tax,
            fee_version: request.pricing.version(),
            bank_account: request.bank_account,
            bank: request.bank.clone(),
            rail: request.rail.clone(),
            payee_hash: request.payee_hash.clone(),
            item: None,
            transaction_id: request.transaction_id,
        };
        Ok(vec![WithdrawalEvent::Requested(requested), next])
    }

    fn cancel(&self, cancel: &CancelWithdrawal, standing: Standing) -> Decided {
        let (requested, status) = self.known()?;
        if status == WithdrawalStatus::Cancelled {
            return Ok(Vec::new());
        }
        if !status.is_cancellable() {
            return Err(WithdrawalError::NotCancellable { status });
        }
        let back = self.given_back(requested, cancel.transaction_id, None, standing);
        Ok(vec![WithdrawalEvent::Cancelled(back)])
    }

    fn decide_review(&self, review: &DecideReview, standing: Standing) -> Decided {
        let (requested, status) = self.known()?;
        if self.approved == Some(review.approve) {
            return Ok(Vec::new());
        }
        if status != WithdrawalStatus::PendingReview {
            return Err(WithdrawalError::NotInReview { status });
        }
        if review.approve {
            let queued = WithdrawalEvent::Queued(Queued { transaction_id: None });
            return Ok(vec![WithdrawalEvent::Approved {}, queued]);
        }
        let reason = review.reason.clone();
        let back = self.given_back(requested, review.transaction_id, reason, standing);
        Ok(vec![WithdrawalEvent::Rejected(back)])
    }

    /// The fence: of all who want to send, exactly one gets this accepted for an attempt.
    fn begin_attempt(&self, begin: &BeginAttempt) -> Decided {
        let (requested, status) = self.known()?;
        if status != WithdrawalStatus::Queued {
            return Err(WithdrawalError::NotQueued { status });
        }
        if begin.payee_hash != requested.payee_hash {
            return Err(WithdrawalError::PayeeMismatch);
        }
        let next = self.attempts.len().saturating_add(1);
        if next > ATTEMPTS_MAX {
            return Err(WithdrawalError::TooManyAttempts);
        }
        let expected = u32::try_from(next).unwrap_or(u32::MAX);
        if begin.attempt != expected {
            return Err(WithdrawalError::AttemptOutOfTurn { expected });
        }
        if self.attempts.iter().any(|earlier| earlier.reference == begin.reference) {
            return Err(WithdrawalError::ReferenceUsed);
        }
        Ok(vec![WithdrawalEvent::AttemptBegun(AttemptBegun {
            attempt: begin.attempt,
            reference: begin.reference.clone(),
            bank: begin.bank.clone(),
            rail: begin.rail.clone(),
            transaction_id: begin.transaction_id,
        })])
    }

    fn record_outcome(&self, told: &RecordOutcome, standing: Standing) -> Decided {
        let (requested, status) = self.known()?;
        let attempt = self.attempt(told.attempt).ok_or(WithdrawalError::AttemptNotFound)?;
        let state = &attempt.state;
        match &told.outcome {
            AttemptOutcome::Paid { amount, bank_reference } => {
                if amount.amount() != requested.amount {
                    let amount = requested.amount;
                    return Err(WithdrawalError::PaidAmountDiffers { amount });
                }
                self.paid(told, state, bank_reference, standing)
            }
            AttemptOutcome::PaidInPart { amount, bank_reference } => {
                self.paid_in_part(told, attempt, (amount.amount(), bank_reference), standing)
            }
            AttemptOutcome::RefusedRetryable => self.refused(told, state, true, standing),
            AttemptOutcome::RefusedFinal => self.refused(told, state, false, standing),
            AttemptOutcome::Unknown => Ok(match (state, status) {
                (AttemptState::Open, WithdrawalStatus::Processing) => {
                    vec![WithdrawalEvent::OutcomeUnknown(still_open(told))]
                }
                // More is known than this message knows.
                _ => Vec::new(),
            }),
            AttemptOutcome::NeedsAttention => Ok(match (state, status) {
                (
                    AttemptState::Open,
                    WithdrawalStatus::Processing | WithdrawalStatus::OutcomeUnknown,
                ) => vec![WithdrawalEvent::AttentionNeeded(still_open(told))],
                _ => Vec::new(),
            }),
        }
    }

    /// What is proved moves, and the rest waits for its own proof. What completes the amount is the
    /// payment of the whole.
    fn paid_in_part(
        &self,
        told: &RecordOutcome,
        attempt: &Attempt,
        (amount, bank_reference): (Decimal, &Reference),
        standing: Standing,
    ) -> Decided {
        let differs = || WithdrawalError::PaidAmountDiffers { amount: self.due(told.attempt) };
        match attempt.parts.get(bank_reference) {
            Some(known) if *known == amount => return Ok(Vec::new()),
            Some(_) => return Err(differs()),
            None => {}
        }
        if amount == self.due(told.attempt) {
            return self.paid(told, &attempt.state, bank_reference, standing);
        }
        let is_sought = attempt.state == AttemptState::Open && self.funds == Funds::InFlight;
        if !is_sought || amount > self.left() {
            return Err(differs());
        }
        Ok(vec![WithdrawalEvent::PaidInPart(PaidInPart {
            attempt: told.attempt,
            bank_reference: bank_reference.clone(),
            amount,
            source: told.source,
            transaction_id: told.transaction_id,
        })])
    }

    fn paid(
        &self,
        told: &RecordOutcome,
        state: &AttemptState,
        bank_reference: &Reference,
        standing: Standing,
    ) -> Decided {
        let refused = match state {
            AttemptState::Paid { bank_reference: known } if known == bank_reference => {
                return Ok(Vec::new());
            }
            AttemptState::Paid { .. } => return Err(WithdrawalError::BankReferenceDiffers),
            AttemptState::Refused { .. } => true,
            AttemptState::Open => false,
        };
        let (attempt, bank_reference) = (told.attempt, bank_reference.clone());
        let (source, transaction_id) = (told.source, told.transaction_id);
        let due = self.due(attempt);
        Ok(match self.funds {
            // Still set aside: for this attempt, or, where the bank contradicts itself, for the
            // next one.
            Funds::Reserved | Funds::InFlight if due == self.left() => {
                vec![WithdrawalEvent::Completed(Completed {
                    attempt,
                    bank_reference,
                    source,
                    late: refused,
                    transaction_id,
                })]
            }
            // Gone, or in part with another attempt: what is left of it, and the customer the rest.
            Funds::Untouched
            | Funds::Reserved
            | Funds::InFlight
            | Funds::Out
            | Funds::GivenBack => {
                let in_flight = self.funds == Funds::InFlight;
                let from_in_flight = if in_flight { self.left() } else { zero_like(due) };
                let rest = due.saturating_sub(from_in_flight);
                let from_unapplied = self.unapplied.min(rest);
                let rest = rest.saturating_sub(from_unapplied);
                let from_wallet = standing.spendable.map_or(rest, |most| most.min(rest));
                let owed = rest.saturating_sub(from_wallet);
                vec![WithdrawalEvent::CompletedLate(CompletedLate {
                    attempt,
                    bank_reference,
                    source,
                    from_in_flight,
                    from_unapplied,
                    from_wallet,
                    owed,
                    transaction_id,
                })]
            }
        })
    }

    fn refused(
        &self,
        told: &RecordOutcome,
        state: &AttemptState,
        retryable: bool,
        standing: Standing,
    ) -> Decided {
        match state {
            AttemptState::Refused { retryable: known } if *known == retryable => {
                return Ok(Vec::new());
            }
            AttemptState::Refused { .. } => return Err(WithdrawalError::RefusalDiffers),
            AttemptState::Paid { .. } => return Err(WithdrawalError::AttemptPaid),
            AttemptState::Open => {}
        }
        let (requested, _) = self.known()?;
        let (attempt, source, code) = (told.attempt, told.source, told.code.clone());
        let refused = AttemptRefused { attempt, retryable, source, code };
        let mut events = vec![WithdrawalEvent::AttemptRefused(refused)];
        // If an older attempt was paid meanwhile, the money has gone with that.
        if self.funds == Funds::InFlight {
            // What was paid in part is never sent again.
            events.push(if retryable && self.in_parts().is_zero() {
                WithdrawalEvent::Queued(Queued { transaction_id: Some(told.transaction_id) })
            } else {
                let reason = told.code.clone();
                let back = self.given_back(requested, told.transaction_id, reason, standing);
                WithdrawalEvent::Failed(back)
            });
        }
        Ok(events)
    }

    fn record_return(&self, back: &RecordReturn, standing: Standing) -> Decided {
        let (requested, _) = self.known()?;
        let attempt = self.attempt(back.attempt).ok_or(WithdrawalError::AttemptNotFound)?;
        let paid = attempt.paid(requested.amount);
        if paid.is_zero() {
            return Err(WithdrawalError::AttemptNotPaid);
        }
        let amount = back.amount.amount();
        match attempt.returns.get(&back.bank_reference) {
            Some(known) if *known == amount => return Ok(Vec::new()),
            Some(_) => return Err(WithdrawalError::ReturnDiffers),
            None => {}
        }
        // Lines often lack the reference between banks, so the bank's word may be of a return that
        // its line has told of. If it is of another one, the line of that one will tell.
        if back.source != Source::Statement && attempt.is_stated_back(amount) {
            return Ok(Vec::new());
        }
        let left = paid.saturating_sub(Attempt::returned(attempt));
        if amount > left {
            return Err(WithdrawalError::ReturnExceedsAmount { left });
        }
        if attempt.returns.len() >= RETURNS_MAX {
            return Err(WithdrawalError::TooManyReturns);
        }
        let returned = Returned {
            attempt: back.attempt,
            bank_reference: back.bank_reference.clone(),
            amount,
            source: back.source,
            transaction_id: back.transaction_id,
        };
        let mut after = self.clone();
        after.come_back(returned.clone());
        let applied = after.application(standing, back.applied_transaction_id);
        let returned = WithdrawalEvent::Returned(returned);
        Ok(std::iter::once(returned).chain(applied.map(WithdrawalEvent::Applied)).collect())
    }

    fn apply_unapplied(&self, apply: &ApplyUnapplied, standing: Standing) -> Decided {
        self.known()?;
        if self.unapplied.is_zero() {
            return Ok(Vec::new());
        }
        let applied = self.application(standing, apply.transaction_id);
        applied
            .map(|applied| vec![WithdrawalEvent::Applied(applied)])
            .ok_or(WithdrawalError::WalletBlocked)
    }

    /// All that waits for the wallet put there, the debt of this withdrawal first; nothing if the
    /// wallet cannot take it.
    fn application(&self, standing: Standing, transaction_id: TransactionId) -> Option<Applied> {
        let requested = self.properties()?;
        let amount = self.unapplied;
        let fee =
            if self.fee == FeeState::DueBack { requested.fee } else { zero_like(requested.fee) };
        let repaid = self.owed.min(standing.owed).min(amount);
        let to_wallet = money::add(amount, fee).ok()?.saturating_sub(repaid);
        let fits = to_wallet.is_zero() || standing.room.is_none_or(|room| to_wallet <= room);
        fits.then_some(Applied { amount, fee, repaid, transaction_id })
    }

    fn given_back(
        &self,
        requested: &Requested,
        transaction_id: TransactionId,
        reason: Option<Reference>,
        standing: Standing,
    ) -> GivenBack {
        // That the two can be added was checked when they were fixed.
        let total = self.left().saturating_add(requested.fee);
        let unapplied = standing.room.is_some_and(|room| total > room);
        GivenBack { total, unapplied, reason, transaction_id }
    }
}

fn still_open(told: &RecordOutcome) -> Told {
    Told { attempt: told.attempt, source: told.source, code: told.code.clone() }
}

fn zero_like(amount: Decimal) -> Decimal {
    Decimal::new(0, amount.scale())
}
