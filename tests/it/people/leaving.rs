//! Taking one's data along, closing, being forgotten.

use std::sync::Arc;

use chrono::TimeDelta;
use ledger_api::{
    identity::Scope,
    people::{PersonId, Recipient},
};
use ledger_core::clock::{Clock as _, ManualClock, System};
use reqwest::Method;
use serde_json::json;

use super::visitor::{PASSWORD, Visitor, who};
use crate::support::{
    bahi::{Set, TestBahi, fresh_key, send},
    database::Database,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_export_has_everything_and_nobody_elses() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let wallet = asha.sign_up("asha").await["person"]["wallet"].as_str().unwrap().to_owned();
    Visitor::of(&bahi).sign_up("ravi").await;
    let admin = bahi.admin().await;
    admin.open("till:main:INR").await.made();
    let moved = admin.transfer("till:main:INR", &wallet, "250.00").await;
    admin.balance(&wallet, moved.position()).await;
    let all = asha.get("/v1/me/export").await.made();
    assert_eq!(all["person"]["email"], "asha@example.com");
    assert_eq!(all["wallet"]["lines"].as_array().unwrap().len(), 1);
    assert_eq!(all["sessions"].as_array().unwrap().len(), 1);
    assert!(all["wallet"]["complete"] == true && !all.to_string().contains("ravi"));
    asha.get("/v1/me/export").await.made();
    assert_eq!(asha.get("/v1/me/export").await.status, 429);
    let file = asha.form("/app/settings/export", &[]).await;
    assert_eq!(file.status, 429);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_closed_when_empty_and_forgotten_when_the_law_allows() {
    let clock = Arc::new(ManualClock::at(System.now()));
    let retention = TimeDelta::days(30);
    let set = Set { clock: clock.clone(), retention, ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let mut asha = Visitor::of(&bahi);
    let made = asha.post("/v1/signup", &who("asha")).await.made();
    let id: PersonId = made["person"]["id"].as_str().unwrap().parse().unwrap();
    let wallet = id.wallet().unwrap().to_string();
    let admin = bahi.admin().await;
    admin.open("till:main:INR").await.made();
    admin.transfer("till:main:INR", &wallet, "250.00").await.made();
    assert_eq!(asha.post("/v1/me/close", &json!({})).await.refused(), "balance_not_zero");
    admin.transfer(&wallet, "till:main:INR", "250.00").await.made();
    let elsewhere = asha.clone();
    asha.post("/v1/me/close", &json!({})).await.made();

    assert_eq!(elsewhere.get("/v1/me").await.status, 401);
    assert_eq!(Visitor::of(&bahi).log_in("asha", PASSWORD).await.code(), "login_refused");
    let handle: Recipient = "@asha".parse().unwrap();
    assert!(bahi.keeper.people.find(&handle).await.unwrap().is_none());
    let position = bahi.engine.status().borrow().head.position;
    let path = format!("/v1/accounts/{wallet}?min_position={position}");
    assert_eq!(admin.get(&path).await.made()["status"], "closed");

    // Kept until the retention ends: the handle is nobody else's either.
    clock.advance(TimeDelta::days(29));
    bahi.keeper.round().await.unwrap();
    let kept = bahi.keeper.people.by_id(id).await.unwrap().unwrap();
    assert_eq!(kept.email.expose(), "asha@example.com");
    assert_eq!(Visitor::of(&bahi).post("/v1/signup", &who("asha")).await.refused(), "handle_taken");

    clock.advance(TimeDelta::days(1));
    bahi.keeper.round().await.unwrap();
    bahi.keeper.round().await.unwrap();
    assert!(bahi.keeper.people.by_id(id).await.unwrap().is_none());
    assert!(bahi.keeper.people.faces(&[id]).await.unwrap().is_empty());
    let pool = bahi.database.pool().await;
    let left: i64 = sqlx::query_scalar(
        "select (select count(*) from person_details) + (select count(*) from credentials)
             + (select count(*) from subject_keys where wrapped is not null)
             + (select count(*) from people where handle is not null or email_hash is not null)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(left, 0);
    // Another one may have the handle now, and is somebody else.
    let again = Visitor::of(&bahi).sign_up("asha").await;
    assert_ne!(again["person"]["id"].as_str().unwrap(), id.to_string());
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_stays_open_while_its_owner_owes() {
    let bahi = TestBahi::spawn().await;
    let mut asha = Visitor::of(&bahi);
    let wallet = asha.sign_up("asha").await["person"]["wallet"].as_str().unwrap().to_owned();
    let debt = wallet.replacen("wallet:", "receivable:overpaid:", 1);
    let admin = bahi.admin().await;
    let second = bahi.actor("second", &[Scope::OpsApprove]).await;
    admin.open("wallet:bank:INR").await.made();
    admin.open(&debt).await.made();
    let adjust = async |debit: &str, credit: &str| {
        let body = json!({"kind": "adjustment", "debit": debit, "credit": credit,
            "amount": {"value": "300.00", "currency": "INR"}, "reason": "test",
            "evidence_sha256": "a".repeat(64)});
        let request = admin.request(Method::POST, "/v1/transactions");
        let request = request.header("idempotency-key", fresh_key());
        let request = request.header("approver-authorization", format!("Bearer {}", second.key));
        let position = send(request.json(&body)).await.made()["position"].as_u64().unwrap();
        asha.get(&format!("/v1/balances?min_position={position}")).await.made()
    };
    let owing = adjust(&debt, "wallet:bank:INR").await;
    assert_eq!(owing["owed"]["value"], "300.00", "{owing}");
    assert_eq!(owing["total"]["value"], "0.00", "what is owed is in no other sum: {owing}");
    for page in ["/app", "/app/settings/close"] {
        let shown = asha.get(page).await;
        assert!(shown.text.contains("You owe") && shown.text.contains("300"), "{}", shown.text);
    }
    let refused = asha.clone().post("/v1/me/close", &json!({})).await;
    assert_eq!(refused.refused(), "debt_open");
    let form = asha.clone().form("/app/settings/close", &[]).await;
    assert_eq!(form.status, 422, "{}", form.text);
    assert!(form.text.contains("so your wallet stays open"), "{}", form.text);
    let by_key = admin.post(&format!("/v1/accounts/{wallet}/close"), &json!({})).await;
    assert_eq!(by_key.refused(), "debt_open");

    let repaid = adjust("wallet:bank:INR", &debt).await;
    assert_eq!(repaid["owed"]["value"], "0.00", "{repaid}");
    assert!(!asha.get("/app").await.text.contains("You owe"));
    asha.clone().post("/v1/me/close", &json!({})).await.made();
    bahi.finish().await;
}
