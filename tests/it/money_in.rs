//! Money in, from the request to the bank's statement: the whole service and banks that speak HTTP.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{audit_engine::verified, support::town::Town};

/// Somebody presses a button on the bank's page.
async fn press(deposit: &Value, decision: &str) {
    let page = deposit["pay_page"].as_str().unwrap_or_else(|| panic!("{deposit:#}"));
    let form = reqwest::Client::new().post(page).body(format!("decision={decision}"));
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert!(form.send().await.unwrap().status().is_success());
}

fn events(deposit: &Value) -> Vec<&str> {
    let steps = deposit["timeline"].as_array().unwrap();
    steps.iter().map(|step| step["event"].as_str().unwrap()).collect()
}

fn id(deposit: &Value) -> &str {
    deposit["id"].as_str().unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_paid_told_of_checked_credited_and_settled_by_itself() {
    let town = Town::start().await;
    let made = town.deposit("500.00").await;
    press(&made, "approve").await;
    town.wait_for_deposit(id(&made), "completed").await;
    assert_eq!(town.balance("wallet:a:INR").await, decimal("1000500.00"));
    assert_eq!(town.balance("bank:hdfc:clearing_in:INR").await, decimal("500.00"));
    town.sandbox.advance(2 * 86_400).await;
    let done = town.wait_for_deposit(id(&made), "settled").await;
    assert_eq!(events(&done), ["begun", "received", "credited", "settled"], "{done:#}");
    let sources: Vec<_> = done["timeline"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&sources[1]["source"], &sources[2]["source"]),
        (&"webhook".into(), &"enquiry".into())
    );
    assert_eq!(town.balance("bank:hdfc:clearing_in:INR").await, decimal("0.00"));
    assert_eq!(town.balance("bank:hdfc:escrow:INR").await, decimal("5000500.00"));
    verified(&town.stop().await).await;
}
