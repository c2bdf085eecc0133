//! Asking a bank what became of an attempt, within what it allows; then its statements; then
//! people.

use std::sync::Arc;

use chrono::{NaiveDate, TimeDelta};
use futures::future::BoxFuture;
use ledger_core::{
    clock::Timestamp,
    ids::{BankCode, Reference, WithdrawalId},
    money::Money,
    withdrawal::{AttemptOutcome, Source, WithdrawalStatus},
};
use projections::WithdrawalRow;
use tokio::sync::watch;

use super::{
    notes::Asked,
    pace,
    sending::{self, SendError, Sender, Sent},
    telling::{Known, Told},
    verdict::{self, Verdict},
};
use crate::{
    banks::{CallError, Contract},
    statements::Absence,
};

/// After how long an attempt whose sender said nothing counts as lost: longer than a call can take.
const LOST_AFTER: TimeDelta = TimeDelta::seconds(30);
/// After how long without any evidence people have to look.
const EVIDENCE_WITHIN: TimeDelta = TimeDelta::days(4);

/// Who has read the statements.
pub trait Statements: Send + Sync {
    /// What they say of an attempt that was sent on a day of the bank's.
    fn absence<'a>(
        &'a self,
        bank: &'a BankCode,
        reference: &'a Reference,
        sent_on: NaiveDate,
    ) -> BoxFuture<'a, sqlx::Result<Absence>>;
}

/// What came of a question to a bank.
#[derive(Debug)]
pub enum Answer {
    /// Somebody else has just asked, or the bank allows no more questions about it.
    NotAsked,
    /// The bank does not know the attempt *now*: no proof of anything.
    NotFound,
    /// It told.
    Known {
        /// What it said.
        verdict: Verdict,
        /// What the ledger made of it.
        known: Known,
    },
    /// It did not answer.
    Nothing(CallError),
}

impl Answer {
    /// That a bank answers a question says nothing of whether it takes money.
    const fn sent(&self, id: WithdrawalId) -> Sent {
        let position = match self {
            Self::NotAsked | Self::NotFound | Self::Nothing(_) => 0,
            Self::Known { known, .. } => known.position(),
        };
        Sent { id, position, answered: None }
    }
}

/// What is to be done about an attempt that has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// Say that its outcome is unknown, for this reason.
    Doubt(&'static str),
    /// Ask the bank.
    Ask,
    /// Look at the statements.
    Statements,
}

/// What is to be done about it now. Pure.
pub(super) fn step(row: &WithdrawalRow, asked: Asked, contract: &Contract, now: Timestamp) -> Step {
    let Some(begun_at) = row.begun_at else { return Step::Wait };
    let age = now.signed_duration_since(begun_at);
    let processing = row.status == WithdrawalStatus::Processing;
    if processing && !asked.answered && age > LOST_AFTER {
        return Step::Doubt("worker_lost");
    }
    match pace::enquiry_at(&contract.enquiry, begun_at, asked.questions) {
        Some(at) if at <= now => Step::Ask,
        Some(_) => Step::Wait,
        None => {
            let certain = contract.rail(&row.rail).map(|terms| pace::delta(terms.final_within));
            // Until then the bank may still pay, whatever its statements say.
            if certain.is_some_and(|certain| age <= certain) {
                return Step::Wait;
            }
            if processing { Step::Doubt("bank_no_answer") } else { Step::Statements }
        }
    }
}

impl Sender {
    /// Does what is to be done about it.
    pub(super) async fn follow_up(
        self,
        row: WithdrawalRow,
        amount: Money,
        (step, asked): (Step, Asked),
        (contract, statements): (Arc<Contract>, Arc<dyn Statements>),
        stopping: watch::Receiver<bool>,
    ) -> Sent {
        let id = row.id;
        let done = match step {
            Step::Wait => Ok(Sent { id, position: 0, answered: None }),
            Step::Doubt(code) => {
                let outcome = AttemptOutcome::Unknown;
                let verdict = Verdict::Decided { outcome, code: code.parse().ok() };
                self.tell(&row, Source::Submit, verdict, stopping).await
            }
            Step::Ask => {
                let attempt = row.attempts;
                let asked = self.ask((id, attempt), amount, asked, &contract, stopping).await;
                asked.map(|answer| answer.sent(id))
            }
            Step::Statements => self.look(&row, &contract, &*statements, stopping).await,
        };
        done.unwrap_or_else(|error| {
            let error = projections::describe(&error);
            tracing::warn!(withdrawal = %id, error, "not followed up; trying again");
            Sent { id, position: 0, answered: None }
        })
    }

