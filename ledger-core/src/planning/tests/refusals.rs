//! Every code that planning itself refuses with.

use super::*;

/// Currencies, scales and openings.
fn of_amounts() -> Vec<(Operation, &'static str)> {
    let usd = Money::parse("1", currency("USD")).unwrap();
    let odd = Currency { scale: 3, ..currency("INR") };
    let jpy = Money::parse("1", currency("JPY")).unwrap();
    let place = |amount: Money| PlaceHold {
        hold_id: hold(2),
        account: account("wallet:a:INR"),
        amount,
        expires_at: None,
    };
    let unknown =
        OpenAccount { account: account("wallet:a:USD"), currency: currency("USD"), ..opening() };
    let other = OpenAccount { currency: currency("JPY"), ..opening() };
    let limited = |floor: &str| OpenAccount { floor: Some(dec(floor)), ..opening() };
    let limit = |ceiling: &str| ChangeLimits {
        account: account("wallet:a:INR"),
        floor: None,
        ceiling: Some(dec(ceiling)),
    };
    let lien = |mode, amount| {
        let (account, reference) = (account("wallet:a:INR"), "order".parse().unwrap());
        Operation::Freeze(FreezeAccount { account, reference, mode, amount })
    };
    vec![
        (Operation::OpenAccount(unknown), "currency_unknown"),
        (Operation::OpenAccount(other), "currency_mismatch"),
        (Operation::OpenAccount(limited("0")), "amount_scale"),
        (Operation::OpenAccount(limited("-0.001")), "amount_scale"),
        (Operation::ChangeLimits(limit("5.001")), "amount_scale"),
        (Operation::ChangeLimits(limit("9999999999999999999999999.00")), "amount_overflow"),
        (Operation::Post(vec![transfer(1, usd)]), "currency_unknown"),
        (Operation::Post(vec![transfer(1, Money::parse("1", odd).unwrap())]), "currency_unknown"),
        (Operation::PlaceHold(place(usd)), "currency_unknown"),
        (Operation::PlaceHold(place(jpy)), "currency_mismatch"),
        (Operation::PlaceHold(place(inr("0"))), "amount_not_positive"),
        (Operation::IncreaseHold(IncreaseHold { hold_id: hold(1), by: jpy }), "currency_mismatch"),
        (lien(FreezeMode::Lien, None), "lien_amount"),
        (lien(FreezeMode::Both, Some(inr("1"))), "lien_amount"),
        (lien(FreezeMode::Lien, Some(inr("0"))), "amount_not_positive"),
    ]
}

/// Transactions, captures and reversals.
fn of_transactions() -> Vec<(Operation, &'static str)> {
    let five = || transfer(1, inr("5"));
    let noted = |note: &str| Posting { note: Some(note.to_owned()), ..five() };
    let capture = |capture| Operation::CaptureHold(capture);
    let two = vec![to("wallet:b:INR", Some(inr("4"))), to("wallet:c:INR", None)];
    let whole = || vec![to("wallet:b:INR", None)];
    let unknown = CaptureHold { hold_id: hold(9), ..capturing(None, whole()) };
    let by_object =
        |cause: &str| Reverse { original_cause: Some(cause.parse().unwrap()), ..reversing() };
    let of_reversal = Reverse { original_kind: "reversal".parse().unwrap(), ..reversing() };
    let noted_capture =
        CaptureHold { note: Some("\u{1b}[31m".to_owned()), ..capturing(None, whole()) };
    let noted_reversal = Reverse { note: Some("a\0".to_owned()), ..reversing() };
    vec![
        (Operation::Post(vec![]), "transaction_count"),
        (Operation::Post(vec![five(); TRANSACTIONS_MAX + 1]), "transaction_count"),
        (Operation::Post(vec![Posting { legs: vec![], ..five() }]), "too_few_legs"),
        (Operation::Post(vec![noted("a\0b")]), "note_invalid"),
        (Operation::Post(vec![noted(&"é".repeat(201))]), "note_invalid"),
        (capture(noted_capture), "note_invalid"),
        (Operation::Reverse(noted_reversal), "note_invalid"),
        (capture(unknown), "hold_not_found"),
        (Operation::ReleaseHold { hold_id: hold(9) }, "hold_not_found"),
        (Operation::ExpireHold { hold_id: hold(9) }, "hold_not_found"),
        (
            Operation::IncreaseHold(IncreaseHold { hold_id: hold(9), by: inr("1") }),
            "hold_not_found",
        ),
        (capture(capturing(None, two)), "amount_required"),
        (capture(capturing(None, vec![])), "too_few_legs"),
        (capture(capturing(None, vec![to("wallet:a:INR", None)])), "same_account"),
        (capture(capturing(Some(inr("0")), whole())), "amount_not_positive"),
        (capture(capturing(None, vec![to("wallet:b:INR", Some(inr("9")))])), "unbalanced"),
        (Operation::Reverse(by_object("wd_1")), "not_reversible"),
        (Operation::Reverse(by_object("txn_1")), "not_reversible"),
        (Operation::Reverse(of_reversal), "not_reversible"),
    ]
}

#[test]
fn every_code_of_planning_happens() {
    let rows = [of_amounts(), of_transactions()].concat();
    let mut seen = Vec::new();
    for (operation, code) in rows {
        let rejection = planned(operation.clone()).expect_err(code);
        assert_eq!(rejection.code, code, "{operation:?}");
        seen.push(code);
    }
    seen.sort_unstable();
    seen.dedup();
    let all = [
        "amount_not_positive",
        "amount_overflow",
        "amount_required",
        "amount_scale",
        "currency_mismatch",
        "currency_unknown",
        "hold_not_found",
        "lien_amount",
        "not_reversible",
        "note_invalid",
        "same_account",
        "too_few_legs",
        "transaction_count",
        "unbalanced",
    ];
    assert_eq!(seen, all);
}

#[test]
fn a_refused_transaction_of_several_is_named() {
    let several = vec![transfer(1, inr("5")), Posting { legs: vec![], ..transfer(2, inr("5")) }];
    assert_eq!(planned(Operation::Post(several)).unwrap_err().transaction, Some(1));
    let alone = vec![Posting { legs: vec![], ..transfer(2, inr("5")) }];
    assert_eq!(planned(Operation::Post(alone)).unwrap_err().transaction, None);
}

#[test]
fn the_words_of_a_note_may_be_any_language() {
    let note = "नवंबर का किराया 🏠";
    let posting = Posting { note: Some(note.to_owned()), ..transfer(1, inr("5")) };
    let plan = planned(Operation::Post(vec![posting])).unwrap();
    assert_eq!(plan.notes, [(txn(1), note.to_owned())]);
}
