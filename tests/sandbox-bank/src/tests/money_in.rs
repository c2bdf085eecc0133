//! Links, what is pressed on their pages, and what arrives.

use super::*;
use crate::{
    Decision,
    wire::{AdjustmentRequest, CreditRequest, LinkRequest},
};

fn link(token: &str, amount: &str) -> LinkRequest {
    let amount = json!({ "value": amount, "currency": "INR" });
    serde_json::from_value(json!({ "token": token, "amount": amount })).expect("a link")
}

/// A bank with an open link of this amount, on which something was pressed.
fn pressed(amount: &str, decision: Decision) -> (Desk, Reply) {
    let desk = Desk::at(BankCode::Hdfc);
    let made = desk.sandbox.execute(Command::OpenLink(desk.bank, link("T1", amount)));
    assert_eq!(made.body["url"], "http://bank/banks/hdfc/pay/T1");
    let reply = desk.sandbox.execute(Command::Decide(desk.bank, "T1".to_owned(), decision));
    (desk, reply)
}

impl Desk {
    fn link(&self) -> Value {
        self.sandbox.link(self.bank, "T1").body
    }

    /// The one credit of the link.
    fn credit(&self) -> Value {
        let credits = self.link()["credits"].clone();
        assert_eq!(credits.as_array().map(Vec::len), Some(1), "{credits}");
        self.sandbox.credit(self.bank, credits[0].as_str().expect("an id")).body
    }
}

#[test]
fn an_approved_link_brings_the_money_once() {
    let (desk, reply) = pressed("500.00", Decision::Approve);
    assert_eq!(reply.body["status"], "approved");
    desk.sandbox.execute(Command::Decide(desk.bank, "T1".to_owned(), Decision::Approve));
    desk.sandbox.execute(Command::Decide(desk.bank, "T1".to_owned(), Decision::Decline));
    desk.wait(2);
    let credit = desk.credit();
    assert_eq!(credit["amount"]["value"], "500.00");
    assert_eq!((&credit["token"], &credit["status"]), (&json!("T1"), &json!("booked")));
    let messages = desk.messages();
    assert_eq!((messages.len(), messages[0].0.as_str()), (1, "credit.received"));
    assert_eq!(messages[0].1, credit);
    assert_eq!(desk.lines("T1")[0]["bank_transaction_id"], credit["bank_transaction_id"]);
    desk.balanced();
}

#[test]
fn a_token_is_for_one_link() {
    let desk = Desk::at(BankCode::Hdfc);
    let open = |amount| desk.sandbox.execute(Command::OpenLink(desk.bank, link("T1", amount)));
    assert_eq!(open("500.00"), open("500.00"));
    assert_eq!(open("501.00").status, 409);
    assert_eq!(desk.sandbox.link(desk.bank, "T2").body["code"], "not_found");
}

#[test]
fn declining_closing_and_losing_the_message() {
    let (desk, _) = pressed("500.00", Decision::Decline);
    desk.wait(60);
    assert_eq!(desk.link()["code"], "declined_by_payer");
    assert_eq!(desk.kinds(), ["collect_link.declined"]);

    let (desk, _) = pressed("500.00", Decision::Close);
    desk.wait(60);
    assert_eq!((&desk.link()["status"], desk.kinds().len()), (&json!("open"), 0));

    let (desk, _) = pressed("500.00", Decision::ApproveSilently);
    desk.wait(60);
    assert_eq!((&desk.credit()["amount"]["value"], desk.kinds().len()), (&json!("500.00"), 0));
}

#[test]
fn silent_pages_tell_no_lies() {
    let (desk, reply) = pressed("500.13", Decision::Approve);
    assert!(is_silent(&reply));
    assert_eq!(desk.credit()["status"], "booked");
    desk.wait(90);
    assert_eq!(desk.kinds(), ["credit.received"]);

    let (desk, reply) = pressed("500.14", Decision::Approve);
    assert!(is_silent(&reply));
    desk.wait(3_600);
    assert_eq!((&desk.link()["status"], desk.lines("T1").len()), (&json!("open"), 0));

    let (desk, reply) = pressed("500.15", Decision::Approve);
    assert!(is_silent(&reply));
    desk.wait(3_600);
    assert_eq!((&desk.link()["credits"], desk.lines("T1").len()), (&json!([]), 1));
    assert_eq!(desk.kinds(), [""; 0]);
}

