//! Withdrawals over HTTP.

use ledger_api::{
    banks::accounts::{BankAccounts, PayeeKey},
    identity::Scope,
};
use ledger_core::withdrawal::{AttemptOutcome, BeginAttempt};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Ask, One};
use crate::support::{
    bahi::{Actor, Set, TestBahi, amount},
    database::Database,
    sandbox::Sandbox,
};

const A: &str = "wallet:asha:INR";

fn asked(bank_account: &str, value: &str) -> Value {
    json!({"account": A, "amount": amount(A, value), "bank": "hdfc", "rail": "imps",
           "bank_account": bank_account, "note": "Rent"})
}

/// A service that calls a sandbox bank, and the id of a verified bank account.
async fn with_a_bank() -> (TestBahi, Sandbox, Actor, String) {
    let sandbox = Sandbox::start().await;
    let set = Set { banks: sandbox.registry(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let admin = bahi.admin().await;
    admin.wallet(A, "1000.00").await;
    // The wallets of these tests belong to `test`.
    let payee = admin.bank_account("test").await;
    (bahi, sandbox, admin, payee)
}

async fn read(bahi: &TestBahi, actor: &Actor, id: &str) -> Value {
    let head = bahi.engine.status().borrow().head.position;
    actor.get(&format!("/v1/withdrawals/{id}?min_position={head}")).await.made()
}

/// What a worker would do.
async fn work(bahi: &TestBahi, ask: Ask) {
    let command = crate::support::ledger::command(ask.into());
    crate::support::ledger::accepted(bahi.engine.submit(command).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_is_requested_once_and_cancelled_until_it_is_sent() {
    let (bahi, sandbox, admin, payee) = with_a_bank().await;
    let user = bahi.actor("asha", &[Scope::WithdrawalsWrite]).await;

    let made = user.post_with("k", "/v1/withdrawals", &asked(&payee, "500.13")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let body = made.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(made.header("location"), format!("/v1/withdrawals/{id}"));
    assert_eq!((&body["status"], &body["final"]), (&json!("queued"), &json!(false)));
    assert_eq!((&body["funds"], &body["cancellable"]), (&json!("held"), &json!(true)));
    assert_eq!(body["fee"], amount(A, "10.00"));
    let again = user.post_with("k", "/v1/withdrawals", &asked(&payee, "500.13")).await;
    assert_eq!((again.is_replay(), &again.text), (true, &made.text));
    let other = user.post_with("k", "/v1/withdrawals", &asked(&payee, "500.14")).await;
    assert_eq!(other.refused(), "idempotency_key_reused");
    assert_eq!(admin.balance(A, made.position()).await, "489.87");
    let more = user.post("/v1/withdrawals", &asked(&payee, "479.88")).await;
    assert_eq!(
        (more.status, more.refused()),
        (StatusCode::UNPROCESSABLE_ENTITY, "insufficient_funds".to_owned())
    );
    assert_eq!(more.json()["available"], amount(A, "489.87"));

    let seen = read(&bahi, &user, id).await;
    assert_eq!((&seen["status"], &seen["note"]), (&json!("queued"), &json!("Rent")));
    assert_eq!((seen.get("utr"), &seen["version"]), (None, &json!(2)));
    assert_eq!(seen["timeline"][0]["event"], "requested");
    assert_eq!(seen["timeline"][1]["status"], "queued");
    assert_eq!(seen["timeline"][1]["by"], "asha");

    let path = format!("/v1/withdrawals/{id}/cancel");
    let cancelled = user.post(&path, &json!({})).await;
    assert_eq!(cancelled.made()["status"], "cancelled");
    assert_eq!(cancelled.json()["funds"], "not_moved");
    assert_eq!(user.post(&path, &json!({})).await.made()["status"], "cancelled");
    assert_eq!(admin.balance(A, cancelled.position()).await, "1000.00");
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_timeline_tells_what_banks_said_and_it_is_too_late_to_cancel() {
    let (bahi, sandbox, admin, payee) = with_a_bank().await;
    let made = admin.post("/v1/withdrawals", &asked(&payee, "500.13")).await.made();
    let id = made["id"].as_str().unwrap();
    let one = One(id.parse().unwrap());
    let Ask::BeginAttempt(begin) = one.begin(1) else { panic!("an attempt") };
    // The hash as whoever sends computes it, of the payee as it is read then.
    let key = PayeeKey::derive(&[42; 32]);
    let accounts = BankAccounts::new(bahi.database.pool().await, key);
    let (_, hash) = accounts.payee(payee.parse().unwrap()).await.unwrap().unwrap();
    let payee_hash = Some(hash);
    work(&bahi, Ask::BeginAttempt(BeginAttempt { payee_hash, ..begin })).await;
    let late = admin.post(&format!("/v1/withdrawals/{id}/cancel"), &json!({})).await;
    assert_eq!((late.status, late.code()), (StatusCode::CONFLICT, "not_cancellable".to_owned()));
    work(&bahi, one.told(1, AttemptOutcome::Unknown)).await;
    let unknown = read(&bahi, &admin, id).await;
    assert_eq!(
        (&unknown["status"], &unknown["funds"]),
        (&json!("outcome_unknown"), &json!("held"))
    );
    work(&bahi, one.paid(1, "500.13")).await;
    work(&bahi, one.back(1, "R1", "200")).await;
    let position = bahi.engine.status().borrow().head.position;
    let seen = admin.get(&format!("/v1/withdrawals/{id}?min_position={position}")).await.made();
    assert_eq!((&seen["status"], &seen["funds"]), (&json!("returned"), &json!("moved")));
    assert_eq!((&seen["utr"], &seen["returned"]), (&json!("UTR1"), &amount(A, "200.00")));
    assert_eq!((&seen["late"], &seen["owed"]), (&json!(false), &amount(A, "0.00")));
    let events: Vec<&str> = seen["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["event"].as_str().unwrap())
        .collect();
    let told = [
        "requested",
        "queued",
        "attempt_begun",
        "outcome_unknown",
        "completed",
        "returned",
        "applied",
    ];
    assert_eq!(events, told);
    assert_eq!(seen["timeline"][2]["reference"], "BH1");
    assert_eq!(seen["timeline"][4]["bank_reference"], "UTR1");
    assert_eq!(seen["timeline"][4]["source"], "webhook");
    assert_eq!(seen["timeline"][5]["amount"], amount(A, "200.00"));
    // 1000 - 510.13 + 200 + 10 of the fee.
    assert_eq!(admin.balance(A, position).await, "699.87");
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_before_anything_moves() {
    let (bahi, sandbox, admin, payee) = with_a_bank().await;
    let with = |field: &str, value: Value| {
        let mut body = asked(&payee, "1");
        body[field] = value;
        body
    };
    let refused = [
        (with("amount", amount(A, "0")), "amount_not_positive"),
        (with("amount", amount(A, "1.001")), "amount_scale"),
        (with("amount", amount("wallet:asha:USD", "1")), "currency_mismatch"),
        (with("account", json!("bank:hdfc:escrow:INR")), "not_withdrawable"),
        (with("account", json!("wallet:nobody:INR")), "account_not_found"),
        (with("bank", json!("HDFC")), "invalid"),
        (with("bank", json!("a:b")), "invalid"),
        (with("rail", json!("")), "invalid"),
        (with("bank_account", json!("ba_7")), "invalid"),
        (with("note", json!("a\u{0}b")), "invalid"),
        // Case 141: who asks does not say what it costs or where it stands.
        (with("fee", amount(A, "0")), "invalid"),
        (with("status", json!("completed")), "invalid"),
    ];
    for (body, code) in refused {
        assert_eq!(admin.post("/v1/withdrawals", &body).await.refused(), code, "{body}");
    }
    let weak = bahi.actor("till", &[Scope::LedgerWrite]).await;
    assert_eq!(weak.post("/v1/withdrawals", &asked(&payee, "1")).await.code(), "forbidden");
    let unknown = "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
    let gone = admin.get(&format!("/v1/withdrawals/{unknown}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let gone = admin.post(&format!("/v1/withdrawals/{unknown}/cancel"), &json!({})).await;
    assert_eq!(
        (gone.status, gone.code()),
        (StatusCode::NOT_FOUND, "withdrawal_not_found".to_owned())
    );
    assert_eq!(admin.get("/v1/withdrawals/wd_7").await.status, StatusCode::NOT_FOUND);
    bahi.finish().await;
    sandbox.stop().await;
}

/// Back-to-back withdrawals through two services, each of all that there is: one is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn case_1_of_fifty_requests_for_a_whole_balance_one_is_accepted() {
    let (bahi, sandbox, admin, payee) = with_a_bank().await;
    let set = Set { banks: sandbox.registry(), ..Set::default() };
    let other = TestBahi::on(&bahi.database, set).await;
    let requests = (0..50).map(|number| {
        let actor = if number % 2 == 0 { admin.clone() } else { admin.at(&other) };
        let body = asked(&payee, "990.00");
        async move { actor.post("/v1/withdrawals", &body).await }
    });
    let mut accepted = Vec::new();
    for reply in futures::future::join_all(requests).await {
        if reply.status == StatusCode::CREATED {
            accepted.push(reply);
        } else {
            assert_eq!(reply.refused(), "insufficient_funds");
        }
    }
    let [won] = &accepted[..] else { panic!("{} were accepted", accepted.len()) };
    assert_eq!(admin.balance(A, won.position()).await, "0.00");
    let again = admin.post("/v1/withdrawals", &asked(&payee, "0.01")).await;
    assert_eq!(again.refused(), "insufficient_funds");
    other.finish().await;
    bahi.finish().await;
    sandbox.stop().await;
}
