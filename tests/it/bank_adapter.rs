//! The service's HTTP adapter against the sandbox bank: each call, and each failure that money
//! rests on.

use std::time::Duration;

use chrono::Utc;
use ledger_api::banks::{
    Answers, Bank, CallError, CreditStatus, Direction, Doubt, Health, LinkStatus, NameCheck,
    NameMatch, NewCollectLink, Payee, Refusal, Submission, Transfer, TransferStatus,
};
use ledger_core::{
    ids::Reference,
    money::{Currency, Money},
};

use crate::support::sandbox::{Sandbox, bank, noon, registry};

const IMPATIENT: Duration = Duration::from_millis(300);

fn inr(amount: &str) -> Money {
    Money::parse(amount, Currency { code: "INR".parse().unwrap(), scale: 2 }).unwrap()
}

fn word(text: &str) -> Reference {
    text.parse().unwrap()
}

fn asha() -> Payee {
    Payee::parse("001234567890", "TEST0000001", "ASHA RAO").unwrap()
}

fn submission(reference: &str, amount: &str) -> Submission {
    Submission {
        reference: word(reference),
        amount: inr(amount),
        rail: "imps".parse().unwrap(),
        from: "escrow".to_owned(),
        beneficiary: asha(),
    }
}

async fn submit(bank: &dyn Bank, reference: &str, amount: &str) -> Result<Transfer, CallError> {
    bank.submit(&submission(reference, amount)).await
}

#[tokio::test]
async fn contract_and_health_are_read() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let hdfc = bank(&banks, "hdfc").contract().await.unwrap();
    assert_eq!((hdfc.answers, hdfc.reference_unique_for_days), (Answers::Later, 60));
    assert_eq!(hdfc.time_zone, chrono_tz::Asia::Kolkata);
    assert_eq!(hdfc.refusal(&word("account_closed")), Some(Refusal::Final));
    assert_eq!(hdfc.refusal(&word("beneficiary_bank_offline")), Some(Refusal::Retryable));
    let axis = bank(&banks, "axis").contract().await.unwrap();
    let neft = axis.rail(&"neft".parse().unwrap()).unwrap();
    assert!(neft.hours.is_some() && axis.rail(&"upi".parse().unwrap()).is_none());
    assert_eq!(bank(&banks, "axis").health().await, Health::Up);

    // The address of one bank under the name of another.
    let swapped = [("HDFC", format!("{}/banks/axis", sandbox.address))];
    let swapped = registry(&swapped, "a-token-for-tests", Duration::from_secs(5));
    let refused = bank(&swapped, "hdfc").contract().await.unwrap_err();
    assert_eq!(refused, CallError::Unknown(Doubt::Mismatch("bank")));

    sandbox.stop().await;
    // What is kept stands while the bank is away.
    assert_eq!(bank(&banks, "axis").contract().await.unwrap(), axis);
    assert_eq!(bank(&banks, "axis").health().await, Health::Down);
    let unreached = submit(bank(&banks, "axis"), "A1", "1.00").await.unwrap_err();
    assert_eq!(unreached, CallError::Unknown(Doubt::Connection));
}

#[tokio::test]
async fn a_transfer_is_paid_once_and_found_again() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let axis = bank(&banks, "axis");
    assert_eq!(axis.enquire(&word("A1")).await, Ok(None));
    let paid = submit(axis, "A1", "5000.00").await.unwrap();
    assert!(matches!(paid.status, TransferStatus::Paid { .. }), "{paid:?}");
    assert!(paid.is_of(&submission("A1", "5000.00")));
    assert_eq!(submit(axis, "A1", "5000.00").await.as_ref(), Ok(&paid));
    assert_eq!(axis.enquire(&word("A1")).await, Ok(Some(paid)));
    assert_eq!(submit(axis, "A1", "5001.00").await, Err(CallError::ReferenceReused));
    let other = registry(
        &[("AXIS", format!("{}/banks/axis", sandbox.address))],
        "not-the-token",
        Duration::from_secs(5),
    );
    let refused = submit(bank(&other, "axis"), "A2", "1.00").await.unwrap_err();
    assert!(matches!(refused, CallError::NotUnderstood { status: 401, .. }), "{refused:?}");
    assert_eq!(axis.enquire(&word("A2")).await, Ok(None));
    sandbox.stop().await;
}

#[tokio::test]
async fn a_transfer_that_is_answered_later_is_accepted_first() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let hdfc = bank(&banks, "hdfc");
    let accepted = submit(hdfc, "H1", "10.00").await.unwrap();
    assert_eq!(accepted.status, TransferStatus::Accepted);
    sandbox.advance(120).await;
    let paid = hdfc.enquire(&word("H1")).await.unwrap().unwrap();
    assert!(matches!(paid.status, TransferStatus::Paid { .. }), "{paid:?}");
    sandbox.stop().await;
}

#[tokio::test]
async fn case_88_a_time_out_proves_nothing_and_the_enquiry_tells() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry_within(IMPATIENT);
    let axis = bank(&banks, "axis");
    let silent = submit(axis, "T13", "5000.13").await;
    assert_eq!(silent, Err(CallError::Unknown(Doubt::TimedOut)));
    let paid = axis.enquire(&word("T13")).await.unwrap().unwrap();
    assert!(matches!(paid.status, TransferStatus::Paid { .. }), "{paid:?}");
    // Never arrived, and paid without the enquiry knowing, look the same.
    for (reference, amount) in [("T14", "5000.14"), ("T15", "5000.15")] {
        let silent = submit(axis, reference, amount).await;
        assert_eq!(silent, Err(CallError::Unknown(Doubt::TimedOut)), "{reference}");
        assert_eq!(axis.enquire(&word(reference)).await, Ok(None), "{reference}");
    }
    let today = noon().with_timezone(&chrono_tz::Asia::Kolkata).date_naive();
    let statement = axis.statement("escrow", today).await.unwrap().unwrap();
    let on_it = |reference: &str| {
        statement.lines.iter().any(|line| line.reference == Some(word(reference)))
    };
    assert!(on_it("T13") && !on_it("T14") && on_it("T15"), "{statement:?}");
    sandbox.stop().await;
}

