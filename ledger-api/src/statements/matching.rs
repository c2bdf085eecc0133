//! What a line is: by our own reference first, then by the reference between banks together with
//! the amount, then by the bank's words. Never by an amount alone. Pure.

use ledger_core::{
    bank_line::{LineDirection, Purpose},
    ids::{Item, WithdrawalId},
    withdrawal::AttemptState,
};
use rust_decimal::Decimal;

use super::{Rules, evidence::StoredLine};

/// The attempt that a line names, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) withdrawal_id: WithdrawalId,
    pub(super) attempt: u32,
    /// What the withdrawal is of.
    pub(super) amount: Decimal,
    pub(super) state: AttemptState,
    /// Whether an outcome is still sought for the withdrawal without people.
    pub(super) is_sought: bool,
    /// What of it is known to be paid in parts.
    pub(super) in_parts: Decimal,
    /// What other lines paid of it.
    pub(super) paid: Decimal,
    /// What other lines brought back of it.
    pub(super) returned: Decimal,
    /// What is known to have come back of it, by whoever said so.
    pub(super) told_back: Decimal,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// The payment of an attempt.
    Payment {
        withdrawal_id: WithdrawalId,
        attempt: u32,
        /// Whether it is the first proof of it.
        first_proof: bool,
    },
    /// A payment of a part of an attempt, of which the line is the first proof.
    Part { withdrawal_id: WithdrawalId, attempt: u32 },
    /// Money of an attempt that came back.
    Return {
        withdrawal_id: WithdrawalId,
        attempt: u32,
        /// Whether the line may be the first to tell of it.
        first_proof: bool,
    },
    /// One end of a move of our own that people have approved.
    Treasury(Item),
    /// What a bank got back because it asked for it: of a deposit's credit.
    Recall(Item),
    /// What the bank's words say.
    Words(Purpose),
    /// Nobody knows.
    Unknown,
}

/// What a line is, given the attempt that it names.
pub(super) fn decide(line: &StoredLine, named: Option<&Named>, rules: &Rules) -> Match {
    let Some(named) = named else {
        // With a reference of ours it is none of the bank's own.
        let words = line.reference.is_none().then_some(&line.narration);
        let purpose = words.and_then(|words| rules.purpose(words, line.key.direction));
        return purpose.map_or(Match::Unknown, Match::Words);
    };
    let (withdrawal_id, attempt) = (named.withdrawal_id, named.attempt);
    let is_paid = matches!(named.state, AttemptState::Paid { .. });
    match line.key.direction {
        LineDirection::Debit => debit(line, named),
        // What is not known as paid cannot come back: its payment is a line before this one.
        LineDirection::Credit if !is_paid => Match::Unknown,
        LineDirection::Credit if named.returned.saturating_add(line.amount) > named.amount => {
            Match::Unknown
        }
        LineDirection::Credit => {
            // Told again, it is known by the reference between banks. A line without one is the
            // return that was told of and that no line has shown yet, if there is such a one.
            let told = named.told_back.saturating_sub(named.returned) >= line.amount;
            let first_proof = line.utr.is_some() || !told;
            Match::Return { withdrawal_id, attempt, first_proof }
        }
    }
}