    /// Asks the bank once what became of an attempt, and tells the ledger.
    ///
    /// # Errors
    /// [`SendError`]: it may be asked again.
    pub async fn ask(
        &self,
        (id, attempt): (WithdrawalId, u32),
        amount: Money,
        asked: Asked,
        contract: &Contract,
        mut stopping: watch::Receiver<bool>,
    ) -> Result<Answer, SendError> {
        let Some(reference) = sending::reference(id, attempt) else { return Ok(Answer::NotAsked) };
        if asked.questions >= contract.enquiry.at_most {
            return Ok(Answer::NotAsked);
        }
        let now = self.teller.clerk.clock.now();
        if !self.notes.ask(id, attempt, asked.questions, now).await? {
            return Ok(Answer::NotAsked);
        }
        let answer = self.bank.enquire(&reference).await;
        let word = match &answer {
            Ok(Some(_)) => "answered".to_owned(),
            Ok(None) => "not_found".to_owned(),
            Err(error) => error.to_string(),
        };
        self.notes.answer(id, attempt, asked.questions, &word).await?;
        match answer {
            Ok(Some(transfer)) => {
                let told = Told { id, attempt, source: Source::Enquiry };
                let verdict = verdict::verdict(&transfer, amount, contract);
                let known = self.teller.tell(told, verdict.clone(), &mut stopping).await?;
                Ok(Answer::Known { verdict, known })
            }
            Ok(None) => Ok(Answer::NotFound),
            Err(error) => Ok(Answer::Nothing(error)),
        }
    }

    async fn look(
        &self,
        row: &WithdrawalRow,
        contract: &Contract,
        statements: &dyn Statements,
        stopping: watch::Receiver<bool>,
    ) -> Result<Sent, SendError> {
        let nothing = Sent { id: row.id, position: 0, answered: None };
        let known = sending::reference(row.id, row.attempts).zip(row.begun_at);
        let Some((reference, begun_at)) = known else { return Ok(nothing) };
        let sent_on = begun_at.with_timezone(&contract.time_zone).date_naive();
        let verdict = match statements.absence(&row.bank, &reference, sent_on).await? {
            Absence::Proved => Verdict::Decided {
                outcome: AttemptOutcome::RefusedFinal,
                code: "absent_from_statements".parse().ok(),
            },
            // A line that is there is booked by whoever reads statements, and with it the outcome;
            // unless it is of a kind that proves nothing.
            Absence::Present | Absence::NotYet => {
                let now = self.teller.clerk.clock.now();
                if now.signed_duration_since(begun_at) < EVIDENCE_WITHIN {
                    return Ok(nothing);
                }
                verdict::people("no_evidence")
            }
        };
        self.tell(row, Source::Statement, verdict, stopping).await
    }

    async fn tell(
        &self,
        row: &WithdrawalRow,
        source: Source,
        verdict: Verdict,
        mut stopping: watch::Receiver<bool>,
    ) -> Result<Sent, SendError> {
        let told = Told { id: row.id, attempt: row.attempts, source };
        let known = self.teller.tell(told, verdict, &mut stopping).await?;
        Ok(Sent { id: row.id, position: known.position(), answered: None })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::banks::Doubt;

    #[test]
    fn case_107_an_answer_to_a_question_does_not_say_that_the_bank_takes_money() {
        let id = WithdrawalId::from_uuid(Uuid::from_u128(1));
        let recorded = Known::Recorded { position: 7, status: None };
        let paid = verdict::people("x");
        for (answer, position) in [
            (Answer::NotAsked, 0),
            (Answer::NotFound, 0),
            (Answer::Nothing(CallError::Unknown(Doubt::TimedOut)), 0),
            (Answer::Known { verdict: paid, known: recorded }, 7),
        ] {
            assert_eq!(answer.sent(id), Sent { id, position, answered: None });
        }
    }
}
