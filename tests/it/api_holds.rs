//! Holds over HTTP, and the sweeper that ends them.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use ledger_core::clock::{Clock, ManualClock};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    bahi::{Actor, PATIENCE, Set, TestBahi, amount},
    database::Database,
};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

async fn place(actor: &Actor, value: &str) -> String {
    let hold = actor.post("/v1/holds", &json!({"account": A, "amount": amount(A, value)})).await;
    assert_eq!(hold.status, StatusCode::CREATED, "{}", hold.text);
    hold.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_reserves_grows_and_is_captured_once() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let id = place(&admin, "60").await;
    assert_eq!(admin.transfer(A, B, "50.00").await.refused(), "insufficient_funds");
    let path = |verb: &str| format!("/v1/holds/{id}/{verb}");
    let grown = admin.post(&path("increase"), &json!({"by": amount(A, "10")})).await.made();
    assert_eq!(grown["amount"], amount(A, "70.00"));

    let too_much = json!({"kind": "payment", "amount": amount(A, "70.01"), "to": [{"account": B}]});
    assert_eq!(admin.post(&path("capture"), &too_much).await.refused(), "capture_exceeds_hold");
    let part = json!({"kind": "payment", "amount": amount(A, "45"), "to": [{"account": B}]});
    let captured = admin.post_with("k", &path("capture"), &part).await;
    let body = captured.made();
    assert_eq!((&body["status"], &body["final"]), (&json!("captured"), &json!(true)));
    assert_eq!((&body["captured"], &body["released"]), (&amount(A, "45.00"), &amount(A, "25.00")));
    let again = admin.post_with("k", &path("capture"), &part).await;
    assert_eq!((again.is_replay(), &again.text), (true, &captured.text));
    assert_eq!(admin.post(&path("capture"), &part).await.refused(), "hold_not_open");
    assert_eq!(admin.post(&path("release"), &json!({})).await.refused(), "hold_not_open");

    let transaction = admin.get(captured.header("location")).await.made();
    assert_eq!(transaction["id"], body["transaction"]);
    assert_eq!(transaction["cause"], json!(id));
    let min = format!("min_position={}", captured.position());
    let read = admin.get(&format!("/v1/holds/{id}?{min}")).await.made();
    assert_eq!((&read["status"], &read["released"]), (&json!("captured"), &amount(A, "25.00")));
    let list = admin.get(&format!("/v1/holds?account={A}&status=captured&{min}")).await.made();
    assert_eq!(list["data"][0]["id"], json!(id));
    assert_eq!(admin.balance(A, captured.position()).await, "55.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_7_capture_and_release_at_once_have_one_winner() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    for _ in 0..10 {
        let id = place(&admin, "1").await;
        let body = json!({"kind": "payment", "to": [{"account": B}]});
        let (capture, release) =
            (format!("/v1/holds/{id}/capture"), format!("/v1/holds/{id}/release"));
        let empty = json!({});
        let (captured, released) =
            tokio::join!(admin.post(&capture, &body), admin.post(&release, &empty));
        let won = [&captured, &released].into_iter().filter(|a| a.status.is_success()).count();
        assert_eq!(won, 1, "{} {}", captured.text, released.text);
        let loser = if captured.status.is_success() { &released } else { &captured };
        assert_eq!(loser.refused(), "hold_not_open");
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_whose_time_has_come_cannot_be_captured_and_is_swept() {
    let now: DateTime<Utc> = "2026-11-22T12:00:00Z".parse().unwrap();
    let clock = Arc::new(ManualClock::at(now));
    let database = Database::create().await;
    let set = Set { clock: Arc::<ManualClock>::clone(&clock), ..Set::default() };
    let bahi = TestBahi::on(&database, set).await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let hold =
        |at: DateTime<Utc>| json!({"account": A, "amount": amount(A, "40"), "expires_at": at});
    let past = admin.post("/v1/holds", &hold(now)).await;
    assert_eq!(past.refused(), "hold_expiry_past");
    // A leap second that belongs to the year 10000.
    let leap = json!({"account": A, "amount": amount(A, "40"),
                      "expires_at": "9999-12-31T23:59:60Z"});
    assert_eq!(admin.post("/v1/holds", &leap).await.refused(), "invalid");
    let placed = admin.post("/v1/holds", &hold(now + TimeDelta::minutes(5))).await;
    let id = placed.made()["id"].as_str().unwrap().to_owned();
    assert_eq!(placed.json()["expires_at"], "2026-11-22T12:05:00Z");
    assert_eq!(clock.now(), now);

    clock.advance(TimeDelta::minutes(5));
    // Whether the sweeper was there or not, the answer is a refusal.
    let body = json!({"kind": "payment", "to": [{"account": B}]});
    let refused = admin.post(&format!("/v1/holds/{id}/capture"), &body).await.refused();
    assert!(["hold_expired", "hold_not_open"].contains(&&*refused), "{refused}");
    let expired = async {
        loop {
            let read = admin.get(&format!("/v1/holds/{id}")).await.made();
            if read["status"] == "expired" {
                return read;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let read: Value = tokio::time::timeout(PATIENCE, expired).await.expect("it is swept");
    assert_eq!(read["final"], true);
    let account = admin.get(&format!("/v1/accounts/{A}")).await.made();
    assert_eq!(account["balance"]["held"], amount(A, "0.00"));
    assert_eq!(account["balance"]["available"], amount(A, "100.00"));
    bahi.finish().await;
}
