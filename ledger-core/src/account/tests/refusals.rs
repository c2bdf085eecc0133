//! Every refusal at least once, and which one comes first where several would hold.

use super::*;
use crate::testing::assert_every_variant;

type Row = (Vec<AccountEvent>, AccountCommand, AccountError);

fn insufficient(available: &str) -> AccountError {
    AccountError::InsufficientFunds { available: dec(available) }
}

fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// Refusals of what every command has in common: the account's life and who may move it.
fn of_its_life() -> Vec<Row> {
    let closed = || vec![opened(), AccountEvent::Closed {}];
    let unfreeze = || AccountCommand::Unfreeze { reference: reference("A") };
    let order = || AccountCommand::Freeze(freeze("A", FreezeMode::Both, None));
    let mut rows = vec![(vec![opened()], open_command(|_| {}), AccountError::Exists)];
    rows.push((closed(), open_command(|_| {}), AccountError::Exists));
    let every = [
        debit("1.00"),
        credit("1.00"),
        place("1.00"),
        end("1.00", HoldEnd::Released),
        limits(None, None),
        order(),
        unfreeze(),
        AccountCommand::Close,
    ];
    for command in every {
        rows.push((vec![], command.clone(), AccountError::NotFound));
        rows.push((closed(), command, AccountError::Closed));
    }
    let bank = || vec![opened_with(|o| o.class = PostingClass::Bank)];
    let open_only = Authority::of(&[PostingClass::Open]);
    let by_service =
        AccountCommand::Post(PostLeg { authority: open_only, ..post(Direction::Debit, "1.00") });
    let refused = AccountError::NotPermitted { class: PostingClass::Bank };
    rows.push((bank(), by_service, refused.clone()));
    let hold_by_service = AccountCommand::PlaceHold {
        hold_id: hold(1),
        amount: dec("1.00"),
        expires_at: None,
        authority: open_only,
    };
    rows.push((bank(), hold_by_service, refused));
    rows
}

/// Refusals of items, freezes and limits.
fn of_its_rules() -> Vec<Row> {
    let itemised = || vec![opened_with(|o| o.itemised = true)];
    let with_item =
        PostLeg { item: Some("dep_1".parse().unwrap()), ..post(Direction::Credit, "1.00") };
    let stopped = |mode| vec![opened(), credited("9.00", "9.00"), frozen("A", mode)];
    let by_a = AccountError::Frozen { reference: reference("A") };
    let many = (0..FREEZES_MAX).map(|n| frozen(&format!("r{n}"), FreezeMode::Credit));
    let order = AccountCommand::Freeze(freeze("A", FreezeMode::Both, None));
    vec![
        (itemised(), credit("1.00"), AccountError::ItemRequired),
        (itemised(), place("1.00"), AccountError::ItemRequired),
        (vec![opened()], AccountCommand::Post(with_item), AccountError::ItemNotAllowed),
        (stopped(FreezeMode::Debit), debit("1.00"), by_a.clone()),
        (stopped(FreezeMode::Debit), place("1.00"), by_a.clone()),
        (stopped(FreezeMode::Credit), credit("1.00"), by_a.clone()),
        (stopped(FreezeMode::Both), debit("1.00"), by_a.clone()),
        (stopped(FreezeMode::Both), credit("1.00"), by_a),
        (
            stopped(FreezeMode::Credit),
            order.clone(),
            AccountError::FreezeExists { reference: reference("A") },
        ),
        (
            vec![opened()],
            AccountCommand::Unfreeze { reference: reference("A") },
            AccountError::FreezeNotFound { reference: reference("A") },
        ),
        (std::iter::once(opened()).chain(many).collect(), order, AccountError::TooManyFreezes),
        (vec![opened()], limits(Some("2.00"), Some("1.00")), AccountError::FloorAboveCeiling),
        (
            vec![],
            open_command(|open| open.ceiling = Some(dec("-0.01"))),
            AccountError::FloorAboveCeiling,
        ),
    ]
}

/// Refusals of amounts and conditions.
fn of_its_balance() -> Vec<Row> {
    let ten = || vec![opened(), credited("10.00", "10.00")];
    let ten_and = |event| vec![opened(), credited("10.00", "10.00"), event];
    let most = "79228162514264337593543950335";
    let unlimited = || {
        opened_with(|o| {
            (o.floor, o.scale) = (None, 0);
        })
    };
    let conditional = |expected_sequence, minimum: Option<&str>| {
        let minimum_balance = minimum.map(dec);
        let post = post(Direction::Debit, "4.00");
        AccountCommand::Post(PostLeg { expected_sequence, minimum_balance, ..post })
    };
    let increase = AccountCommand::IncreaseHold {
        hold_id: hold(1),
        amount: dec("7.01"),
        authority: Authority::all(),
    };
    vec![
        (
            ten(),
            conditional(Some(1), None),
            AccountError::UnexpectedSequence { expected: 1, actual: 2 },
        ),
        (vec![unlimited(), credited(most, most)], credit("1"), AccountError::Overflow),
        (vec![unlimited(), held(most, "0", most)], place("1"), AccountError::Overflow),
        (vec![opened()], debit("0.01"), insufficient("0.00")),
        (ten(), debit("10.01"), insufficient("10.00")),
        (ten(), place("10.01"), insufficient("10.00")),
        (ten_and(held("3.00", "10.00", "3.00")), debit("7.01"), insufficient("7.00")),
        (ten_and(held("3.00", "10.00", "3.00")), increase, insufficient("7.00")),
        (ten_and(lien("A", "4.00")), debit("6.01"), insufficient("6.00")),
        (ten_and(lien("A", "40.00")), debit("0.01"), insufficient("0.00")),
        (ten_and(limits_changed(Some("12.00"), None)), debit("0.01"), insufficient("0.00")),
        (
            ten_and(limits_changed(None, Some("10.00"))),
            credit("0.01"),
            AccountError::CeilingExceeded { ceiling: dec("10.00") },
        ),
        (
            ten_and(super::limits::on_small()),
            AccountCommand::Post(super::limits::capped("9.99")),
            AccountError::LimitExceeded(Box::new(super::limits::nothing_left("9.99"))),
        ),
        (
            vec![opened_with(|o| o.class = PostingClass::Bank)],
            AccountCommand::SetTier { tier: None },
            AccountError::TierNotAllowed,
        ),
        (
            ten(),
            conditional(None, Some("6.01")),
            AccountError::BelowMinimum { balance: dec("6.00"), minimum: dec("6.01") },
        ),
        (ten(), AccountCommand::Close, AccountError::BalanceNotZero),
        (
            vec![opened_with(|o| o.floor = None), held("1.00", "0.00", "1.00")],
            AccountCommand::Close,
            AccountError::HoldsOpen,
        ),
        (
            vec![opened(), frozen("A", FreezeMode::Credit)],
            AccountCommand::Close,
            AccountError::FreezesOpen,
        ),
    ]
}

