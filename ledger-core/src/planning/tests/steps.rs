//! The steps that commands are taken apart into, in the order in which their events will stand.

use super::*;
use crate::{ids::Item, posting::Condition};

fn legs(plan: &Plan) -> Vec<(&str, &PostLeg)> {
    plan.steps
        .iter()
        .filter_map(|step| {
            let Step::Account(id, AccountCommand::Post(leg)) = step else { return None };
            Some((id.as_str(), leg))
        })
        .collect()
}

#[test]
fn a_transaction_is_one_step_per_leg() {
    let plan = planned(Operation::Post(vec![transfer(1, inr("5"))])).unwrap();
    let legs = legs(&plan);
    let told: Vec<_> =
        legs.iter().map(|(id, leg)| (*id, leg.direction, leg.leg, leg.legs, leg.amount)).collect();
    let five = dec("5.00");
    assert_eq!(
        told,
        [
            ("wallet:a:INR", Direction::Debit, 1, 2, five),
            ("wallet:b:INR", Direction::Credit, 2, 2, five)
        ]
    );
    // Noon UTC is 17:30 in Kolkata.
    assert!(legs.iter().all(|(_, leg)| leg.effective_on == day() && leg.cause.is_none()));
}

#[test]
fn a_condition_asks_before_the_first_and_after_the_last_leg_of_its_account() {
    let a = account("wallet:a:INR");
    let mut posting = transfer(1, inr("5"));
    posting.legs = vec![
        leg(Direction::Debit, "wallet:a:INR", inr("2")),
        leg(Direction::Credit, "wallet:b:INR", inr("5")),
        leg(Direction::Debit, "wallet:a:INR", inr("3")),
    ];
    let minimum_balance = Some(dec("1.00"));
    posting.conditions = vec![Condition { account: a, sequence: Some(7), minimum_balance }];
    let plan = planned(Operation::Post(vec![posting])).unwrap();
    let asked: Vec<_> =
        legs(&plan).iter().map(|(_, leg)| (leg.expected_sequence, leg.minimum_balance)).collect();
    assert_eq!(asked, [(Some(7), None), (None, None), (None, minimum_balance)]);
}

#[test]
fn a_capture_ends_the_hold_frees_it_and_posts() {
    let item: Item = "pay_1".parse().unwrap();
    let to = vec![
        to("wallet:b:INR", Some(inr("3"))),
        CaptureLeg { item: Some(item.clone()), ..to("bank:x:clearing_out:INR", Some(inr("1"))) },
    ];
    let plan = planned(Operation::CaptureHold(capturing(Some(inr("4")), to))).unwrap();
    assert!(matches!(&plan.steps[0], Step::Hold(_, HoldCommand::Capture { .. })));
    let Step::Account(_, AccountCommand::EndHold { amount, .. }) = &plan.steps[1] else {
        panic!("the hold is not freed second")
    };
    assert_eq!(*amount, dec("10.00"), "all of it is free again");
    let legs = legs(&plan);
    let told: Vec<_> = legs.iter().map(|(id, leg)| (*id, leg.direction, leg.amount)).collect();
    assert_eq!(
        told,
        [
            ("wallet:a:INR", Direction::Debit, dec("4.00")),
            ("wallet:b:INR", Direction::Credit, dec("3.00")),
            ("bank:x:clearing_out:INR", Direction::Credit, dec("1.00"))
        ]
    );
    let cause: Reference = hold(1).to_string().parse().unwrap();
    assert!(legs.iter().all(|(_, leg)| leg.cause.as_ref() == Some(&cause)));
    assert_eq!(legs[2].1.item, Some(item));
}

#[test]
fn a_reversal_notes_itself_and_posts_the_opposite_with_its_items() {
    let mut reverse = reversing();
    let item: Item = "dep_1".parse().unwrap();
    reverse.original_legs[0].item = Some(item.clone());
    // What a hold caused may be reversed; the hold has ended and owns it no more.
    reverse.original_cause = hold(1).to_string().parse().ok();
    let plan = planned(Operation::Reverse(reverse)).unwrap();
    let Step::Reversal(original, ReversalCommand::Reverse { by }) = &plan.steps[0] else {
        panic!("the reversal is not noted first")
    };
    assert_eq!((*original, *by), (txn(1), txn(2)));
    let legs = legs(&plan);
    assert_eq!(legs[0].1.direction, Direction::Credit);
    assert_eq!((legs[0].1.item.as_ref(), legs[0].1.kind.as_str()), (Some(&item), "reversal"));
    let cause: Reference = txn(1).to_string().parse().unwrap();
    assert!(legs.iter().all(|(_, leg)| leg.cause.as_ref() == Some(&cause)));
}

