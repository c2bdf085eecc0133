//! Transfers: the contract, and every failure by paise.

use super::*;

#[test]
fn a_bank_answers_as_its_contract_says_and_pays_once() {
    for (bank, first) in [(BankCode::Hdfc, "accepted"), (BankCode::Axis, "paid")] {
        let desk = Desk::at(bank);
        assert_eq!(desk.submit("A1", "5000.00").body["status"], first);
        desk.wait(2);
        assert_eq!(desk.status("A1"), "paid");
        let again = desk.submit("A1", "5000.00");
        assert_eq!((again.status, &again.body["status"]), (200, &json!("paid")));
        let lines = desk.lines("A1");
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["amount"], json!({ "value": "5000.00", "currency": "INR" }));
        assert_eq!(lines[0]["bank_transaction_id"], again.body["bank_transaction_id"]);
        assert_eq!(desk.kinds(), ["transfer.paid"]);
        desk.balanced();
    }
}

#[test]
fn another_transfer_under_the_same_reference_is_refused() {
    let desk = Desk::at(BankCode::Axis);
    desk.submit("A1", "5000.00");
    let order = json!(request("A1", "5000.00"));
    let others = [
        ("/amount/value", "5001.00"),
        ("/rail", "neft"),
        ("/from", "own"),
        ("/beneficiary/account_number", "001234567891"),
        ("/beneficiary/ifsc", "TEST0000002"),
        ("/beneficiary/name", "ASHA RAO JR"),
    ];
    for (field, value) in others {
        let mut other = order.clone();
        *other.pointer_mut(field).expect("a field") = json!(value);
        let other = serde_json::from_value(other).expect("a request");
        let refused = desk.sandbox.execute(Command::Submit(desk.bank, other));
        let seen = (refused.status, &refused.body["code"]);
        assert_eq!(seen, (409, &json!("reference_reused")), "{field}");
    }
    assert_eq!(desk.submit("A1", "5000.00").body["status"], "paid");
    assert_eq!(desk.lines("A1").len(), 1);
}

#[test]
fn a_reference_that_was_forgotten_pays_again() {
    let desk = Desk::at(BankCode::Axis);
    desk.submit("A1", "5000.00");
    desk.wait(7 * 86_400 - 1);
    desk.submit("A1", "5000.00");
    assert_eq!(desk.lines("A1").len(), 0, "still remembered");
    desk.wait(1);
    assert_eq!(desk.submit("A1", "5000.00").body["status"], "paid");
    assert_eq!(desk.lines("A1").len(), 1);
    assert_eq!(desk.lines_of(bank_day(noon()), "A1").len(), 1);
}

#[test]
fn the_contract_refuses_what_it_does_not_do() {
    let desk = Desk::at(BankCode::Axis);
    let refused = |reference: &str, field: &str, value: Value| {
        let mut order = json!(request(reference, "100.00"));
        order[field] = value;
        let order = serde_json::from_value(order).expect("a request");
        desk.sandbox.execute(Command::Submit(desk.bank, order)).body["code"].clone()
    };
    let money = |value: &str| json!({ "value": value, "currency": "INR" });
    assert_eq!(refused("A1", "rail", json!("upi")), "rail_unsupported");
    assert_eq!(refused("A2", "amount", money("200000.01")), "amount_above_maximum");
    assert_eq!(refused("A3", "amount", money("0.99")), "amount_below_minimum");
    assert_eq!(refused("A4", "rail", json!("neft")), Value::Null, "it is noon");
    desk.wait(7 * 3_600);
    assert_eq!(refused("A5", "rail", json!("neft")), "outside_hours");
    desk.balanced();
}

#[test]
fn an_account_that_has_too_little_pays_nothing() {
    let desk = Desk::at(BankCode::Axis);
    let mut order = json!(request("A1", "10000000.01"));
    order["rail"] = json!("neft");
    order["from"] = json!("own");
    let order: TransferRequest = serde_json::from_value(order).expect("a request");
    let refused = desk.sandbox.execute(Command::Submit(desk.bank, order));
    assert_eq!(refused.body["code"], "insufficient_funds");
    // Two that fit one by one, and not together: the second is refused when it would be paid.
    let desk = Desk::at(BankCode::Hdfc);
    for reference in ["B1", "B2"] {
        let mut order = json!(request(reference, "60000000.00"));
        order["rail"] = json!("rtgs");
        let order: TransferRequest = serde_json::from_value(order).expect("a request");
        let accepted = desk.sandbox.execute(Command::Submit(desk.bank, order));
        assert_eq!(accepted.body["status"], "accepted");
    }
    desk.wait(2);
    let mut ends = [desk.status("B1"), desk.status("B2")].map(|end| end.to_string());
    ends.sort();
    assert_eq!(ends, ["\"paid\"", "\"refused\""]);
    desk.balanced();
}

