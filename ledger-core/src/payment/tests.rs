//! The payment alone: how it is split, by property; every refusal.

use proptest::prelude::*;

use super::*;
use crate::testing::{
    account, assert_every_variant, currency, day, dec, inr, payment, refund, settlement, terms, txn,
};

fn paying() -> PayMerchant {
    PayMerchant {
        payment_id: payment(1),
        payer: account("wallet:a:INR"),
        merchant: "tea".parse().unwrap(),
        amount: inr("1000"),
        terms: terms(),
        request: None,
        settles_on: day(),
        order: None,
        store: None,
        terminal: None,
    }
}

fn refunding(number: u128, amount: &str) -> PaymentOperation {
    PaymentOperation::Refund(RefundPayment {
        payment_id: payment(1),
        refund_id: refund(number),
        amount: inr(amount),
        reason: None,
        receivable_limit: Decimal::ZERO,
    })
}

fn disputing(amount: &str) -> PaymentOperation {
    PaymentOperation::OpenDispute(OpenDispute {
        payment_id: payment(1),
        amount: inr(amount),
        reason: None,
        transaction_id: txn(8),
    })
}

fn deciding(won_by: DisputeWinner) -> PaymentOperation {
    PaymentOperation::DecideDispute(DecideDispute {
        payment_id: payment(1),
        won_by,
        reason: None,
        transaction_id: txn(9),
    })
}

fn retrying(number: u128) -> PaymentOperation {
    PaymentOperation::RetryRefund(RetryRefund {
        payment_id: payment(1),
        refund_id: refund(number),
        receivable_limit: Decimal::ZERO,
    })
}

fn cancelling(number: u128) -> PaymentOperation {
    PaymentOperation::CancelRefund { payment_id: payment(1), refund_id: refund(number) }
}

fn settling(number: u128) -> PaymentCommand {
    PaymentCommand::Settle {
        settlement_id: settlement(number),
        merchant: "tea".parse().unwrap(),
        currency: currency("INR").code,
        day: day(),
        owed: Decimal::ZERO,
    }
}

/// The shop and the payer stand in no way; the shop can dispose of `available`.
fn standing(available: &str) -> PaymentStanding {
    PaymentStanding {
        shop_open: true,
        available: Some(dec(available)),
        ..PaymentStanding::default()
    }
}

fn with(operation: PaymentOperation, standing: PaymentStanding) -> PaymentCommand {
    PaymentCommand::Operation { operation, standing }
}

fn plain(operation: PaymentOperation) -> PaymentCommand {
    with(operation, standing("0.00"))
}

fn paid() -> PaymentCommand {
    plain(PaymentOperation::Pay(paying()))
}

fn state(commands: &[PaymentCommand]) -> Payment {
    let mut state = Payment::default();
    for command in commands {
        for event in state.decide(command).unwrap() {
            state.apply(event);
        }
    }
    state
}

fn refusal(commands: &[PaymentCommand]) -> PaymentError {
    let (last, before) = commands.split_last().unwrap();
    state(before).decide(last).unwrap_err()
}

fn names(commands: &[PaymentCommand]) -> Vec<&'static str> {
    let (last, before) = commands.split_last().unwrap();
    state(before).decide(last).unwrap().iter().map(PaymentEvent::name).collect()
}

#[test]
fn a_fee_of_twenty_is_income_of_16_95_and_tax_of_3_05() {
    let split = terms().split(dec("1000.00")).unwrap();
    let parts = [split.net, split.income, split.tax].map(|part| part.to_string());
    assert_eq!(parts, ["980.00", "16.95", "3.05"]);
    // Half a paisa is a paisa: of 0.25 two percent are half a one.
    assert_eq!(terms().split(dec("0.25")).unwrap().net, dec("0.24"));
    assert_eq!(terms().split(dec("0.24")).unwrap().net, dec("0.24"));
    assert!(Terms { fee_bps: 10_001, ..terms() }.split(dec("1.00")).is_none());
}

