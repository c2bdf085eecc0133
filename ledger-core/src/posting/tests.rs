//! What is wrong with a transaction whatever its accounts say: every refusal, and their order.

use super::*;
use crate::testing::{account, assert_every_variant, currency, inr, txn};

fn leg(direction: Direction, code: &str, amount: &str) -> PostingLeg {
    let account = account(code);
    let amount = Money::parse(amount, currency(account.currency().unwrap().as_str())).unwrap();
    PostingLeg { account, direction, amount, item: None }
}

fn debit(code: &str, amount: &str) -> PostingLeg {
    leg(Direction::Debit, code, amount)
}

fn credit(code: &str, amount: &str) -> PostingLeg {
    leg(Direction::Credit, code, amount)
}

fn posting(legs: Vec<PostingLeg>) -> Posting {
    Posting {
        transaction_id: txn(1),
        kind: "transfer".parse().unwrap(),
        legs,
        effective_on: None,
        value_date: None,
        conditions: Vec::new(),
        note: None,
    }
}

fn pair() -> Vec<PostingLeg> {
    vec![debit("wallet:a:INR", "5"), credit("wallet:b:INR", "5")]
}

/// So many debits of 1 rupee against one credit of all.
fn wide(debits: usize) -> Vec<PostingLeg> {
    let mut legs: Vec<PostingLeg> =
        (0..debits).map(|n| debit(&format!("wallet:{n}:INR"), "1")).collect();
    legs.push(credit("wallet:all:INR", &debits.to_string()));
    legs
}

fn condition(code: &str) -> Condition {
    Condition { account: account(code), sequence: Some(1), minimum_balance: None }
}

fn refusals() -> Vec<(Posting, PostingError)> {
    let mut zero = pair();
    zero[1].amount = inr("0");
    let mut negative = pair();
    negative[0].amount = inr("0").checked_sub(inr("1")).unwrap();
    let mut other_currency = pair();
    other_currency[1].amount = Money::parse("5", currency("USD")).unwrap();
    let same = vec![debit("wallet:a:INR", "5"), credit("wallet:a:INR", "5")];
    let most = Decimal::MAX;
    let mut overflowing = vec![debit("wallet:a:JPY", "1"), debit("wallet:b:JPY", "1")];
    overflowing[0].amount = Money::from_decimal(most, currency("JPY")).unwrap();
    let off = vec![debit("wallet:a:INR", "5"), credit("wallet:b:INR", "4.99")];
    let unbalanced = PostingError::Unbalanced { debits: inr("5"), credits: inr("4.99") };
    let two_currencies = vec![debit("wallet:a:INR", "5"), credit("wallet:b:USD", "5")];
    let one_sided = PostingError::Unbalanced { debits: inr("5"), credits: inr("0") };
    let mut without_leg = posting(pair());
    without_leg.conditions = vec![condition("wallet:a:INR"), condition("wallet:c:INR")];
    let mut repeated = posting(pair());
    repeated.conditions = vec![condition("wallet:a:INR"), condition("wallet:a:INR")];
    let (a, c) = (account("wallet:a:INR"), account("wallet:c:INR"));
    vec![
        (posting(vec![]), PostingError::TooFewLegs),
        (posting(vec![debit("wallet:a:INR", "5")]), PostingError::TooFewLegs),
        (posting(wide(LEGS_MAX)), PostingError::TooManyLegs),
        (posting(zero), PostingError::AmountNotPositive { leg: 1 }),
        (posting(negative), PostingError::AmountNotPositive { leg: 0 }),
        (posting(other_currency), PostingError::CurrencyMismatch { leg: 1 }),
        (posting(same), PostingError::SameAccount { account: a.clone() }),
        (posting(overflowing), PostingError::Overflow),
        (posting(off), unbalanced),
        (posting(two_currencies), one_sided),
        (without_leg, PostingError::ConditionWithoutLeg { account: c }),
        (repeated, PostingError::ConditionRepeated { account: a }),
    ]
}

#[test]
fn every_refusal_happens() {
    let rows = refusals();
    for (posting, error) in &rows {
        assert_eq!(posting.check().as_ref(), Err(error));
    }
    let seen: Vec<PostingError> = rows.into_iter().map(|(_, error)| error).collect();
    assert_every_variant!(
        PostingError,
        seen,
        PostingError::TooFewLegs,
        PostingError::TooManyLegs,
        PostingError::AmountNotPositive { .. },
        PostingError::CurrencyMismatch { .. },
        PostingError::SameAccount { .. },
        PostingError::Overflow,
        PostingError::Unbalanced { .. },
        PostingError::ConditionWithoutLeg { .. },
        PostingError::ConditionRepeated { .. },
    );
    let mut codes: Vec<&str> = seen.iter().map(PostingError::code).collect();
    codes.dedup();
    let expected = [
        "too_few_legs",
        "too_many_legs",
        "amount_not_positive",
        "currency_mismatch",
        "same_account",
        "amount_overflow",
        "unbalanced",
        "condition_without_leg",
        "condition_repeated",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn what_balances_passes() {
    let mut several = pair();
    several.extend([debit("wallet:a:USD", "1"), credit("wallet:b:USD", "1")]);
    let mut conditional = posting(pair());
    conditional.conditions = vec![condition("wallet:a:INR"), condition("wallet:b:INR")];
    for posting in [
        posting(pair()),
        posting(several),
        conditional,
        // Case 160: up to the cap, and one account several times on one side.
        posting(wide(LEGS_MAX - 1)),
        posting(vec![
            debit("wallet:a:INR", "2"),
            debit("wallet:a:INR", "3"),
            credit("wallet:b:INR", "5"),
        ]),
    ] {
        assert_eq!(posting.check(), Ok(()));
    }
}

#[test]
fn case_14_an_account_stands_on_one_side_so_no_order_of_legs_can_dip() {
    // Net, wallet a gives 1; leg by leg it would give 5 first and get 4 back.
    let legs =
        vec![debit("wallet:a:INR", "5"), credit("wallet:b:INR", "1"), credit("wallet:a:INR", "4")];
    let refused = PostingError::SameAccount { account: account("wallet:a:INR") };
    for turn in 0..3 {
        let mut turned = legs.clone();
        turned.rotate_left(turn);
        assert_eq!(posting(turned).check(), Err(refused.clone()));
    }
}

#[test]
fn kinds_are_short_snake_case_codes() {
    for good in ["transfer", "fee_2", "a", &"k".repeat(32)] {
        assert_eq!(good.parse::<Kind>().unwrap().as_str(), good);
    }
    for bad in ["", "Transfer", "2nd", "_x", "a-b", "a b", "é", &"k".repeat(33)] {
        assert!(bad.parse::<Kind>().is_err(), "{bad:?}");
    }
}