#[test]
fn money_can_be_moved_between_our_own_accounts() {
    let desk = Desk::at(BankCode::Axis);
    let mut order = json!(request("SWEEP1", "100.00"));
    order["beneficiary"]["account_number"] = json!("917010000000021");
    let order: TransferRequest = serde_json::from_value(order).expect("a request");
    assert_eq!(desk.sandbox.execute(Command::Submit(desk.bank, order)).body["status"], "paid");
    let own = desk.sandbox.statement(desk.bank, Account::Own, desk.today()).body;
    assert_eq!(own["closing"]["value"], "10000100.00");
    assert_eq!(own["lines"][0]["direction"], "credit");
    assert_eq!(
        own["lines"][0]["bank_transaction_id"],
        desk.lines("SWEEP1")[0]["bank_transaction_id"]
    );
    desk.balanced();
}

#[test]
fn more_than_the_rate_is_refused_and_does_nothing() {
    let desk = Desk::at(BankCode::Hdfc);
    for n in 0..200 {
        assert_eq!(desk.submit(&format!("A{n}"), "1.00").status, 200);
    }
    assert_eq!(desk.submit("A200", "1.00").status, 429);
    assert_eq!(desk.enquire("A200").status, 404);
    desk.wait(1);
    assert_eq!(desk.submit("A200", "1.00").status, 200);
}

#[test]
fn failures_are_for_test_branches_only() {
    let desk = Desk::at(BankCode::Axis);
    let mut order = json!(request("A1", "5000.21"));
    order["beneficiary"]["ifsc"] = json!("SBIN0000001");
    let order: TransferRequest = serde_json::from_value(order).expect("a request");
    assert_eq!(desk.sandbox.execute(Command::Submit(desk.bank, order)).body["status"], "paid");
}

#[test]
fn paise_11_is_slow() {
    for bank in BankCode::ALL {
        let desk = Desk::at(bank);
        assert_eq!(desk.submit("A1", "5000.11").body["status"], "accepted");
        desk.wait(29);
        assert_eq!(desk.status("A1"), "accepted");
        desk.wait(1);
        assert_eq!(desk.status("A1"), "paid");
        assert_eq!(desk.kinds(), ["transfer.paid"]);
    }
}

#[test]
fn paise_13_is_silent_and_has_paid() {
    for bank in BankCode::ALL {
        let desk = Desk::at(bank);
        assert!(is_silent(&desk.submit("A1", "5000.13")));
        assert_eq!(desk.status("A1"), "paid");
        assert_eq!(desk.submit("A1", "5000.13").body["status"], "paid");
        assert_eq!(desk.lines("A1").len(), 1);
        desk.wait(89);
        assert_eq!(desk.kinds(), [""; 0]);
        desk.wait(1);
        assert_eq!(desk.kinds(), ["transfer.paid"]);
    }
}

#[test]
fn paise_14_is_silent_and_never_arrived() {
    let desk = Desk::at(BankCode::Hdfc);
    for _ in 0..2 {
        assert!(is_silent(&desk.submit("A1", "5000.14")));
        desk.wait(3_600);
        assert_eq!(desk.enquire("A1").body["code"], "not_found");
    }
    assert_eq!((desk.lines("A1").len(), desk.kinds().len()), (0, 0));
}

#[test]
fn paise_15_is_known_to_the_statement_only() {
    let desk = Desk::at(BankCode::Hdfc);
    for _ in 0..2 {
        assert!(is_silent(&desk.submit("A1", "5000.15")));
        assert_eq!(desk.enquire("A1").body["code"], "not_found");
    }
    desk.wait(3_600);
    assert_eq!((desk.lines("A1").len(), desk.kinds().len()), (1, 0));
}

#[test]
fn paise_21_and_22_are_refused_for_good() {
    for (amount, code) in [("5000.21", "account_closed"), ("5000.22", "ifsc_invalid")] {
        let desk = Desk::at(BankCode::Hdfc);
        let refused = desk.submit("A1", amount);
        assert_eq!((refused.status, &refused.body["code"]), (200, &json!(code)));
        assert_eq!(desk.submit("A1", amount).body, refused.body);
        assert_eq!((desk.lines("A1").len(), desk.kinds().len()), (0, 1));
    }
}

#[test]
fn paise_23_is_refused_for_a_minute() {
    let desk = Desk::at(BankCode::Axis);
    assert_eq!(desk.submit("A1", "5000.23").body["code"], "beneficiary_bank_offline");
    desk.wait(59);
    assert_eq!(desk.submit("A2", "5000.23").body["status"], "refused");
    desk.wait(1);
    assert_eq!(desk.submit("A1", "5000.23").body["status"], "refused", "the old refusal again");
    assert_eq!(desk.submit("A3", "5000.23").body["status"], "paid");
    assert_eq!(desk.lines("A1").len() + desk.lines("A2").len(), 0);
}