#[test]
fn refused_payers_are_declined_and_may_pay_late() {
    for (amount, code) in
        [("500.21", "account_closed"), ("500.22", "ifsc_invalid"), ("500.23", "payer_bank_offline")]
    {
        let (desk, _) = pressed(amount, Decision::Approve);
        desk.wait(3_600);
        assert_eq!((&desk.link()["code"], desk.lines("T1").len()), (&json!(code), 0));
    }
    let (desk, _) = pressed("500.61", Decision::Approve);
    assert_eq!(desk.link()["status"], "declined");
    desk.wait(60);
    assert_eq!((desk.link()["status"].clone(), desk.lines("T1").len()), (json!("declined"), 1));
    assert_eq!(desk.kinds(), ["collect_link.declined", "credit.received"]);
    assert_eq!(desk.credit()["status"], "booked");
}

#[test]
fn credits_are_spoilt_by_their_paise() {
    let (desk, _) = pressed("500.51", Decision::Approve);
    desk.wait(2);
    let (_, credit, _) = desk.messages().remove(0);
    assert_eq!((&credit["token"], &desk.link()["credits"]), (&Value::Null, &json!([])));

    let (desk, _) = pressed("500.52", Decision::Approve);
    desk.wait(2);
    assert_eq!(desk.credit()["amount"]["value"], "501.52");

    let (desk, _) = pressed("500.53", Decision::Approve);
    desk.wait(2);
    assert_eq!(desk.credit()["payer"]["name"], "VIKRAM SHAH");

    let (desk, _) = pressed("500.54", Decision::Approve);
    desk.wait(2);
    assert_eq!(desk.credit()["status"], "booked");
    desk.wait(60);
    assert_eq!(desk.credit()["status"], "recall_requested");
    assert_eq!(desk.kinds(), ["credit.received", "credit.recall_requested"]);
    assert_eq!(desk.lines("T1").len(), 1, "nothing was taken");

    let (desk, _) = pressed("500.11", Decision::Approve);
    desk.wait(29);
    assert_eq!(desk.link()["credits"], json!([]));
    desk.wait(1);
    assert_eq!(desk.credit()["status"], "booked");

    let (desk, _) = pressed("500.42", Decision::Approve);
    desk.wait(2);
    assert_eq!((&desk.credit()["status"], desk.kinds().len()), (&json!("booked"), 0));
    desk.wait(20);
    assert_eq!(desk.kinds(), ["credit.received"]);
}

#[test]
fn money_may_just_come() {
    let desk = Desk::at(BankCode::Axis);
    let credit = json!({
        "amount": { "value": "750.00", "currency": "INR" }, "virtual_account": "BAHI000042",
    });
    let credit: CreditRequest = serde_json::from_value(credit).expect("a credit");
    assert_eq!(desk.sandbox.execute(Command::Credit(desk.bank, credit)).status, 200);
    desk.wait(2);
    let (kind, data, _) = desk.messages().remove(0);
    assert_eq!((kind.as_str(), &data["token"]), ("credit.received", &Value::Null));
    assert_eq!(data["virtual_account"], "BAHI000042");
    desk.balanced();
}

#[test]
fn charges_and_interest_are_on_the_statement_and_told_to_nobody() {
    let desk = Desk::at(BankCode::Axis);
    let adjust = |amount: &str, direction: &str, value_date: Option<&str>| {
        let adjustment = json!({
            "amount": { "value": amount, "currency": "INR" }, "direction": direction,
            "narration": "SMS CHARGES", "value_date": value_date,
        });
        let adjustment: AdjustmentRequest = serde_json::from_value(adjustment).expect("one");
        desk.sandbox.execute(Command::Adjust(desk.bank, adjustment)).status
    };
    assert_eq!(adjust("118.00", "debit", None), 200);
    assert_eq!(adjust("7.25", "credit", Some("2026-11-20")), 200);
    assert_eq!(adjust("99999999.00", "debit", None), 422, "more than there is");
    let statement = desk.sandbox.statement(desk.bank, Account::Escrow, desk.today()).body;
    assert_eq!(statement["closing"]["value"], "89999889.25");
    let lines = statement["lines"].as_array().expect("lines");
    let dates = lines.iter().map(|line| (&line["booking_date"], &line["value_date"]));
    let (today, before) = (json!("2026-11-22"), json!("2026-11-20"));
    assert_eq!(dates.collect::<Vec<_>>(), [(&today, &today), (&today, &before)]);
    assert!(lines.iter().all(|line| line["reference"].is_null()));
    assert_eq!(desk.kinds(), [""; 0]);
    desk.balanced();
}
