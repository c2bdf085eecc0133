//! Tiers over HTTP: define, put on, be refused with what is left, ask what was used.

use std::sync::Arc;

use chrono::TimeDelta;
use ledger_core::clock::ManualClock;
use serde_json::{Value, json};

use crate::support::{
    bahi::{Actor, Set, TestBahi, amount},
    database::Database,
};

const ASHA: &str = "wallet:asha:INR";
const RAVI: &str = "wallet:ravi:INR";

fn tier(per_day: &str) -> Value {
    json!({"tier": "small", "currency": "INR", "balance": amount(ASHA, "500.00"),
           "out": {"per_day": amount(ASHA, per_day)}})
}

async fn usage(actor: &Actor) -> Value {
    actor.get(&format!("/v1/accounts/{ASHA}/usage")).await.made()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tier_refuses_with_what_is_left_and_the_next_day_begins_in_india() {
    // 18:29 UTC is one minute to midnight in Kolkata.
    let clock = Arc::new(ManualClock::at("2026-11-22T18:29:00Z".parse().unwrap()));
    let set = Set { clock: clock.clone(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let admin = bahi.admin().await;
    admin.wallet(ASHA, "400.00").await;
    admin.wallet(RAVI, "400.00").await;
    let path = format!("/v1/accounts/{ASHA}/tier");
    let small = json!({"tier": "small"});
    assert_eq!(admin.post(&path, &small).await.refused(), "tier_unknown");
    admin.post("/v1/tiers", &tier("100.00")).await.made();
    admin.post(&path, &small).await.made();
    assert_eq!(usage(&admin).await["out"]["day"]["left"], amount(ASHA, "100.00"));

    admin.transfer(ASHA, RAVI, "99.50").await.made();
    let over = admin.transfer(ASHA, RAVI, "1.00").await;
    assert_eq!(over.refused(), "limit_exceeded");
    let expected = json!({"tier": "small", "flow": "out", "limit": "day",
        "maximum": amount(ASHA, "100.00"), "left": amount(ASHA, "0.50"),
        "resets_on": "2026-11-23"});
    assert_eq!(over.json()["limit"], expected);
    let held = admin.transfer(RAVI, ASHA, "199.51").await;
    assert_eq!(held.refused(), "limit_exceeded");
    assert_eq!(held.json()["limit"]["left"], amount(ASHA, "199.50"));
    let used = usage(&admin).await;
    assert_eq!((&used["today"], &used["version"]), (&json!("2026-11-22"), &json!(1)));
    assert_eq!(used["out"]["day"]["used"], amount(ASHA, "99.50"));
    assert_eq!(used["out"]["month"]["used"], amount(ASHA, "99.50"));
    assert!(used["out"]["month"].get("left").is_none());

    clock.advance(TimeDelta::minutes(1));
    let used = usage(&admin).await;
    assert_eq!(used["out"]["day"]["left"], amount(ASHA, "100.00"));
    assert_eq!(used["out"]["day"]["resets_on"], "2026-11-24");
    assert_eq!(used["out"]["year"]["used"], amount(ASHA, "99.50"));
    admin.transfer(ASHA, RAVI, "100.00").await.made();
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tiers_are_refused_where_they_make_no_sense() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let clerk = bahi.actor("clerk", &[ledger_api::identity::Scope::LedgerWrite]).await;
    assert_eq!(clerk.post("/v1/tiers", &tier("1")).await.code(), "forbidden");
    let mut yen = tier("1");
    yen["currency"] = json!("JPY");
    assert_eq!(admin.post("/v1/tiers", &yen).await.refused(), "currency_mismatch");
    assert_eq!(admin.post("/v1/tiers", &tier("0.001")).await.refused(), "amount_scale");
    let mut expected = tier("1");
    expected["expected_version"] = json!(1);
    assert_eq!(admin.post("/v1/tiers", &expected).await.refused(), "tier_version");
    admin.post("/v1/tiers", &tier("1")).await.made();
    let replay = admin.post_with("k", "/v1/tiers", &expected).await;
    replay.made();
    let again = admin.post_with("k", "/v1/tiers", &expected).await;
    assert_eq!((again.is_replay(), &again.text), (true, &replay.text));
    let listed = admin.get("/v1/tiers").await.json();
    assert_eq!(listed["data"][0]["version"], 2);

    admin.open("bank:hdfc:clearing_in:INR").await.made();
    let clearing = "/v1/accounts/bank:hdfc:clearing_in:INR/tier";
    let small = json!({"tier": "small"});
    assert_eq!(admin.post(clearing, &small).await.refused(), "tier_not_allowed");
    admin.open("wallet:asha:JPY").await.made();
    let yen = "/v1/accounts/wallet:asha:JPY/tier";
    assert_eq!(admin.post(yen, &small).await.refused(), "currency_mismatch");
    assert_eq!(admin.post(yen, &json!({})).await.code(), "invalid");
    let nobody = format!("/v1/accounts/{ASHA}/usage");
    assert_eq!(admin.get(&nobody).await.code(), "not_found");
    let none = admin.get("/v1/accounts/wallet:asha:JPY/usage").await.json();
    assert_eq!((&none["tier"], none.get("out")), (&json!(null), None));
    bahi.finish().await;
}
