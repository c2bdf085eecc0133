//! Control totals that somebody else has a say in: a bank, or who posts by hand. Each with a
//! difference that real postings made, told with the account that it is on.

use std::collections::BTreeMap;

use ledger_api::statements::{Format, OurNumbers, ParsedStatement, Reading, import, parse};
use ledger_core::{
    ids::PaymentId,
    payment::{PayMerchant, PaymentOperation, Terms},
};
use projections::reports::Control;
use serde_json::{Value, json};

use super::scene::{Scene, date};
use crate::support::ledger::{currency, money, parse as word, transfer};

const ESCROW: &str = "bank:hdfc:escrow:INR";
const UNSETTLED: &str = "merchant:chai:unsettled:INR";

/// The controls of a name: subject, ledger, counted, difference.
async fn of(scene: &Scene, name: &str) -> BTreeMap<String, [String; 3]> {
    scene.caught_up().await;
    let controls = scene.models.controls().await.unwrap().value;
    let found = controls.into_iter().filter(|control| control.control == name);
    let told = |c: Control| [c.ledger, c.counted, c.difference].map(|amount| amount.to_string());
    found.map(|control| (control.subject.clone(), told(control))).collect()
}

/// The only control of a name that differs.
async fn differing(scene: &Scene, name: &str) -> Vec<(String, [String; 3])> {
    let all = of(scene, name).await.into_iter();
    all.filter(|(_, [_, _, difference])| !difference.starts_with("0.00")).collect()
}

fn inr(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

fn stated(day: &str, opening: &str, closing: &str, lines: &Value) -> ParsedStatement {
    let statement = json!({"account": "escrow", "date": day, "closed": true,
        "opening": inr(opening), "closing": inr(closing), "lines": lines});
    let of = |code: ledger_core::money::CurrencyCode| Some(currency(code.as_str()));
    let accounts = OurNumbers::default();
    let reading = Reading { currency: &of, accounts: &accounts, csv: None };
    let bytes = serde_json::to_vec(&statement).unwrap();
    parse(Format::Json, &bytes, &reading).unwrap().remove(0)
}

async fn state(scene: &Scene, statement: &ParsedStatement) {
    let by = word("asha");
    import(&scene.pool, &word("hdfc"), Format::Json, statement, &by).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_that_states_something_else_is_a_difference_on_its_account() {
    let scene = Scene::full().await;
    assert!(of(&scene, "bank_statement").await.is_empty(), "no bank has stated anything");
    let line = json!([{"bank_transaction_id": "S1", "booking_date": "2026-11-20",
        "value_date": "2026-11-20", "direction": "credit", "amount": inr("500.00"),
        "utr": null, "reference": null, "narration": "IN"}]);
    state(&scene, &stated("2026-11-20", "0.00", "500.00", &line)).await;
    let seen = of(&scene, "bank_statement").await;
    assert_eq!(seen[ESCROW], ["500.00", "500.00", "0.00"]);

    // Somebody moves our side by hand, and no line of the bank has it.
    scene.post(transfer("till:main:INR", ESCROW, "30.00")).await;
    let [ledger, counted, difference] = of(&scene, "bank_statement").await[ESCROW].clone();
    assert_eq!(counted, "500.00");
    let moved = ["530.00", "470.00"].iter().position(|amount| *amount == ledger).unwrap();
    assert_eq!(difference, ["30.00", "-30.00"][moved]);
    assert_eq!(differing(&scene, "bank_statement").await.len(), 1);
    // The bank's next closed day has it too: the two are the same again.
    let direction = ["credit", "debit"][moved];
    let line = json!([{"bank_transaction_id": "S2", "booking_date": "2026-11-21",
        "value_date": "2026-11-21", "direction": direction, "amount": inr("30.00"),
        "utr": null, "reference": null, "narration": "BY HAND"}]);
    state(&scene, &stated("2026-11-21", "500.00", &ledger, &line)).await;
    assert!(differing(&scene, "bank_statement").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_shop_waits_for_and_is_not_there_is_a_difference_on_its_account() {
    let scene = Scene::full().await;
    for account in ["income:mdr:INR", "merchant:books:unsettled:INR"] {
        scene.ledger.open(account).await;
    }
    let pay = PayMerchant {
        payment_id: PaymentId::from_uuid(uuid::Uuid::from_u128(8)),
        payer: word("wallet:asha:INR"),
        merchant: word("chai"),
        amount: money("wallet:asha:INR", "100.00"),
        terms: Terms::FIRST,
        request: None,
        settles_on: date("2027-01-05"),
        order: None,
        store: None,
        terminal: None,
    };
    scene.submit(PaymentOperation::Pay(pay).into()).await;
    // The payment's 98.00, and 117.64 that came by hand: more than the payments is no difference.
    let seen = of(&scene, "unsettled_payments").await;
    assert_eq!(seen[UNSETTLED], ["215.64", "215.64", "0.00"]);
    assert_eq!(seen["merchant:books:unsettled:INR"], ["0.00", "0.00", "0.00"]);

    // Somebody takes money of the shop away that a payment still has to settle.
    scene.post(transfer(UNSETTLED, "till:main:INR", "200.00")).await;
    let [ledger, counted, difference] = of(&scene, "unsettled_payments").await[UNSETTLED].clone();
    assert_eq!([&*ledger, &*counted, &*difference], ["15.64", "98.00", "-82.36"]);
    let all = differing(&scene, "unsettled_payments").await;
    assert_eq!(all.iter().map(|(subject, _)| &**subject).collect::<Vec<_>>(), [UNSETTLED]);
    scene.post(transfer("till:main:INR", UNSETTLED, "82.36")).await;
    assert!(differing(&scene, "unsettled_payments").await.is_empty());
}
