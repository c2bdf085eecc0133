//! What a bank's word about a transfer comes to for the attempt that it is about. Pure.
//!
//! Nothing is guessed: what the contract does not explain is for people, and a sum that is not the
//! one that was sent is told to the withdrawal as it is, which decides.

use ledger_core::{ids::Reference, money::Money, withdrawal::AttemptOutcome};

use crate::banks::{CallError, Contract, Doubt, Refusal, Transfer, TransferStatus};

/// What is to be said of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The bank has it and has not decided.
    Open,
    /// This became of it.
    Decided {
        /// What.
        outcome: AttemptOutcome,
        /// The bank's code, or ours, for why.
        code: Option<Reference>,
    },
    /// It was paid, and came back.
    Returned {
        /// The payment.
        paid: AttemptOutcome,
        /// How much came back.
        amount: Money,
        /// The bank's reference of what came back.
        bank_reference: Reference,
    },
}

/// What a bank's transfer says of an attempt that was to pay `sent`.
pub fn verdict(transfer: &Transfer, sent: Money, contract: &Contract) -> Verdict {
    let paid = |utr: &Reference| {
        let amount = in_our_scale(transfer.amount, sent)?;
        Some(AttemptOutcome::Paid { amount, bank_reference: utr.clone() })
    };
    let differs = || people("amount_differs");
    match &transfer.status {
        TransferStatus::Accepted => Verdict::Open,
        TransferStatus::Paid { utr, .. } => {
            paid(utr).map_or_else(differs, |outcome| Verdict::Decided { outcome, code: None })
        }
        TransferStatus::Refused { code } => {
            let outcome = match contract.refusal(code) {
                Some(Refusal::Final) => AttemptOutcome::RefusedFinal,
                Some(Refusal::Retryable) => AttemptOutcome::RefusedRetryable,
                // The contract does not say that this code proves anything.
                None => AttemptOutcome::NeedsAttention,
            };
            Verdict::Decided { outcome, code: Some(code.clone()) }
        }
        TransferStatus::Returned { utr, returned, .. } => {
            match paid(utr).zip(in_our_scale(returned.amount, sent)) {
                Some((paid, amount)) => {
                    let bank_reference = returned.utr.clone();
                    Verdict::Returned { paid, amount, bank_reference }
                }
                None => differs(),
            }
        }
    }
}

/// What follows from a submission that brought no transfer.
pub fn without_answer(error: &CallError) -> Verdict {
    let code = match error {
        // Nothing was passed to the bank, and nothing will be until somebody mends it. People find
        // out whether that is so before money goes back.
        CallError::NotUnderstood { code, .. } => {
            return Verdict::Decided {
                outcome: AttemptOutcome::NeedsAttention,
                code: Some(code.clone()),
            };
        }
        CallError::ReferenceReused => return people("reference_reused"),
        CallError::TooFast { .. } => "bank_too_fast",
        CallError::Unknown(Doubt::TimedOut) => "bank_timeout",
        CallError::Unknown(Doubt::Connection) => "bank_unreachable",
        CallError::Unknown(Doubt::Status(_)) => "bank_error",
        CallError::Unknown(_) => "bank_answer_invalid",
    };
    Verdict::Decided { outcome: AttemptOutcome::Unknown, code: code.parse().ok() }
}

/// For people, by a code of ours.
pub fn people(code: &str) -> Verdict {
    Verdict::Decided { outcome: AttemptOutcome::NeedsAttention, code: code.parse().ok() }
}

/// A bank's amount at the scale of the book; nothing if it is of another currency or does not fit.
fn in_our_scale(theirs: Money, ours: Money) -> Option<Money> {
    let same = theirs.currency().code == ours.currency().code;
    same.then(|| Money::from_decimal(theirs.amount().normalize(), ours.currency()).ok()).flatten()
}