proptest! {
    /// The parts add up to the whole, none is below zero, and each is at the currency's scale.
    #[test]
    fn parts_add_up_to_the_whole(
        minor in 0..10_i128.pow(26),
        scale in 0..=8_u32,
        fee_bps in 0..=10_000_u16,
        tax_bps in 0..=10_000_u16,
    ) {
        let gross = Decimal::from_i128_with_scale(minor, scale);
        let split = Terms { version: 1, fee_bps, tax_bps }.split(gross).unwrap();
        let minors = [split.net, split.income, split.tax].map(|part| {
            assert_eq!(part.scale(), scale);
            part.mantissa()
        });
        prop_assert!(minors.iter().all(|part| *part >= 0));
        prop_assert_eq!(minors.iter().sum::<i128>(), minor);
        // The fee is within half a minor unit of what the rate says.
        let fee = minors[1].checked_add(minors[2]).unwrap().checked_mul(10_000).unwrap();
        let exact = minor.checked_mul(i128::from(fee_bps)).unwrap();
        prop_assert!(fee.abs_diff(exact) <= 5_000);
    }
}

#[test]
fn what_is_known_changes_nothing() {
    let known: [&[PaymentCommand]; 5] = [
        &[paid(), settling(1), settling(1)],
        &[paid(), plain(refunding(1, "10")), plain(refunding(1, "10"))],
        &[paid(), plain(refunding(1, "990")), plain(cancelling(1)), plain(cancelling(1))],
        &[paid(), plain(disputing("10")), plain(disputing("10"))],
        &[
            paid(),
            plain(disputing("10")),
            plain(deciding(DisputeWinner::Payer)),
            plain(deciding(DisputeWinner::Payer)),
        ],
    ];
    for commands in known {
        assert!(names(commands).is_empty(), "{commands:?}");
    }
    // A retry that finds no more than before, and one of what is done.
    assert!(names(&[paid(), plain(refunding(1, "990")), plain(retrying(1))]).is_empty());
    assert!(names(&[paid(), plain(refunding(1, "1")), plain(retrying(1))]).is_empty());
}

#[test]
fn a_refund_waits_fails_or_is_done() {
    let asked = "refund_requested";
    assert_eq!(names(&[paid(), plain(refunding(1, "980"))]), [asked, "refund_completed"]);
    assert_eq!(names(&[paid(), plain(refunding(1, "980.01"))]), [asked]);
    assert_eq!(
        names(&[paid(), plain(refunding(1, "1000")), with(retrying(1), standing("20.00"))]),
        ["refund_completed"]
    );
    let closed = PaymentStanding { payer_closed: true, ..standing("0.00") };
    assert_eq!(names(&[paid(), with(refunding(1, "1"), closed)]), [asked, "refund_failed"]);
    let frozen = PaymentStanding { payer_room: Some(Decimal::ZERO), ..standing("0.00") };
    assert_eq!(names(&[paid(), with(refunding(1, "1"), frozen)]), [asked]);
    let ended = PaymentStanding { shop_closed: true, ..standing("0.00") };
    assert_eq!(names(&[paid(), with(refunding(1, "1000"), ended)]), [asked], "nobody is lent it");
    // On credit, up to what is agreed.
    let owed = PaymentStanding { owed: dec("5.00"), ..standing("0.00") };
    let mut on_credit = refunding(1, "1000");
    for (limit, done) in [("24.99", false), ("25.00", true)] {
        if let PaymentOperation::Refund(refund) = &mut on_credit {
            refund.receivable_limit = dec(limit);
        }
        let names = names(&[paid(), with(on_credit.clone(), owed)]);
        assert_eq!(names.contains(&"refund_completed"), done, "{limit}");
    }
}

#[test]
fn what_is_left_is_settled_once() {
    let settled = |commands: &[PaymentCommand]| {
        let state = state(commands);
        (state.settled().unwrap().amount.to_string(), state.unsettled().to_string())
    };
    let zero = "0.00".to_owned();
    assert_eq!(settled(&[paid(), settling(1)]), ("980.00".to_owned(), zero.clone()));
    let part = plain(refunding(1, "100"));
    assert_eq!(settled(&[paid(), part.clone(), settling(1)]), ("880.00".to_owned(), zero.clone()));
    let all = with(refunding(1, "1000"), standing("20.00"));
    assert_eq!(settled(&[paid(), all, settling(1)]), (zero.clone(), zero));
    // After it a refund is out of what the shop can dispose of.
    let after = state(&[paid(), settling(1), with(refunding(1, "1000"), standing("1000.00"))]);
    assert_eq!(after.status(), Some(PaymentStatus::Refunded));
}

