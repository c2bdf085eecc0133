//! What is accepted, and the events it comes to.

use super::*;

#[test]
fn opening_states_all_properties() {
    let full = |o: &mut OpenAccount| {
        o.ceiling = Some(dec("9.00"));
        o.metadata = [("tier".to_owned(), "basic".to_owned())].into();
    };
    let opened = opened_with(|o| {
        o.ceiling = Some(dec("9.00"));
        o.metadata = [("tier".to_owned(), "basic".to_owned())].into();
    });
    expect(vec![], open_command(full), vec![opened]);
}

#[test]
fn a_decrease_may_take_the_last_paisa_and_an_increase_may_reach_the_ceiling() {
    let ten = vec![opened(), credited("10.00", "10.00")];
    expect(ten.clone(), debit("10.00"), vec![debited("10.00", "0.00")]);
    expect(ten, credit("0.01"), vec![credited("0.01", "10.01")]);
    let ceiling = vec![opened_with(|o| o.ceiling = Some(dec("10.00")))];
    expect(ceiling, credit("10.00"), vec![credited("10.00", "10.00")]);
}

#[test]
fn the_normal_side_decides_what_is_a_decrease() {
    for (account_type, side) in [
        (AccountType::Asset, Direction::Debit),
        (AccountType::Expense, Direction::Debit),
        (AccountType::Liability, Direction::Credit),
        (AccountType::Income, Direction::Credit),
        (AccountType::Equity, Direction::Credit),
    ] {
        let given = vec![opened_with(|o| o.account_type = account_type)];
        let increase = AccountCommand::Post(post(side, "2.00"));
        let happened = match side {
            Direction::Debit => debited("2.00", "2.00"),
            Direction::Credit => credited("2.00", "2.00"),
        };
        expect(given.clone(), increase, vec![happened]);
        let decrease = AccountCommand::Post(post(side.opposite(), "2.00"));
        TestFramework::<Account>::with(())
            .given(given)
            .when(decrease)
            .then_expect_error(AccountError::InsufficientFunds { available: dec("0.00") });
    }
}

#[test]
fn a_credit_line_lets_a_wallet_go_below_zero_and_no_floor_lets_it_go_anywhere() {
    let line = vec![opened_with(|o| o.floor = Some(dec("-5.00")))];
    expect(line, debit("5.00"), vec![debited("5.00", "-5.00")]);
    let unlimited = vec![opened_with(|o| o.floor = None)];
    expect(unlimited, debit("1000000.00"), vec![debited("1000000.00", "-1000000.00")]);
}