#[tokio::test]
async fn refusals_have_codes_that_the_contract_explains() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let axis = bank(&banks, "axis");
    let contract = axis.contract().await.unwrap();
    for (amount, code, kind) in [
        ("1.21", "account_closed", Refusal::Final),
        ("1.22", "ifsc_invalid", Refusal::Final),
        ("1.23", "beneficiary_bank_offline", Refusal::Retryable),
        ("300000.00", "amount_above_maximum", Refusal::Final),
    ] {
        let refused = submit(axis, &format!("R{}", amount.replace('.', "")), amount).await;
        let code = word(code);
        assert_eq!(contract.refusal(&code), Some(kind));
        assert_eq!(refused.unwrap().status, TransferStatus::Refused { code });
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn what_comes_back_is_told_with_its_payment() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let axis = bank(&banks, "axis");
    let paid = submit(axis, "B31", "700.31").await.unwrap();
    let TransferStatus::Paid { bank_transaction_id: payment, .. } = paid.status else {
        panic!("{paid:?}");
    };
    sandbox.advance(120).await;
    let back = axis.enquire(&word("B31")).await.unwrap().unwrap();
    let TransferStatus::Returned { bank_transaction_id, returned, .. } = back.status else {
        panic!("{back:?}");
    };
    assert_eq!((bank_transaction_id, returned.amount), (payment.clone(), inr("700.31")));
    assert_ne!(returned.bank_transaction_id, payment);

    let today = Utc::now().date_naive();
    let statement = axis.statement("escrow", today).await.unwrap().unwrap();
    let directions: Vec<_> = statement.lines.iter().map(|line| line.direction).collect();
    assert_eq!(directions, [Direction::Debit, Direction::Credit]);
    assert!(!statement.closed && statement.opening == statement.closing);
    let never = axis.statement("escrow", today + chrono::TimeDelta::days(2)).await;
    assert_eq!(never, Ok(None));
    let no_account = axis.statement("petty_cash", today).await.unwrap_err();
    assert!(matches!(no_account, CallError::NotUnderstood { status: 422, .. }), "{no_account:?}");
    sandbox.stop().await;
}

#[tokio::test]
async fn names_are_checked() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let check = async |number: &str, name: &str| {
        let payee = Payee::parse(number, "TEST0000001", name).unwrap();
        bank(&banks, "hdfc").check_name(&payee).await.unwrap()
    };
    let found = |matched| NameCheck::Found { registered_name: "ASHA RAO".to_owned(), matched };
    assert_eq!(check("001234567890", "Asha Rao").await, found(NameMatch::Exact));
    let other = check("001234567899", "Asha Rao").await;
    assert!(matches!(other, NameCheck::Found { matched: NameMatch::None, .. }), "{other:?}");
    assert_eq!(check("001234560000", "Asha Rao").await, NameCheck::Closed);
    assert_eq!(check("001234569999", "Asha Rao").await, NameCheck::NotFound);
    sandbox.stop().await;
}

#[tokio::test]
async fn money_in_is_a_page_and_then_a_credit() {
    let sandbox = Sandbox::start().await;
    let banks = sandbox.registry();
    let hdfc = bank(&banks, "hdfc");
    let wanted = NewCollectLink {
        token: word("dep_0199"),
        amount: inr("500.00"),
        account: "escrow".to_owned(),
        return_url: Some("http://127.0.0.1:8080/back".to_owned()),
        payer: Some(asha()),
    };
    assert_eq!(hdfc.collect_link(&wanted.token).await, Ok(None));
    let link = hdfc.open_collect_link(&wanted).await.unwrap();
    assert_eq!((&link.status, link.credits.len()), (&LinkStatus::Open, 0));
    assert_eq!(hdfc.open_collect_link(&wanted).await, Ok(link.clone()));
    let other = NewCollectLink { amount: inr("501.00"), payer: None, ..wanted.clone() };
    assert_eq!(hdfc.open_collect_link(&other).await, Err(CallError::ReferenceReused));

    let credit = serde_json::json!({
        "amount": {"value": "500.00", "currency": "INR"}, "token": "dep_0199" });
    let request = serde_json::from_value(credit).unwrap();
    sandbox.control.credit(sandbox_bank::BankCode::Hdfc, &request).await.unwrap();
    sandbox.advance(60).await;
    let link = hdfc.collect_link(&wanted.token).await.unwrap().unwrap();
    let [id] = link.credits.as_slice() else { panic!("{link:?}") };
    let credit = hdfc.credit(id).await.unwrap().unwrap();
    assert_eq!((credit.amount, credit.status), (inr("500.00"), CreditStatus::Booked));
    assert_eq!(credit.token, Some(wanted.token));
    assert_eq!(hdfc.credit(&word("crd_none")).await, Ok(None));
    // Names that would ask for something else.
    for name in ["..", "."] {
        let refused = hdfc.credit(&word(name)).await;
        assert!(matches!(refused, Err(CallError::Unknown(Doubt::Malformed(_)))), "{refused:?}");
    }
    sandbox.stop().await;
}