#[test]
fn paise_31_and_32_come_back_once() {
    for (amount, told) in [("5000.31", 1), ("5000.32", 2)] {
        let desk = Desk::at(BankCode::Axis);
        desk.submit("A1", amount);
        assert_eq!(desk.kinds(), ["transfer.paid"]);
        desk.wait(60);
        assert_eq!(desk.status("A1"), "returned");
        let attempts = desk.sandbox.take_messages(desk.bank, 9);
        assert_eq!(attempts.len(), told);
        if let [first, second] = attempts.as_slice() {
            assert_ne!(first.id, second.id);
        }
        let lines = desk.lines("A1");
        assert_eq!([&lines[0]["direction"], &lines[1]["direction"]], ["debit", "credit"]);
        assert_eq!(lines.len(), 2);
        assert_ne!(lines[0]["utr"], lines[1]["utr"]);
        desk.balanced();
    }
}

#[test]
fn paise_41_to_45_spoil_the_webhook_and_nothing_else() {
    let at = |amount| {
        let desk = Desk::at(BankCode::Axis);
        let reply = desk.submit("A1", amount);
        assert_eq!((desk.status("A1"), desk.lines("A1").len()), (json!("paid"), 1));
        (desk, reply)
    };
    let (desk, _) = at("5000.41");
    assert_eq!(desk.kinds(), ["transfer.paid"]);
    assert_eq!(desk.kinds(), ["transfer.paid"], "the same once more");
    assert_eq!(desk.kinds(), [""; 0]);

    let (desk, reply) = at("5000.42");
    assert_eq!(desk.kinds(), ["transfer.paid"]);
    assert_eq!(reply.answered, Answered::At(after(3)));
    assert_eq!(reply.body["status"], "accepted");
    desk.wait(3);
    assert_eq!(desk.kinds(), ["transfer.accepted"]);

    let (desk, _) = at("5000.43");
    assert!(desk.messages()[0].2, "badly signed");
    desk.wait(1);
    assert!(!desk.messages()[0].2, "rightly signed");

    let (desk, _) = at("5000.44");
    desk.wait(86_400);
    assert_eq!(desk.kinds(), [""; 0]);

    let (desk, _) = at("5000.45");
    assert_eq!(desk.messages()[0].1["amount"]["value"], "5001.45");
    assert_eq!(desk.enquire("A1").body["amount"]["value"], "5000.45");
}

#[test]
fn paise_61_is_refused_late_and_paid_all_the_same() {
    let desk = Desk::at(BankCode::Axis);
    assert_eq!(desk.submit("A1", "5000.61").body["status"], "accepted");
    desk.wait(30);
    assert_eq!(desk.enquire("A1").body["code"], "rejected_by_beneficiary_bank");
    assert_eq!(desk.kinds(), ["transfer.refused"]);
    desk.wait(60);
    assert_eq!(desk.status("A1"), "paid");
    assert_eq!(desk.kinds(), ["transfer.paid"]);
    assert_eq!(desk.lines("A1").len(), 1);
    desk.balanced();
}

#[test]
fn what_happens_past_midnight_is_on_the_next_day() {
    let desk = Desk::at(BankCode::Axis);
    desk.wait(12 * 3_600 - 15);
    desk.submit("A1", "5000.11");
    let day = desk.today();
    desk.wait(30);
    let statement = |day| desk.sandbox.statement(desk.bank, Account::Escrow, day).body;
    assert_eq!((&statement(day)["closed"], desk.lines_of(day, "A1").len()), (&json!(true), 0));
    let next = desk.today();
    assert_eq!((&statement(next)["closed"], desk.lines_of(next, "A1").len()), (&json!(false), 1));
    assert_eq!(statement(next)["opening"], statement(day)["closing"]);
    let of = |day| desk.sandbox.statement(desk.bank, Account::Escrow, day).status;
    assert_eq!(of(next.succ_opt().expect("a day")), 404);
    assert_eq!(of(bank_day(noon()).pred_opt().expect("a day")), 404);
}

#[test]
fn name_checks_know_whose_account_it_is() {
    let desk = Desk::at(BankCode::Hdfc);
    let asked = |number: &str, name: Option<&str>| {
        let asked = json!({ "account_number": number, "ifsc": "TEST0000001", "name": name });
        let asked = serde_json::from_value(asked).expect("a question");
        let answer = desk.sandbox.name_check(desk.bank, &asked).body;
        (answer["status"].clone(), answer["match"].clone())
    };
    assert_eq!(asked("001234567890", Some("Asha Rao")), (json!("found"), json!("exact")));
    assert_eq!(asked("001234567890", None), (json!("found"), Value::Null));
    assert_eq!(asked("001234567899", Some("Asha Rao")), (json!("found"), json!("none")));
    assert_eq!(asked("001234560000", Some("Asha Rao")), (json!("closed"), Value::Null));
    assert_eq!(asked("001234569999", Some("Asha Rao")), (json!("not_found"), Value::Null));
}