/// What a debit is that names an attempt. More than was sent, and a second line for what one line
/// has paid, prove nothing that could be booked by itself.
fn debit(line: &StoredLine, named: &Named) -> Match {
    let (withdrawal_id, attempt) = (named.withdrawal_id, named.attempt);
    let payment = |first_proof| Match::Payment { withdrawal_id, attempt, first_proof };
    let is_paid = matches!(named.state, AttemptState::Paid { .. });
    let due = named.amount.saturating_sub(named.in_parts);
    if line.amount <= named.in_parts.saturating_sub(named.paid) {
        // Of a part that is known, by this line or by whoever said that all of it was paid.
        return payment(false);
    }
    if named.in_parts.is_zero() && named.paid.is_zero() && line.amount == named.amount {
        return payment(!is_paid);
    }
    let in_sight = named.state == AttemptState::Open || !named.in_parts.is_zero();
    if !is_paid && in_sight && line.amount < named.amount && line.amount <= due {
        return Match::Part { withdrawal_id, attempt };
    }
    Match::Unknown
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use ledger_core::bank_line::{HouseAccount, LineKey};

    use super::*;

    fn line(direction: LineDirection, amount: &str, reference: Option<&str>) -> StoredLine {
        let day = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        StoredLine {
            number: 1,
            key: LineKey {
                bank: "hdfc".parse().unwrap(),
                account: HouseAccount::Escrow,
                direction,
                value_date: day,
                bank_transaction_id: "S1".parse().unwrap(),
            },
            booking_date: day,
            currency: "INR".parse().unwrap(),
            amount: amount.parse().unwrap(),
            utr: None,
            reference: reference.map(|reference| reference.parse().unwrap()),
            narration: "CHG".to_owned(),
        }
    }

    fn named(state: AttemptState) -> Named {
        Named {
            withdrawal_id: "wd_019a0000000070008000000000000041".parse().unwrap(),
            attempt: 1,
            amount: "500.00".parse().unwrap(),
            state,
            is_sought: true,
            in_parts: Decimal::ZERO,
            paid: Decimal::ZERO,
            returned: Decimal::ZERO,
            told_back: Decimal::ZERO,
        }
    }

    fn paid() -> Named {
        named(AttemptState::Paid { bank_reference: "U1".parse().unwrap() })
    }

    #[test]
    fn case_112_a_line_is_what_its_reference_says_and_nothing_by_its_amount() {
        use LineDirection::{Credit, Debit};
        let rules: Rules = "charges=CHG".parse().unwrap();
        let decide = |line: StoredLine, named: Option<&Named>| decide(&line, named, &rules);
        let debit = || line(Debit, "500.00", Some("BH1"));
        let payment = |first_proof| Match::Payment {
            withdrawal_id: paid().withdrawal_id,
            attempt: 1,
            first_proof,
        };
        assert_eq!(decide(debit(), Some(&paid())), payment(false));
        let open = named(AttemptState::Open);
        assert_eq!(decide(debit(), Some(&open)), payment(true));
        let refused = named(AttemptState::Refused { retryable: true });
        assert_eq!(decide(debit(), Some(&refused)), payment(true));
        assert_eq!(decide(debit(), None), Match::Unknown);
        assert_eq!(decide(line(Debit, "500.00", None), None), Match::Words(Purpose::Charges));
        let credit = line(Credit, "500.00", Some("BH1"));
        assert_eq!(decide(credit.clone(), Some(&open)), Match::Unknown);
        let back = |first_proof| Match::Return {
            withdrawal_id: paid().withdrawal_id,
            attempt: 1,
            first_proof,
        };
        assert_eq!(decide(credit.clone(), Some(&paid())), back(true));
        let told = Named { told_back: "500.00".parse().unwrap(), ..paid() };
        assert_eq!(decide(credit.clone(), Some(&told)), back(false));
        let with_utr = StoredLine { utr: "U2".parse().ok(), ..credit };
        assert_eq!(decide(with_utr, Some(&told)), back(true), "known by its reference");
    }

    #[test]
    fn case_111_other_amounts_and_second_lines_are_for_people() {
        use LineDirection::{Credit, Debit};
        let decide =
            |line: StoredLine, named: &Named| decide(&line, Some(named), &Rules::default());
        for amount in ["499.99", "500.01"] {
            assert_eq!(decide(line(Debit, amount, Some("BH1")), &paid()), Match::Unknown);
        }
        let twice = Named { paid: "500.00".parse().unwrap(), ..paid() };
        assert_eq!(decide(line(Debit, "500.00", Some("BH1")), &twice), Match::Unknown);
        let back = Named { returned: "0.01".parse().unwrap(), ..paid() };
        assert_eq!(decide(line(Credit, "500.00", Some("BH1")), &back), Match::Unknown);
    }

    #[test]
    fn case_110_a_part_is_proved_and_the_rest_by_another_line_or_by_nobody() {
        use LineDirection::Debit;
        let decide = |amount: &str, named: &Named| {
            decide(&line(Debit, amount, Some("BH1")), Some(named), &Rules::default())
        };
        let (withdrawal_id, attempt) = (paid().withdrawal_id, 1);
        let part = Match::Part { withdrawal_id, attempt };
        let known = Match::Payment { withdrawal_id, attempt, first_proof: false };
        let open = named(AttemptState::Open);
        assert_eq!(decide("485.00", &open), part);
        assert_eq!(
            decide("485.00", &named(AttemptState::Refused { retryable: false })),
            Match::Unknown
        );
        let proved = Named { in_parts: "485.00".parse().unwrap(), ..open };
        assert_eq!(decide("485.00", &proved), known, "told, and not shown by another line");
        let shown = Named { paid: "485.00".parse().unwrap(), ..proved };
        assert_eq!(decide("15.00", &shown), part);
        assert_eq!(decide("15.01", &shown), Match::Unknown);
        // Somebody said that the whole was paid: the line of the rest is known.
        let state = AttemptState::Paid { bank_reference: "U1".parse().unwrap() };
        let whole = Named { state, in_parts: "500.00".parse().unwrap(), ..shown };
        assert_eq!(decide("15.00", &whole), known);
        assert_eq!(decide("15.01", &whole), Match::Unknown);
    }
}
