//! What a bank's word about a transfer comes to for the attempt that it is about. Pure.
//!
//! Nothing is guessed: what the contract does not explain is for people, and a sum that is not the
//! one that was sent is told to the withdrawal as it is, which decides.

use ledger_core::{ids::Reference, money::Money, withdrawal::AttemptOutcome};

use super::telling::AMOUNT_DIFFERS;
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
    let differs = || people(AMOUNT_DIFFERS);
    match &transfer.status {
        TransferStatus::Accepted => Verdict::Open,
        TransferStatus::Paid { utr, .. } => {
            paid(utr).map_or_else(differs, |outcome| Verdict::Decided { outcome, code: None })
        }
        // A refusal of something else proves nothing of this.
        TransferStatus::Refused { .. } if in_our_scale(transfer.amount, sent) != Some(sent) => {
            differs()
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
pub(super) fn without_answer(error: &CallError) -> Verdict {
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
pub(super) fn people(code: &str) -> Verdict {
    Verdict::Decided { outcome: AttemptOutcome::NeedsAttention, code: code.parse().ok() }
}

/// A bank's amount at the scale of the book; nothing if it is of another currency or does not fit.
fn in_our_scale(theirs: Money, ours: Money) -> Option<Money> {
    let currency = ours.currency();
    let mut amount = theirs.amount();
    amount.rescale(u32::from(currency.scale));
    let exact = theirs.currency().code == currency.code && amount == theirs.amount();
    exact.then(|| Money::from_decimal(amount, currency).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ledger_core::{clock::Timestamp, money::Currency};

    use super::*;
    use crate::banks::{Answers, EnquiryTerms, ReturnedCredit};

    fn money(amount: &str, code: &str, scale: u8) -> Money {
        Money::parse(amount, Currency { code: code.parse().unwrap(), scale }).unwrap()
    }

    fn inr(amount: &str) -> Money {
        money(amount, "INR", 2)
    }

    fn word(text: &str) -> Reference {
        text.parse().unwrap()
    }

    fn contract() -> Contract {
        Contract {
            bank: "hdfc".parse().unwrap(),
            name: "HDFC".to_owned(),
            currency: "INR".parse().unwrap(),
            time_zone: chrono_tz::Asia::Kolkata,
            reference_unique_for_days: 60,
            answers: Answers::Later,
            rate_per_second: 10,
            accounts: Vec::new(),
            rails: Vec::new(),
            enquiry: EnquiryTerms {
                first_after: Duration::from_secs(90),
                at_most: 3,
                within: Duration::from_secs(7_200),
            },
            final_codes: vec![word("account_closed")],
            retryable_codes: vec![word("beneficiary_bank_offline")],
        }
    }

    fn of(amount: Money, status: TransferStatus) -> Verdict {
        let transfer = Transfer {
            reference: word("BH1"),
            amount,
            rail: "imps".parse().unwrap(),
            from: "escrow".to_owned(),
            status,
            accepted_at: Timestamp::UNIX_EPOCH,
        };
        verdict(&transfer, inr("100.00"), &contract())
    }

    fn paid() -> TransferStatus {
        TransferStatus::Paid {
            utr: word("U1"),
            bank_transaction_id: word("S1"),
            settled_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn told(amount: &str) -> Verdict {
        let (amount, bank_reference) = (inr(amount), word("U1"));
        Verdict::Decided { outcome: AttemptOutcome::Paid { amount, bank_reference }, code: None }
    }

    #[test]
    fn case_111_a_payment_is_told_as_it_is_and_only_in_our_money() {
        assert_eq!(of(inr("100.00"), paid()), told("100.00"));
        assert_eq!(of(money("100", "INR", 0), paid()), told("100.00"));
        assert_eq!(of(money("100.000", "INR", 3), paid()), told("100.00"));
        // Less and more are told as they are; the withdrawal decides.
        assert_eq!(of(inr("97.00"), paid()), told("97.00"));
        for odd in [money("100.001", "INR", 3), money("100.00", "USD", 2)] {
            assert_eq!(of(odd, paid()), people("amount_differs"), "{odd:?}");
        }
    }

    #[test]
    fn a_refusal_proves_what_the_contract_says_it_proves() {
        let refused = |code: &str| {
            let status = TransferStatus::Refused { code: word(code) };
            let Verdict::Decided { outcome, code: Some(told) } = of(inr("100.00"), status) else {
                panic!("a refusal with a code")
            };
            assert_eq!(told.as_str(), code);
            outcome
        };
        assert_eq!(refused("account_closed"), AttemptOutcome::RefusedFinal);
        assert_eq!(refused("beneficiary_bank_offline"), AttemptOutcome::RefusedRetryable);
        assert_eq!(refused("never_heard_of"), AttemptOutcome::NeedsAttention);
        assert_eq!(of(inr("100.00"), TransferStatus::Accepted), Verdict::Open);
    }

    #[test]
    fn what_came_back_was_paid() {
        let returned = ReturnedCredit {
            utr: word("U2"),
            bank_transaction_id: word("S2"),
            amount: inr("99.00"),
            at: Timestamp::UNIX_EPOCH,
        };
        let status =
            TransferStatus::Returned { utr: word("U1"), bank_transaction_id: word("S1"), returned };
        let (amount, bank_reference) = (inr("99.00"), word("U2"));
        let paid = AttemptOutcome::Paid { amount: inr("100.00"), bank_reference: word("U1") };
        assert_eq!(of(inr("100.00"), status), Verdict::Returned { paid, amount, bank_reference });
    }

    #[test]
    fn case_106_silence_and_nonsense_are_unknown_and_a_misunderstanding_is_for_people() {
        let outcome = |error| match without_answer(&error) {
            Verdict::Decided { outcome, code: Some(code) } => (outcome, code.to_string()),
            other @ (Verdict::Open | Verdict::Decided { .. } | Verdict::Returned { .. }) => {
                panic!("{other:?}")
            }
        };
        for (doubt, code) in [
            (Doubt::TimedOut, "bank_timeout"),
            (Doubt::Connection, "bank_unreachable"),
            (Doubt::Status(503), "bank_error"),
            (Doubt::Redirect, "bank_answer_invalid"),
            (Doubt::TooLarge, "bank_answer_invalid"),
            (Doubt::ContentType, "bank_answer_invalid"),
            (Doubt::Mismatch("amount"), "bank_answer_invalid"),
        ] {
            let told = outcome(CallError::Unknown(doubt));
            assert_eq!(told, (AttemptOutcome::Unknown, code.to_owned()));
        }
        let error = CallError::NotUnderstood { status: 422, code: word("ifsc_malformed") };
        assert_eq!(outcome(error), (AttemptOutcome::NeedsAttention, "ifsc_malformed".to_owned()));
        let reused = outcome(CallError::ReferenceReused);
        assert_eq!(reused, (AttemptOutcome::NeedsAttention, "reference_reused".to_owned()));
    }
}