#[test]
fn steps_of_several_transactions_know_which_they_belong_to() {
    let both = vec![transfer(1, inr("5")), transfer(2, inr("6"))];
    let plan = planned(Operation::Post(both)).unwrap();
    let of: Vec<_> = plan.steps.iter().map(|step| plan.transaction_of(step)).collect();
    assert_eq!(of, [Some(0), Some(0), Some(1), Some(1)]);
    let one = planned(Operation::Post(vec![transfer(1, inr("5"))])).unwrap();
    assert_eq!(one.transaction_of(&one.steps[0]), None);
}

/// One operation of each kind, with the kinds of streams that it touches by name.
fn every_operation() -> Vec<(Operation, &'static [&'static str])> {
    let id = account("wallet:a:INR");
    let reference: Reference = "order".parse().unwrap();
    let freeze = FreezeAccount {
        account: id.clone(),
        reference: reference.clone(),
        mode: FreezeMode::Lien,
        amount: Some(inr("1")),
    };
    let limits = ChangeLimits { account: id.clone(), floor: None, ceiling: None };
    let place =
        PlaceHold { hold_id: hold(2), account: id.clone(), amount: inr("1"), expires_at: None };
    let capture = capturing(None, vec![to("wallet:b:INR", None)]);
    let time_zone = chrono_tz::Tz::Asia__Kolkata;
    vec![
        (Operation::OpenAccount(opening()), &["account"]),
        (Operation::ChangeLimits(limits), &["account"]),
        (Operation::Freeze(freeze), &["account"]),
        (Operation::Unfreeze { account: id.clone(), reference }, &["account"]),
        // The wallet and the two accounts of what its owner may owe.
        (Operation::CloseAccount { account: id }, &["account", "account", "account"]),
        (Operation::Post(vec![transfer(1, inr("5"))]), &["account", "account"]),
        (Operation::PlaceHold(place), &["hold", "account"]),
        (Operation::IncreaseHold(IncreaseHold { hold_id: hold(1), by: inr("1") }), &["hold"]),
        (Operation::CaptureHold(capture), &["hold", "account"]),
        (Operation::ReleaseHold { hold_id: hold(1) }, &["hold"]),
        (Operation::ExpireHold { hold_id: hold(1) }, &["hold"]),
        (Operation::Reverse(reversing()), &["reversal", "account", "account"]),
        (Operation::OpenBook { time_zone }, &["book"]),
        (Operation::AddCurrency(currency("USD")), &["book"]),
    ]
}

#[test]
fn no_step_touches_a_stream_that_the_command_did_not_announce() {
    for (operation, kinds) in every_operation() {
        let mut announced = streams(&operation);
        let told: Vec<&str> = announced
            .iter()
            .map(|stream| match stream {
                StreamId::Book => "book",
                StreamId::Account(_) => "account",
                StreamId::Hold(_) => "hold",
                StreamId::Reversal(_) => "reversal",
                StreamId::Withdrawal(_) => "withdrawal",
                StreamId::BankLine(_) => "bank_line",
                StreamId::Deposit(_) => "deposit",
                StreamId::Transfer(_) => "transfer",
                StreamId::Payment(_) => "payment",
                StreamId::PaymentRequest(_) => "payment_request",
            })
            .collect();
        assert_eq!(told, kinds, "{operation:?}");
        if account_of_hold(&operation).is_some() {
            announced.push(StreamId::Account(account("wallet:a:INR")));
        }
        for step in planned(operation.clone()).unwrap().steps {
            let touched = match step {
                Step::Book(_) => StreamId::Book,
                Step::Account(id, _) => StreamId::Account(id),
                Step::Hold(id, _) => StreamId::Hold(id),
                Step::Reversal(id, _) => StreamId::Reversal(id),
                Step::Withdrawal(id, _) => StreamId::Withdrawal(id),
                Step::BankLine(id, _) => StreamId::BankLine(id),
                Step::Deposit(id, _) => StreamId::Deposit(id),
                Step::Transfer(id, _) => StreamId::Transfer(id),
                Step::Payment(id, _) => StreamId::Payment(id),
                Step::PaymentRequest(id, _) => StreamId::PaymentRequest(id),
            };
            assert!(announced.contains(&touched), "{operation:?} touches {touched:?}");
        }
    }
}

#[test]
fn a_lien_is_a_freeze_with_its_amount() {
    let (operation, _) = every_operation().swap_remove(2);
    let plan = planned(operation).unwrap();
    let expected = Freeze {
        reference: "order".parse().unwrap(),
        mode: FreezeMode::Lien,
        amount: Some(dec("1.00")),
    };
    let Step::Account(_, AccountCommand::Freeze(freeze)) = &plan.steps[0] else {
        panic!("not a freeze")
    };
    assert_eq!(*freeze, expected);
}