/// What leads to a refusal, and its code.
type Refusal = (Vec<PaymentCommand>, &'static str);

fn other(change: fn(&mut PayMerchant)) -> PaymentCommand {
    let mut asked = paying();
    change(&mut asked);
    plain(PaymentOperation::Pay(asked))
}

fn refused_payments() -> Vec<Refusal> {
    let late = other(|pay| pay.settles_on = pay.settles_on.succ_opt().unwrap());
    let blocked = with(PaymentOperation::Pay(paying()), PaymentStanding::default());
    vec![
        (vec![plain(refunding(1, "1"))], "payment_not_found"),
        (vec![settling(1)], "payment_not_found"),
        (vec![paid(), paid()], "payment_exists"),
        (vec![other(|pay| pay.terms.fee_bps = 10_001)], "terms_invalid"),
        (vec![blocked], "shop_blocked"),
        (
            vec![other(|pay| pay.merchant = "tee".parse().unwrap()), settling(1)],
            "payment_of_another",
        ),
        (vec![other(|pay| pay.payer = account("wallet:a:JPY")), settling(1)], "payment_of_another"),
        (vec![paid(), settling(1), settling(2)], "payment_settled"),
        (vec![late, settling(1)], "payment_not_due"),
    ]
}

fn refused_refunds() -> Vec<Refusal> {
    let many = (1..=101).map(|number| plain(refunding(number, "1")));
    vec![
        (vec![paid(), plain(refunding(1, "1")), plain(refunding(1, "2"))], "refund_exists"),
        (vec![paid(), plain(retrying(1))], "refund_not_found"),
        (vec![paid(), plain(refunding(1, "1")), plain(cancelling(1))], "refund_not_pending"),
        (std::iter::once(paid()).chain(many).collect(), "too_many_refunds"),
        // Refunds that wait count, and so does a dispute.
        (
            vec![paid(), plain(refunding(1, "990")), plain(refunding(2, "10.01"))],
            "refund_exceeds_payment",
        ),
        (
            vec![paid(), plain(disputing("990")), plain(refunding(2, "10.01"))],
            "refund_exceeds_payment",
        ),
    ]
}

fn refused_disputes() -> Vec<Refusal> {
    let won = plain(deciding(DisputeWinner::Payer));
    let lost = plain(deciding(DisputeWinner::Merchant));
    let opened = plain(disputing("1"));
    let full = PaymentStanding { payer_room: Some(dec("0.99")), ..standing("0.00") };
    vec![
        (vec![paid(), opened.clone(), won.clone(), opened.clone()], "dispute_exists"),
        (vec![paid(), won.clone()], "dispute_not_found"),
        (vec![paid(), opened, won, lost], "dispute_decided"),
        (vec![paid(), with(disputing("1"), full)], "payer_blocked"),
    ]
}

#[test]
fn every_refusal() {
    let mut seen = Vec::new();
    let all = refused_payments().into_iter().chain(refused_refunds()).chain(refused_disputes());
    for (commands, code) in all {
        let error = refusal(&commands);
        assert_eq!(error.code(), code);
        seen.push(error);
    }
    assert_every_variant!(
        PaymentError,
        seen,
        PaymentError::NotFound,
        PaymentError::Exists,
        PaymentError::TermsInvalid,
        PaymentError::ShopBlocked,
        PaymentError::AnotherMerchant,
        PaymentError::Settled,
        PaymentError::NotDue,
        PaymentError::RefundExists,
        PaymentError::RefundNotFound,
        PaymentError::RefundNotPending { .. },
        PaymentError::TooManyRefunds,
        PaymentError::ExceedsPayment { .. },
        PaymentError::DisputeExists,
        PaymentError::DisputeNotFound,
        PaymentError::DisputeDecided,
        PaymentError::PayerBlocked,
    );
}
