//! What a line says of a withdrawal: which attempt it names, and what that comes to for it.

use ledger_core::{
    bank_line::LineDirection,
    chart::Authority,
    command::Receipt,
    ids::{Reference, WithdrawalId},
    withdrawal::{
        AttemptOutcome, AttemptState, RecordOutcome, RecordReturn, Source, WithdrawalOperation,
        WithdrawalStatus,
    },
};

use super::{
    BookError, Booker,
    evidence::{self, StoredLine},
    matching::{Match, Named},
};
use crate::workers::withdrawals::AMOUNT_DIFFERS;

impl Booker {
    /// Tells the withdrawal what the line proves; what the line is then.
    pub(super) async fn record(
        &self,
        line: &StoredLine,
        found: Match,
        named: Option<&Named>,
    ) -> Result<Match, BookError> {
        let taken = match found {
            Match::Payment { withdrawal_id, attempt, first_proof: true } => {
                self.record_paid(line, withdrawal_id, attempt).await?
            }
            Match::Return { withdrawal_id, attempt, first_proof: true } => {
                self.record_return(line, withdrawal_id, attempt).await?
            }
            Match::Part { withdrawal_id, attempt } => {
                self.record_part(line, withdrawal_id, attempt).await?
            }
            Match::Unknown => {
                self.other_amount(line, named).await?;
                true
            }
            Match::Payment { .. }
            | Match::Return { .. }
            | Match::Treasury(_)
            | Match::Recall(_)
            | Match::Words(_) => true,
        };
        Ok(if taken { found } else { Match::Unknown })
    }

    /// The attempt that a line names: by our reference, else by the bank's and the amount.
    pub(super) async fn named(&self, line: &StoredLine) -> Result<Option<Named>, BookError> {
        let bank = &line.key.bank;
        let found = match (&line.reference, &line.utr) {
            (Some(reference), _) => {
                let known = self.read_models.attempt_of(bank, reference).await?.value;
                known.map(|known| (known.withdrawal.id, Some(known.attempt)))
            }
            (None, Some(utr)) => {
                let paid = evidence::paid_under(&self.pool, bank, line.currency, utr).await?;
                paid.map(|id| (id, None))
            }
            (None, None) => None,
        };
        let Some((withdrawal_id, attempt)) = found else { return Ok(None) };
        let history = self.read_models.withdrawal(withdrawal_id).await?.value;
        let Some(withdrawal) = history.map(|history| history.withdrawal) else { return Ok(None) };
        let Some(requested) = withdrawal.properties() else { return Ok(None) };
        let of_utr = |state: &AttemptState| match state {
            AttemptState::Paid { bank_reference } => line.utr.as_ref() == Some(bank_reference),
            AttemptState::Open | AttemptState::Refused { .. } => false,
        };
        let numbered = (1_u32..).zip(withdrawal.attempts());
        let mut of_bank = numbered.filter(|(_, attempt)| attempt.bank == *bank);
        let attempt = of_bank.find(|(number, candidate)| match attempt {
            Some(attempt) => *number == attempt,
            None => of_utr(&candidate.state) && requested.amount == line.amount,
        });
        let Some((attempt, known)) = attempt else { return Ok(None) };
        let id = line.key.id();
        let booked = evidence::booked_of(&self.pool, withdrawal_id, attempt, id).await?;
        Ok(Some(Named {
            withdrawal_id,
            attempt,
            amount: requested.amount,
            state: known.state.clone(),
            is_sought: matches!(
                withdrawal.status(),
                Some(WithdrawalStatus::Processing | WithdrawalStatus::OutcomeUnknown)
            ),
            paid: booked.0,
            returned: booked.1,
            told_back: known.returned(),
            in_parts: known.in_parts(),
        }))
    }

    /// Says that an attempt was paid, of which the line is the first proof; whether it is so now.
    async fn record_paid(
        &self,
        line: &StoredLine,
        withdrawal_id: WithdrawalId,
        attempt: u32,
    ) -> Result<bool, BookError> {
        let outcome = AttemptOutcome::Paid {
            amount: self.money(line)?,
            bank_reference: bank_reference(line),
        };
        let told = self.tell(withdrawal_id, attempt, (outcome, None)).await?;
        // Somebody else said so meanwhile, and named the payment otherwise.
        Ok(told.is_ok() || told.is_err_and(|code| code == "bank_reference_differs"))
    }

    /// Says that a part of an attempt was paid; whether it is so now. Each line is a part of its
    /// own, whatever the bank calls the payment, so its own number names it.
    async fn record_part(
        &self,
        line: &StoredLine,
        withdrawal_id: WithdrawalId,
        attempt: u32,
    ) -> Result<bool, BookError> {
        let outcome = AttemptOutcome::PaidInPart {
            amount: self.money(line)?,
            bank_reference: line.key.bank_transaction_id.clone(),
        };
        Ok(self.tell(withdrawal_id, attempt, (outcome, None)).await?.is_ok())
    }

    /// A bank paid another amount of an attempt than was sent: people have to look, for no proof
    /// of what was sent will come.
    async fn other_amount(
        &self,
        line: &StoredLine,
        named: Option<&Named>,
    ) -> Result<(), BookError> {
        let open = named.filter(|named| {
            line.key.direction == LineDirection::Debit
                && named.is_sought
                && named.state == AttemptState::Open
                && named.amount != line.amount
        });
        let Some(named) = open else { return Ok(()) };
        let outcome = (AttemptOutcome::NeedsAttention, AMOUNT_DIFFERS.parse().ok());
        self.tell(named.withdrawal_id, named.attempt, outcome).await.map(drop)
    }

    /// Tells the withdrawal what its line says of an attempt, with a code where that explains it;
    /// what it made, or why it was refused.
    async fn tell(
        &self,
        withdrawal_id: WithdrawalId,
        attempt: u32,
        (outcome, code): (AttemptOutcome, Option<Reference>),
    ) -> Result<Result<Receipt, String>, BookError> {
        let (source, transaction_id) = (Source::Statement, self.transaction_id());
        let told = RecordOutcome { withdrawal_id, attempt, outcome, source, code, transaction_id };
        let operation = WithdrawalOperation::RecordOutcome(told).into();
        self.submit(operation, Authority::of_withdrawals()).await
    }

    async fn record_return(
        &self,
        line: &StoredLine,
        withdrawal_id: WithdrawalId,
        attempt: u32,
    ) -> Result<bool, BookError> {
        let back = RecordReturn {
            withdrawal_id,
            attempt,
            bank_reference: bank_reference(line),
            amount: self.money(line)?,
            source: Source::Statement,
            transaction_id: self.transaction_id(),
            applied_transaction_id: self.transaction_id(),
        };
        let authority = Authority::of_withdrawals();
        let operation = WithdrawalOperation::RecordReturn(back).into();
        Ok(self.submit(operation, authority).await?.is_ok())
    }
}

/// What the bank calls the payment, or the credit, between banks; else its own number.
fn bank_reference(line: &StoredLine) -> Reference {
    line.utr.clone().unwrap_or_else(|| line.key.bank_transaction_id.clone())
}
