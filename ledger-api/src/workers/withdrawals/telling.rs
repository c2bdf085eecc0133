//! Telling the ledger what a bank said of an attempt.

use ledger_core::{
    command::Receipt,
    engine::SubmitError,
    ids::{Reference, WithdrawalId},
    log::Position,
    money::Money,
    withdrawal::{
        AttemptOutcome, RecordOutcome, RecordReturn, Source, WithdrawalOperation, WithdrawalStatus,
    },
};
use tokio::sync::watch;

use super::verdict::Verdict;
use crate::workers::clerk::{Clerk, Handed};

/// The ledger's code where another amount than was sent is said to be paid.
const PAID_AMOUNT_DIFFERS: &str = "paid_amount_differs";
/// Why people are to look then.
pub(crate) const AMOUNT_DIFFERS: &str = "amount_differs";

/// Tells it.
#[derive(Clone)]
pub struct Teller {
    /// Hands it in.
    pub clerk: Clerk,
}

/// Of which attempt something is told, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The withdrawal.
    pub id: WithdrawalId,
    /// The attempt.
    pub attempt: u32,
    /// Who says it.
    pub source: Source,
}

/// What the ledger made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Nothing follows from it yet.
    Nothing,
    /// The ledger knows it now, or knew it before.
    Recorded {
        /// The position that reflects it.
        position: Position,
        /// Where the withdrawal is now.
        status: Option<WithdrawalStatus>,
    },
    /// It contradicts what is known, by this code of the ledger: people have to look.
    Contradiction(String),
}

impl Known {
    /// The position that reflects it; zero if nothing was appended.
    pub const fn position(&self) -> Position {
        match self {
            Self::Recorded { position, .. } => *position,
            Self::Nothing | Self::Contradiction(_) => 0,
        }
    }
}

impl Teller {
    /// Tells what a verdict comes to, until the ledger has taken it.
    ///
    /// # Errors
    /// [`SubmitError`] if it is time to stop, or the ledger never will.
    pub async fn tell(
        &self,
        told: Told,
        verdict: Verdict,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<Known, SubmitError> {
        match verdict {
            Verdict::Open => Ok(Known::Nothing),
            Verdict::Decided { outcome, code } => self.outcome(told, outcome, code, stopping).await,
            Verdict::Returned { paid, amount, bank_reference } => {
                let known = self.outcome(told, paid, None, stopping).await?;
                if matches!(known, Known::Contradiction(_)) {
                    return Ok(known);
                }
                self.came_back(told, amount, bank_reference, stopping).await
            }
        }
    }

    /// Whether the attempt is being sent, as far as anybody knows: nobody has said what became of
    /// it, not even that it is unknown. Not if the ledger does not say.
    pub(super) async fn is_being_sent(&self, told: Told) -> bool {
        // It would be news that its outcome is unknown; after any other word it would not.
        let doubt = self.recording(told, AttemptOutcome::Unknown, None);
        self.clerk.would_be_news(doubt.into()).await.unwrap_or(false)
    }

    async fn outcome(
        &self,
        told: Told,
        outcome: AttemptOutcome,
        code: Option<Reference>,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<Known, SubmitError> {
        let operation = self.recording(told, outcome, code);
        let known = self.insist(told, operation, stopping).await?;
        if known != Known::Contradiction(PAID_AMOUNT_DIFFERS.to_owned()) {
            return Ok(known);
        }
        // To ask again would bring the same answer. It changes nothing if more is known by now.
        let people = AttemptOutcome::NeedsAttention;
        let operation = self.recording(told, people, AMOUNT_DIFFERS.parse().ok());
        self.insist(told, operation, stopping).await?;
        Ok(known)
    }

    fn recording(
        &self,
        told: Told,
        outcome: AttemptOutcome,
        code: Option<Reference>,
    ) -> WithdrawalOperation {
        WithdrawalOperation::RecordOutcome(RecordOutcome {
            withdrawal_id: told.id,
            attempt: told.attempt,
            outcome,
            source: told.source,
            code,
            transaction_id: self.clerk.transaction_id(),
        })
    }

    async fn came_back(
        &self,
        told: Told,
        amount: Money,
        bank_reference: Reference,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<Known, SubmitError> {
        let operation = WithdrawalOperation::RecordReturn(RecordReturn {
            withdrawal_id: told.id,
            attempt: told.attempt,
            bank_reference,
            amount,
            source: told.source,
            transaction_id: self.clerk.transaction_id(),
            applied_transaction_id: self.clerk.transaction_id(),
        });
        self.insist(told, operation, stopping).await
    }

    async fn insist(
        &self,
        told: Told,
        operation: WithdrawalOperation,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<Known, SubmitError> {
        match self.clerk.insist(&operation.into(), stopping).await? {
            Handed::Accepted { position, receipt } => {
                let is = if let Receipt::Withdrawal { status, .. } = receipt {
                    Some(status)
                } else {
                    None
                };
                Ok(Known::Recorded { position, status: is })
            }
            Handed::Rejected(code) => {
                metrics::counter!("bahi_bank_contradictions_total").increment(1);
                tracing::error!(
                    withdrawal = %told.id, attempt = told.attempt, code,
                    "a bank's word contradicts what is known: somebody has to look"
                );
                Ok(Known::Contradiction(code))
            }
        }
    }
}
