//! What became of a bank's word, as the ledger answered it.

use ledger_core::{
    command::{Outcome, Receipt, Rejection},
    deposit::{DepositError, DepositStatus},
    ids::DepositId,
};

use super::NotOurs;

/// What became of a bank's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handled {
    /// The ledger has it, from now on or from before.
    Noted {
        /// The deposit.
        deposit_id: DepositId,
        /// Where it is now.
        status: DepositStatus,
        /// Whether the bank asks for the money back: people have to decide.
        recall_requested: bool,
    },
    /// The bank does not know it now. No proof of anything: ask again later.
    NotKnown,
    /// It cannot be a deposit: people have to look.
    NotOurs(NotOurs),
    /// The ledger refused it, and always will: people have to look.
    Refused(Rejection),
}

/// Whether there is no such deposit, or none that takes more. Both stay so for a credit that is not
/// in it, so that whoever tells of the same credit later ends at the same deposit.
pub(super) fn belongs_elsewhere(outcome: &Outcome) -> bool {
    let codes = [DepositError::NotFound.code(), DepositError::TooManyCredits.code()];
    matches!(outcome, Outcome::Rejected(rejection) if codes.contains(&rejection.code.as_str()))
}

pub(super) fn handled_of(deposit_id: DepositId, outcome: Outcome) -> Handled {
    match outcome {
        Outcome::Accepted(accepted) => match accepted.receipt {
            Receipt::Deposit { status, .. } => {
                Handled::Noted { deposit_id, status, recall_requested: false }
            }
            Receipt::Account { .. }
            | Receipt::Posted { .. }
            | Receipt::Hold { .. }
            | Receipt::Captured { .. }
            | Receipt::Withdrawal { .. }
            | Receipt::BankLine { .. }
            | Receipt::Transfer { .. }
            | Receipt::Payment { .. }
            | Receipt::Refund { .. }
            | Receipt::Settlement { .. }
            | Receipt::PaymentRequest { .. }
            | Receipt::Book { .. } => {
                let detail = "the ledger answered with a receipt of another kind";
                Handled::Refused(Rejection::new("internal", detail))
            }
        },
        Outcome::Rejected(rejection) => Handled::Refused(rejection),
    }
}