#[test]
fn every_refusal_happens() {
    let rows = [of_its_life(), of_its_rules(), of_its_balance()].concat();
    for (given, when, then) in &rows {
        let (given, when) = (given.clone(), when.clone());
        TestFramework::<Account>::with(()).given(given).when(when).then_expect_error(then.clone());
    }
    let seen: Vec<AccountError> = rows.into_iter().map(|(_, _, error)| error).collect();
    assert_every_variant!(
        AccountError,
        seen,
        AccountError::NotFound,
        AccountError::Exists,
        AccountError::Closed,
        AccountError::NotPermitted { .. },
        AccountError::ItemRequired,
        AccountError::ItemNotAllowed,
        AccountError::Frozen { .. },
        AccountError::FreezeExists { .. },
        AccountError::FreezeNotFound { .. },
        AccountError::TooManyFreezes,
        AccountError::FloorAboveCeiling,
        AccountError::TierNotAllowed,
        AccountError::UnexpectedSequence { .. },
        AccountError::Overflow,
        AccountError::InsufficientFunds { .. },
        AccountError::CeilingExceeded { .. },
        AccountError::LimitExceeded(_),
        AccountError::BelowMinimum { .. },
        AccountError::BalanceNotZero,
        AccountError::HoldsOpen,
        AccountError::FreezesOpen,
    );
}

#[test]
fn the_first_reason_in_order_of_precedence_is_given() {
    // Everything is wrong at once; each repair uncovers the next reason.
    let class = PostingClass::Bank;
    let first = opened_with(|o| {
        (o.class, o.itemised, o.ceiling) = (class, true, Some(dec("10.00")));
    });
    let mut given = vec![first, frozen("A", FreezeMode::Both)];
    let mut leg = PostLeg {
        authority: Authority::NONE,
        expected_sequence: Some(9),
        minimum_balance: Some(dec("10.00")),
        ..post(Direction::Debit, "1.00")
    };
    let expect = |given: &[AccountEvent], leg: &PostLeg, error: AccountError| {
        TestFramework::<Account>::with(())
            .given(given.to_vec())
            .when(AccountCommand::Post(leg.clone()))
            .then_expect_error(error);
    };
    expect(&given, &leg, AccountError::NotPermitted { class });
    leg.authority = Authority::of(&[class]);
    expect(&given, &leg, AccountError::ItemRequired);
    leg.item = Some("i".parse().unwrap());
    expect(&given, &leg, AccountError::Frozen { reference: reference("A") });
    given.pop();
    expect(&given, &leg, AccountError::UnexpectedSequence { expected: 9, actual: 1 });
    leg.expected_sequence = Some(1);
    expect(&given, &leg, insufficient("0.00"));
    leg.direction = Direction::Credit;
    expect(&given, &leg, AccountError::BelowMinimum { balance: dec("1.00"), minimum: dec("10") });
    leg.amount = dec("10.01");
    expect(&given, &leg, AccountError::CeilingExceeded { ceiling: dec("10.00") });
}

#[test]
fn codes_are_stable_and_available_is_told_where_it_is_the_reason() {
    assert_eq!(insufficient("3.00").available(), Some(dec("3.00")));
    assert_eq!(AccountError::Overflow.available(), None);
    let rows = [of_its_life(), of_its_rules(), of_its_balance()].concat();
    let codes: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.2.code()).collect();
    let expected = [
        "account_closed",
        "account_exists",
        "account_frozen",
        "account_not_found",
        "amount_overflow",
        "balance_limit_exceeded",
        "balance_not_zero",
        "floor_above_ceiling",
        "freeze_exists",
        "freeze_not_found",
        "freezes_open",
        "holds_open",
        "insufficient_funds",
        "item_not_allowed",
        "item_required",
        "limit_exceeded",
        "minimum_balance_not_met",
        "posting_not_permitted",
        "tier_not_allowed",
        "too_many_freezes",
        "unexpected_sequence",
    ];
    assert_eq!(codes.into_iter().collect::<Vec<_>>(), expected);
}
