//! What operators see and decide alone: review, what is passed over, banks, deliveries; and lists.

use std::time::Duration;

use ledger_api::identity::Scope;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{PATIENCE, Reply, amount},
        town::Town,
    },
};

const WALLET: &str = "wallet:a:INR";

#[track_caller]
fn refused(reply: &Reply, status: u16, code: &str) {
    let seen = (reply.status.as_u16(), reply.code());
    assert_eq!(seen, (status, code.to_owned()), "{}", reply.text);
}

/// Asks until the answer is as wanted.
async fn until(ask: impl AsyncFn() -> Value, is_there: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = ask().await;
        if is_there(&seen) {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "not in time: {seen:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_amounts_and_new_payees_wait_for_another_person() {
    let town = Town::start().await;
    let approver = town.actor("ravi", &[Scope::OpsApprove]).await;
    let reader = town.actor("visitor", &[Scope::OpsRead]).await;
    let to = town.bank_account("test").await;
    let small = town.withdraw("hdfc", &to, "50000.00").await;
    town.wait_for(&small, "completed").await;

    let large = town.withdraw("hdfc", &to, "100000.01").await;
    let seen = town.wait_for(&large, "pending_review").await;
    assert_eq!(seen["status_detail"]["reason"], "amount", "{seen:#}");
    assert_eq!((&seen["cancellable"], &seen["funds"]), (&json!(true), &json!("held")));
    let approve = format!("/v1/ops/withdrawals/{large}/approve");
    refused(&reader.post(&approve, &json!({})).await, 403, "forbidden");
    refused(&town.admin.post(&approve, &json!({})).await, 403, "second_person_needed");
    let passed = approver.post_with("one", &approve, &json!({})).await;
    assert_eq!(passed.made()["status"], "queued");
    let again = approver.post_with("one", &approve, &json!({})).await;
    assert!(again.is_replay() && again.json() == passed.json(), "{}", again.text);
    let done = town.wait_for(&large, "completed").await;
    let decision = done["timeline"].as_array().unwrap().iter().find(|s| s["event"] == "approved");
    assert_eq!(decision.unwrap()["by"], "ravi");

    let new = town.withdraw("hdfc", &to, "50000.01").await;
    let seen = town.wait_for(&new, "pending_review").await;
    assert_eq!(seen["status_detail"]["reason"], "new_payee", "{seen:#}");
    let listed = reader.get("/v1/ops/withdrawals?status=pending_review").await.made();
    assert_eq!(listed["data"][0]["id"], json!(new));
    assert_eq!(listed["data"][0]["status_detail"]["reason"], "new_payee");
    let reject = format!("/v1/ops/withdrawals/{new}/reject");
    refused(&reader.post(&reject, &json!({})).await, 403, "forbidden");
    let bad = approver.post(&reject, &json!({"reason": "with spaces"})).await;
    assert_eq!(bad.refused(), "invalid");
    let body = json!({"reason": "payee_suspicious"});
    let rejected = approver.post_with("two", &reject, &body).await;
    assert_eq!(rejected.made()["status"], "rejected");
    assert!(approver.post_with("two", &reject, &body).await.is_replay());
    let late = format!("/v1/ops/withdrawals/{new}/approve");
    refused(&approver.post(&late, &json!({})).await, 409, "withdrawal_not_in_review");

    // A day later the payee is not new any more; what waits since then still does.
    let waits = town.withdraw("axis", &to, "50000.02").await;
    town.wait_for(&waits, "pending_review").await;
    town.sandbox.advance(25 * 3_600).await;
    let ask = async || reader.get("/v1/ops/banks").await.made();
    until(ask, |seen| {
        let axis = &seen["data"][0];
        axis["open"][0]["oldest_seconds"].as_i64().is_some_and(|age| age > 24 * 3_600)
    })
    .await;
    let known = town.withdraw("hdfc", &to, "50000.03").await;
    town.wait_for(&known, "completed").await;
    town.wait_for(&waits, "pending_review").await;
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_withdrawals_within_an_hour_make_the_next_one_wait_if_it_is_not_small() {
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    for _ in 0..19 {
        town.withdraw("axis", &to, "10.00").await;
    }
    let counted = async |count: usize| {
        let ask = async || town.admin.get("/v1/withdrawals?limit=100").await.made();
        until(ask, |seen| seen["data"].as_array().unwrap().len() == count).await;
    };
    counted(19).await;
    let status = async |id: &str, wanted: &[&str]| {
        let ask = async || town.admin.get(&format!("/v1/withdrawals/{id}")).await.made();
        until(ask, |seen| wanted.contains(&seen["status"].as_str().unwrap())).await
    };
    let passes = town.withdraw("axis", &to, "10000.01").await;
    status(&passes, &["completed"]).await;
    counted(20).await;
    let waits = town.withdraw("axis", &to, "10000.01").await;
    let seen = status(&waits, &["pending_review", "completed"]).await;
    assert_eq!(seen["status_detail"]["reason"], "velocity", "{seen:#}");
    let small = town.withdraw("axis", &to, "10000.00").await;
    status(&small, &["completed"]).await;
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_is_paused_and_goes_on() {
    let town = Town::start().await;
    let operator = town.actor("asha", &[Scope::OpsRead, Scope::OpsWrite]).await;
    let reader = town.actor("visitor", &[Scope::OpsRead]).await;
    let to = town.bank_account("test").await;
    let why = json!({"reason": "The bank asked us to wait"});
    refused(&reader.post("/v1/ops/banks/hdfc/pause", &why).await, 403, "forbidden");
    refused(&operator.post("/v1/ops/banks/sbi/pause", &why).await, 404, "not_found");
    let empty = operator.post("/v1/ops/banks/hdfc/pause", &json!({"reason": ""})).await;
    assert_eq!(empty.refused(), "invalid");
    let paused = operator.post("/v1/ops/banks/hdfc/pause", &why).await.made();
    assert_eq!(paused["paused"]["by"], "asha");
    let again = operator.post("/v1/ops/banks/hdfc/pause", &json!({"reason": "other"})).await;
    assert_eq!(again.made(), paused);

    let id = town.withdraw("hdfc", &to, "70.00").await;
    let ask = async || town.admin.get(&format!("/v1/withdrawals/{id}")).await.made();
    until(ask, |seen| seen["status_detail"]["reason"] == "paused").await;
    let banks = reader.get("/v1/ops/banks").await.made();
    let hdfc = banks["data"].as_array().unwrap().iter().find(|bank| bank["bank"] == "hdfc");
    let hdfc = hdfc.unwrap();
    assert_eq!(
        (&hdfc["waits_for"], &hdfc["sending"]),
        (&json!("paused"), &json!(true)),
        "{hdfc:#}"
    );
    assert_eq!(
        (&hdfc["open"][0]["status"], &hdfc["open"][0]["count"]),
        (&json!("queued"), &json!(1))
    );
    assert_eq!(hdfc["float"]["left"], amount(WALLET, "5000000.00"));
    // Another bank's queue knows nothing of it.
    let other = town.withdraw("axis", &to, "80.00").await;
    town.wait_for(&other, "completed").await;

    refused(&reader.post("/v1/ops/banks/hdfc/resume", &json!({})).await, 403, "forbidden");
    for _ in 0..2 {
        let resumed = operator.post("/v1/ops/banks/hdfc/resume", &json!({})).await.made();
        assert_eq!(resumed["paused"], Value::Null);
    }
    town.wait_for(&id, "completed").await;
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payee_that_was_removed_stops_a_withdrawal_until_it_is_given_up() {
    let town = Town::start().await;
    let operator = town.actor("asha", &[Scope::OpsRead, Scope::OpsWrite]).await;
    let reader = town.actor("visitor", &[Scope::OpsRead]).await;
    let to = town.bank_account("test").await;
    let why = json!({"reason": "a test"});
    operator.post("/v1/ops/banks/axis/pause", &why).await.made();
    let id = town.withdraw("axis", &to, "70.00").await;
    town.admin.delete(&format!("/v1/bank-accounts/{to}")).await.made();
    operator.post("/v1/ops/banks/axis/resume", &json!({})).await.made();

    let ask = async || reader.get("/v1/ops/withdrawals?blocked=true").await.made();
    let seen = until(ask, |seen| seen["data"][0]["id"] == json!(id)).await;
    let detail = &seen["data"][0]["status_detail"];
    let wanted = (&json!("you"), &json!("payee_unavailable"));
    assert_eq!((&detail["source"], &detail["reason"]), wanted);
    let others = reader.get("/v1/ops/withdrawals?blocked=false").await.made();
    assert_eq!(others["data"], json!([]));
    let unblock = format!("/v1/ops/withdrawals/{id}/unblock");
    refused(&reader.post(&unblock, &json!({})).await, 403, "forbidden");
    let nobody = "/v1/ops/withdrawals/wd_019a0000000070008000000000000099/unblock";
    refused(&operator.post(nobody, &json!({})).await, 404, "not_found");
    assert_eq!(operator.post(&unblock, &json!({})).await.made()["was_blocked"], true);
    // Nothing was mended, so it is stopped again.
    let ask = async || reader.get("/v1/ops/withdrawals?blocked=true").await.made();
    until(ask, |seen| seen["data"][0]["id"] == json!(id)).await;
    let cancel = format!("/v1/withdrawals/{id}/cancel");
    assert_eq!(town.admin.post(&cancel, &json!({})).await.made()["status"], "cancelled");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_banks_told_is_listed_and_can_be_applied_again() {
    let town = Town::start().await;
    let operator = town.actor("asha", &[Scope::OpsRead, Scope::OpsWrite]).await;
    let reader = town.actor("visitor", &[Scope::OpsRead]).await;
    let to = town.bank_account("test").await;
    for value in ["70.00", "80.00"] {
        let id = town.withdraw("hdfc", &to, value).await;
        town.wait_for(&id, "completed").await;
    }
    let ask = async || reader.get("/v1/ops/inbound?state=applied&bank=hdfc").await.made();
    let two = |seen: &Value| seen["data"].as_array().unwrap().len() == 2;
    let both = until(ask, two).await;
    let first = reader.get("/v1/ops/inbound?state=applied&limit=1").await.made();
    assert_eq!((&first["data"][0], &first["has_more"]), (&both["data"][0], &json!(true)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/v1/ops/inbound?state=applied&limit=1&cursor={cursor}");
    let second = reader.get(&path).await.made();
    assert_eq!((&second["data"][0], &second["has_more"]), (&both["data"][1], &json!(false)));
    refused(&reader.get("/v1/ops/inbound?state=lost").await, 422, "invalid");
    let foreign = format!("/v1/ops/inbound?state=parked&cursor={cursor}");
    refused(&reader.get(&foreign).await, 400, "cursor_invalid");

    let balance = town.admin.balance(WALLET, 0).await;
    let reprocess = format!("/v1/ops/inbound/{}/reprocess", both["data"][0]["id"]);
    refused(&reader.post(&reprocess, &json!({})).await, 403, "forbidden");
    refused(&operator.post("/v1/ops/inbound/999999/reprocess", &json!({})).await, 404, "not_found");
    refused(&operator.post("/v1/ops/inbound/x/reprocess", &json!({})).await, 404, "not_found");
    let once = operator.post(&reprocess, &json!({})).await.made();
    let twice = operator.post(&reprocess, &json!({})).await.made();
    assert_eq!(once, twice);
    assert_eq!(once["conclusions"].as_array().unwrap().len(), 1, "{once:#}");
    assert_eq!(once["conclusions"][0]["outcome"], "applied");
    assert_eq!(town.admin.balance(WALLET, 0).await, balance);
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_came_back_appears_by_itself_when_the_wallet_is_unfrozen() {
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    let operator = town.actor("asha", &[Scope::OpsRead, Scope::OpsWrite]).await;
    let why = json!({"reason": "a test"});
    operator.post("/v1/ops/banks/axis/pause", &why).await.made();
    let id = town.withdraw("axis", &to, "70.21").await;
    let freezes = format!("/v1/accounts/{WALLET}/freezes");
    let freeze = json!({"reference": "order-1", "mode": "credit"});
    assert_eq!(town.admin.post(&freezes, &freeze).await.status, StatusCode::CREATED);
    operator.post("/v1/ops/banks/axis/resume", &json!({})).await.made();
    let failed = town.wait_for(&id, "failed").await;
    assert_eq!(failed["unapplied"], amount(WALLET, "80.21"), "{failed:#}");
    assert_eq!(failed["status_detail"]["reason"], "wallet_blocked");
    town.admin.delete(&format!("{freezes}/order-1")).await.made();
    let ask = async || town.admin.get(&format!("/v1/withdrawals/{id}")).await.made();
    let there = until(ask, |seen| seen["unapplied"] == amount(WALLET, "0.00")).await;
    assert_eq!(there["timeline"].as_array().unwrap().last().unwrap()["event"], "applied");
    assert_eq!(town.admin.balance(WALLET, 0).await, "1000000.00");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawals_are_listed_page_by_page() {
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    let mut ids = Vec::new();
    for value in ["70.00", "71.00", "72.00"] {
        let id = town.withdraw("axis", &to, value).await;
        town.wait_for(&id, "completed").await;
        ids.insert(0, json!(id));
    }
    let mut seen = Vec::new();
    let base = format!("/v1/withdrawals?account={WALLET}&status=completed&limit=2");
    let mut path = base.clone();
    loop {
        let page = town.admin.get(&path).await.made();
        seen.extend(page["data"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{base}&cursor={cursor}");
    }
    assert_eq!(seen, ids);
    let none = town.admin.get("/v1/withdrawals?account=wallet:b:INR").await.made();
    assert_eq!((&none["data"], &none["has_more"]), (&json!([]), &json!(false)));
    refused(&town.admin.get("/v1/withdrawals?status=lost").await, 422, "invalid");
    refused(&town.admin.get("/v1/withdrawals?limit=0").await, 422, "invalid");
    let weak = town.actor("weak", &[Scope::BalancesRead]).await;
    refused(&weak.get("/v1/withdrawals").await, 403, "forbidden");
    refused(&weak.get("/v1/ops/withdrawals").await, 403, "forbidden");
    refused(&weak.get("/v1/ops/banks").await, 403, "forbidden");
    refused(&weak.get("/v1/ops/inbound").await, 403, "forbidden");
    town.stop().await;
}