#[test]
fn a_balance_that_comes_back_to_zero_is_plain_zero() {
    let below = vec![opened_with(|o| o.floor = None), debited("5.00", "-5.00")];
    let account = folded(below.clone());
    let event = account.decide(credit("5.00")).unwrap();
    assert_eq!(event, credited("5.00", "0.00"));
    let text = String::from_utf8(crate::log::encode(&event).unwrap()).unwrap();
    assert!(text.contains(r#""balance_after":"0.00""#), "{text}");
}

#[test]
fn a_limit_below_the_balance_is_accepted_and_blocks_further_decrease_only() {
    let given = vec![opened(), credited("10.00", "10.00")];
    expect(
        given.clone(),
        limits(Some("50.00"), Some("60.00")),
        vec![limits_changed(Some("50.00"), Some("60.00"))],
    );
    let blocked = [given, vec![limits_changed(Some("50.00"), Some("60.00"))]].concat();
    expect(blocked, credit("1.00"), vec![credited("1.00", "11.00")]);
}

#[test]
fn case_6_holds_reserve_what_they_hold() {
    let ten = vec![opened(), credited("10.00", "10.00")];
    expect(ten.clone(), place("10.00"), vec![held("10.00", "10.00", "10.00")]);
    let expires_at = Some(minute(5));
    let place = AccountCommand::PlaceHold {
        hold_id: hold(1),
        amount: dec("4.00"),
        expires_at,
        authority: Authority::all(),
    };
    let placed = HoldChange { expires_at, ..change(1, "4.00", "10.00", "4.00") };
    expect(ten.clone(), place, vec![AccountEvent::HoldPlaced(placed)]);
    let more = AccountCommand::IncreaseHold {
        hold_id: hold(1),
        amount: dec("6.00"),
        authority: Authority::all(),
    };
    let given = [ten, vec![held("4.00", "10.00", "4.00")]].concat();
    let increased = AccountEvent::HoldIncreased(change(1, "6.00", "10.00", "10.00"));
    expect(given, more, vec![increased]);
}

#[test]
fn a_hold_ends_in_three_ways_and_frees_what_it_held() {
    let given = vec![opened(), credited("10.00", "10.00"), held("4.00", "10.00", "4.00")];
    let freed = change(1, "4.00", "10.00", "0.00");
    for (how, ended) in [
        (HoldEnd::Captured, AccountEvent::HoldCaptured(freed.clone())),
        (HoldEnd::Released, AccountEvent::HoldReleased(freed.clone())),
        (HoldEnd::Expired, AccountEvent::HoldExpired(freed)),
    ] {
        expect(given.clone(), end("4.00", how), vec![ended.clone()]);
        let account = folded([given.clone(), vec![ended]].concat());
        assert_eq!((account.available(), account.open_holds), (Some(dec("10.00")), 0));
    }
}

#[test]
fn a_leg_states_what_is_held_beside_its_balance() {
    let given = vec![opened(), credited("10.00", "10.00"), held("4.00", "10.00", "4.00")];
    let leg = Leg { held_after: dec("4.00"), ..leg("6.00", "4.00") };
    expect(given, debit("6.00"), vec![AccountEvent::Debited(leg)]);
}

#[test]
fn an_item_dates_and_cause_stand_in_the_leg() {
    let item = Some("dep_1".parse().unwrap());
    let cause = Some("txn_1".parse().unwrap());
    let value_date = day().pred_opt();
    let given = vec![opened_with(|o| o.itemised = true)];
    let post = PostLeg {
        item: item.clone(),
        cause: cause.clone(),
        value_date,
        ..post(Direction::Credit, "1.00")
    };
    let leg = Leg { value_date, item, cause, ..leg("1.00", "1.00") };
    expect(given, AccountCommand::Post(post), vec![AccountEvent::Credited(leg)]);
}

#[test]
fn conditions_that_hold_let_a_leg_pass() {
    let given = vec![opened(), credited("10.00", "10.00")];
    let post = PostLeg {
        expected_sequence: Some(2),
        minimum_balance: Some(dec("6.00")),
        ..post(Direction::Debit, "4.00")
    };
    expect(given, AccountCommand::Post(post), vec![debited("4.00", "6.00")]);
}

#[test]
fn freezes_stop_their_side_liens_stop_an_amount_and_lifting_undoes_both() {
    let given = vec![opened(), credited("10.00", "10.00")];
    for mode in [FreezeMode::Debit, FreezeMode::Credit, FreezeMode::Both] {
        let order = AccountCommand::Freeze(freeze("A", mode, None));
        expect(given.clone(), order, vec![frozen("A", mode)]);
    }
    let stopped = |mode| [given.clone(), vec![frozen("A", mode)]].concat();
    expect(stopped(FreezeMode::Debit), credit("1.00"), vec![credited("1.00", "11.00")]);
    expect(stopped(FreezeMode::Credit), debit("1.00"), vec![debited("1.00", "9.00")]);
    let lien_order = AccountCommand::Freeze(freeze("L", FreezeMode::Lien, Some("4.00")));
    expect(given.clone(), lien_order, vec![lien("L", "4.00")]);
    let pledged = [given.clone(), vec![lien("L", "4.00"), lien("M", "1.00")]].concat();
    expect(pledged.clone(), debit("5.00"), vec![debited("5.00", "5.00")]);
    let lifted = AccountEvent::Unfrozen(Unfrozen { reference: "L".parse().unwrap() });
    let lift = AccountCommand::Unfreeze { reference: "L".parse().unwrap() };
    expect(pledged.clone(), lift, vec![lifted.clone()]);
    let after = [pledged, vec![lifted]].concat();
    expect(after, debit("9.00"), vec![debited("9.00", "1.00")]);
}

#[test]
fn case_11_an_empty_account_closes_for_good() {
    let given = vec![opened(), credited("1.00", "1.00"), debited("1.00", "0.00")];
    expect(given, AccountCommand::Close, vec![AccountEvent::Closed {}]);
}

#[test]
fn scales_from_none_to_eight_keep_their_digits() {
    for (code, scale, amount, zero) in [
        ("JPY", 0, "1", "0"),
        ("KWD", 3, "0.001", "0.000"),
        ("USDT", 6, "0.000001", "0.000000"),
        ("BTC", 8, "0.00000001", "0.00000000"),
    ] {
        let given = vec![
            opened_with(|o| {
                (o.account, o.scale) = (account(&format!("wallet:a:{code}")), scale);
                o.floor = Some(dec(zero));
            }),
            credited(amount, amount),
        ];
        let event = folded(given).decide(debit(amount)).unwrap();
        let AccountEvent::Debited(leg) = event else { panic!("not a debit") };
        assert_eq!(leg.balance_after.to_string(), zero);
    }
}
