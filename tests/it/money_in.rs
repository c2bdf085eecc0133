//! Money in, from the request to the bank's statement: the whole service and banks that speak HTTP.

use ledger_api::identity::Scope;
use reqwest::StatusCode;
use rust_decimal::Decimal;
use sandbox_bank::BankCode;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, Reply},
        town::Town,
    },
};

/// Somebody presses a button on the bank's page.
async fn press(deposit: &Value, decision: &str) {
    let page = deposit["pay_page"].as_str().unwrap_or_else(|| panic!("{deposit:#}"));
    let form = reqwest::Client::new().post(page).body(format!("decision={decision}"));
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert!(form.send().await.unwrap().status().is_success());
}

/// What happened to it, but for the statement, which may come at any time.
fn events(deposit: &Value) -> Vec<&str> {
    let steps = deposit["timeline"].as_array().unwrap();
    let events = steps.iter().map(|step| step["event"].as_str().unwrap());
    events.filter(|event| *event != "settled").collect()
}

/// Whether its money is on the wallet.
fn is_completed(deposit: &Value) -> bool {
    deposit["status"] == "completed" || deposit["status"] == "settled"
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
    let made = town.deposit("500.00", None).await;
    press(&made, "approve").await;
    town.wait_for_deposit(id(&made), "completed").await;
    assert_eq!(town.balance("wallet:a:INR").await, decimal("1000500.00"));
    town.sandbox.advance(2 * 86_400).await;
    let done = town.wait_for_deposit(id(&made), "settled").await;
    assert_eq!(events(&done), ["begun", "received", "credited"], "{done:#}");
    let sources: Vec<_> = done["timeline"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&sources[1]["source"], &sources[2]["source"]),
        (&"webhook".into(), &"enquiry".into())
    );
    assert_eq!(town.balance("bank:hdfc:clearing_in:INR").await, decimal("0.00"));
    assert_eq!(town.balance("bank:hdfc:escrow:INR").await, decimal("5000500.00"));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_message_is_found_by_asking_and_what_nobody_pays_expires() {
    let town = Town::start().await;
    let lost = town.deposit("500.44", None).await;
    let unpaid = town.deposit("70.00", None).await;
    let late = town.deposit("80.00", None).await;
    press(&lost, "approve").await;
    town.sandbox.advance(30).await;
    let found = town.wait_for_deposit(id(&lost), "completed").await;
    assert_eq!(events(&found), ["begun", "credited"], "nobody told: {found:#}");

    town.sandbox.advance(31 * 60).await;
    town.wait_for_deposit(id(&unpaid), "expired").await;
    let expired = town.wait_for_deposit(id(&late), "expired").await;
    assert_eq!((&expired["final"], &expired["pay_page"]), (&true.into(), &Value::Null));
    press(&late, "approve").await;
    town.sandbox.advance(5).await;
    let done = town.wait_for_deposit(id(&late), "completed").await;
    assert_eq!(done["late"], true, "{done:#}");
    assert_eq!(town.balance("wallet:a:INR").await, decimal("1000580.44"));

    let listed = town.admin.get("/v1/deposits?account=wallet:a:INR&limit=2").await.made();
    let ids: Vec<_> = listed["data"].as_array().unwrap().iter().map(id).collect();
    assert_eq!(ids, [id(&late), id(&unpaid)], "newest first");
    let cursor = listed["next_cursor"].as_str().unwrap();
    let path = format!("/v1/deposits?account=wallet:a:INR&limit=2&cursor={cursor}");
    let rest = town.admin.get(&path).await.made();
    assert_eq!((id(&rest["data"][0]), &rest["has_more"]), (id(&lost), &false.into()));
    let expired = town.admin.get("/v1/deposits?status=expired").await.made();
    assert_eq!(id(&expired["data"][0]), id(&unpaid));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_is_credited_and_what_is_not_the_owners_waits_for_people() {
    let town = Town::start().await;
    let payer = town.bank_account("test").await;
    let more = town.deposit("500.52", Some(&payer)).await;
    let stranger = town.deposit("500.53", Some(&payer)).await;
    let nameless = town.deposit("500.51", None).await;
    for deposit in [&more, &stranger, &nameless] {
        press(deposit, "approve").await;
    }
    town.sandbox.advance(5).await;
    let done = town.wait_for_deposit(id(&more), "completed").await;
    assert_eq!(done["credited"]["value"], "501.52", "{done:#}");
    let seen = town.wait_for_deposit(id(&stranger), "in_review").await;
    assert_eq!(seen["aside"]["value"], "500.53");
    let mut steps = seen["timeline"].as_array().unwrap().iter();
    let step = steps.find(|step| step["event"] == "put_aside").unwrap();
    assert_eq!(step["reason"], "payer_differs");
    let unknown = town.wait_for_unsolicited("in_review").await;
    assert_eq!((&unknown["account"], &unknown["aside"]["value"]), (&Value::Null, &"500.51".into()));
    assert_eq!(town.wait_for_deposit(id(&nameless), "awaiting_payment").await["late"], false);
    assert_eq!(town.balance("suspense:credits:INR").await, decimal("1001.04"));
    assert_eq!(town.balance("wallet:a:INR").await, decimal("1000501.52"));
    verified(&town.stop().await).await;
}

/// What a person of ours decides of a deposit's first credit.
async fn decided(town: &Town, deposit: &Value, what: &str, body: Value) -> Reply {
    town.admin.post(&format!("/v1/ops/deposits/{}/credits/1/{what}", id(deposit)), &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn people_put_money_in_suspense_on_a_wallet_or_leave_it_to_be_sent_back() {
    let town = Town::start().await;
    let payer = town.bank_account("test").await;
    let first = town.deposit("500.53", Some(&payer)).await;
    let second = town.deposit("600.53", Some(&payer)).await;
    for deposit in [&first, &second] {
        press(deposit, "approve").await;
    }
    town.sandbox.advance(5).await;
    for deposit in [&first, &second] {
        town.wait_for_deposit(id(deposit), "in_review").await;
    }
    let to = json!({"account": "wallet:a:INR", "reason": "case-1"});
    let pool = town.database.pool().await;
    let user = Actor::new(&pool, &town.address, "asha", &[Scope::DepositsWrite]).await;
    let path = format!("/v1/ops/deposits/{}/credits/1/assign", id(&first));
    assert_eq!(user.post(&path, &to).await.code(), "forbidden");
    let assigned = decided(&town, &first, "assign", to.clone()).await.made();
    assert!(is_completed(&assigned), "{assigned:#}");
    assert_eq!(assigned["credited"]["value"], "500.53");
    let left = decided(&town, &second, "leave", json!({"reason": "third_party"})).await.made();
    assert_eq!(left["status"], "to_return");
    let late = decided(&town, &second, "assign", to.clone()).await;
    assert_eq!(
        (late.status, late.code()),
        (StatusCode::CONFLICT, "credit_not_in_review".to_owned())
    );
    for (body, code) in [
        (json!({"account": "wallet:a:INR"}), "invalid"),
        (json!({"account": "wallet:nobody:INR", "reason": "case-1"}), "account_not_found"),
    ] {
        assert_eq!(decided(&town, &second, "assign", body).await.refused(), code);
    }
    let none = town.admin.post(&path.replace("/1/", "/2/"), &to).await;
    assert_eq!(none.code(), "credit_not_found");
    let seen = town.wait_for_deposit(id(&first), "completed").await;
    let mut steps = seen["timeline"].as_array().unwrap().iter();
    let step = steps.find(|step| step["event"] == "assigned").unwrap();
    assert_eq!((&step["reason"], &step["by"]), (&"case-1".into(), &"admin".into()));
    assert_eq!(town.balance("suspense:credits:INR").await, decimal("600.53"));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_a_bank_asks_back_is_held_until_a_person_decides() {
    let town = Town::start().await;
    let given = town.deposit("500.54", None).await;
    let kept = town.deposit("600.54", None).await;
    for deposit in [&given, &kept] {
        press(deposit, "approve").await;
    }
    town.sandbox.advance(5).await;
    for deposit in [&given, &kept] {
        town.wait_for_deposit(id(deposit), "completed").await;
    }
    let early = decided(&town, &given, "recall/grant", json!({"reason": "mistake"})).await;
    assert_eq!(
        (early.status, early.code()),
        (StatusCode::NOT_FOUND, "recall_not_found".to_owned())
    );
    town.sandbox.advance(65).await;
    for deposit in [&given, &kept] {
        town.wait_for_deposit(id(deposit), "recall_requested").await;
    }
    let held = town.admin.get("/v1/holds?account=wallet:a:INR&status=open").await.made();
    assert_eq!(held["data"].as_array().unwrap().len(), 2, "{held:#}");
    let gone = decided(&town, &given, "recall/grant", json!({"reason": "mistake"})).await.made();
    assert_eq!((&gone["status"], &gone["final"]), (&"recalled".into(), &true.into()));
    let stays = decided(&town, &kept, "recall/refuse", json!({"reason": "delivered"})).await.made();
    assert!(is_completed(&stays), "{stays:#}");
    let other = decided(&town, &kept, "recall/grant", json!({"reason": "mistake"})).await;
    assert_eq!((other.status, other.code()), (StatusCode::CONFLICT, "recall_decided".to_owned()));
    let seen = town.wait_for_deposit(id(&given), "recalled").await;
    // The message comes first, or the statement: then nothing is left to be received.
    let mut told = events(&seen);
    told.retain(|event| *event != "received");
    let steps = ["begun", "credited", "recall_requested", "recall_granted"];
    assert_eq!(told, steps, "{seen:#}");
    assert_eq!(town.balance("wallet:a:INR").await, decimal("1000600.54"));
    assert_eq!(town.balance("bank:hdfc:clearing_out:INR").await, decimal("500.54"));
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_to_a_virtual_account_is_its_wallets_and_to_an_unknown_one_nobodys() {
    let town = Town::start().await;
    let body = json!({"account": "wallet:a:INR", "bank": "hdfc"});
    let made = town.admin.post("/v1/virtual-accounts", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let again = town.admin.post("/v1/virtual-accounts", &body).await;
    assert_eq!((again.status, &again.text), (StatusCode::OK, &made.text));
    let made = made.json();
    let read = town.admin.get(&format!("/v1/virtual-accounts/{}", id(&made))).await.made();
    let listed = town.admin.get("/v1/virtual-accounts?account=wallet:a:INR").await.made();
    assert_eq!((&read, &listed["data"][0]), (&made, &made));
    let axis = json!({"account": "wallet:a:INR", "bank": "axis"});
    let other = town.admin.post("/v1/virtual-accounts", &axis).await.made();
    assert_ne!(other["number"], made["number"]);
    for (field, value, code) in [
        ("bank", "sbi", "bank_unknown"),
        ("account", "wallet:nobody:INR", "account_not_found"),
        ("account", "till:main:INR", "not_depositable"),
    ] {
        let mut bad = body.clone();
        bad[field] = value.into();
        assert_eq!(town.admin.post("/v1/virtual-accounts", &bad).await.refused(), code);
    }

    let pay = async |number: &Value, amount: &str| {
        let credit = json!({"amount": {"value": amount, "currency": "INR"},
                            "virtual_account": number});
        let credit = serde_json::from_value(credit).unwrap();
        town.sandbox.control.credit(BankCode::Hdfc, &credit).await.unwrap();
        town.sandbox.advance(5).await;
    };
    pay(&made["number"], "75.00").await;
    let done = town.wait_for_unsolicited("completed").await;
    assert_eq!((&done["account"], &done["credited"]["value"]), (&body["account"], &"75.00".into()));
    // A number of another bank is none of this one's.
    pay(&other["number"], "76.00").await;
    let unknown = town.wait_for_unsolicited("in_review").await;
    assert_eq!((&unknown["account"], &unknown["aside"]["value"]), (&Value::Null, &"76.00".into()));
    verified(&town.stop().await).await;
}
