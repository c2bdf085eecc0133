//! What lies in suspense goes back to whom it came from: the whole service, and banks that speak
//! HTTP.

use futures::future::join_all;
use ledger_api::identity::Scope;
use reqwest::{Method, StatusCode};
use rust_decimal::Decimal;
use sandbox_bank::BankCode;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, PATIENCE, Reply, fresh_key, send},
        town::Town,
    },
};

const SUSPENSE: &str = "suspense:credits:INR";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Somebody sends money to nobody; the credit in suspense.
async fn astray(town: &Town, amount: &str) -> Value {
    let credit = json!({"amount": {"value": amount, "currency": "INR"}});
    let credit = serde_json::from_value(credit).unwrap();
    town.sandbox.control.credit(BankCode::Hdfc, &credit).await.unwrap();
    town.sandbox.advance(5).await;
    in_suspense(town, |credit| credit["amount"]["value"] == amount).await
}

/// Waits until something like this lies in suspense.
async fn in_suspense(town: &Town, is_it: impl Fn(&Value) -> bool) -> Value {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = town.admin.get("/v1/ops/suspense").await.made();
        if let Some(found) = seen["credits"].as_array().unwrap().iter().find(|one| is_it(one)) {
            return found.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "not in time: {seen:#}");
        tokio::task::yield_now().await;
    }
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap_or_else(|| panic!("{of:#}"))
}

fn path(credit: &Value, what: &str) -> String {
    format!("/v1/ops/suspense/{}/{what}", id(credit))
}

async fn with_second(
    town: &Town,
    (path, key): (&str, &str),
    body: &Value,
    second: Option<&Actor>,
) -> Reply {
    let mut request = town.admin.request(Method::POST, path).header("idempotency-key", key);
    if let Some(second) = second {
        request = request.header("approver-authorization", format!("Bearer {}", second.key));
    }
    send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_goes_back_to_whom_it_came_from_once() {
    let town = Town::start().await;
    let why = json!({"reason": "third_party"});
    let small = astray(&town, "750.00").await;
    let user = town.actor("user", &[Scope::DepositsWrite, Scope::WithdrawalsWrite]).await;
    assert_eq!(user.post(&path(&small, "return"), &why).await.status, StatusCode::FORBIDDEN);
    let key = fresh_key();
    let back = path(&small, "return");
    let sent = with_second(&town, (&back, &key), &why, None).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text);
    let made = sent.json();
    assert_eq!((&made["account"], &made["fee"]["value"]), (&json!(SUSPENSE), &json!("0.00")));
    town.wait_for(id(&made), "completed").await;
    let again = with_second(&town, (&back, &key), &why, None).await;
    assert!(again.is_replay(), "{}", again.text);
    assert_eq!(again.json()["id"], made["id"]);
    let other = town.admin.post(&back, &why).await;
    assert_eq!((other.status, other.code()), (StatusCode::CONFLICT, "credit_not_in_review".into()));
    let deposit = id(&small).split('.').next().unwrap();
    town.wait_for_deposit(deposit, "sent_back").await;
    assert_eq!(town.balance(SUSPENSE).await, decimal("0.00"));
    assert_eq!(town.balance("bank:hdfc:clearing_out:INR").await, decimal("750.00"));
    // Who was paid is who had paid, and stands in a table that can be erased.
    let payee = format!("/v1/bank-accounts/{}", made["bank_account"].as_str().unwrap());
    let shown = town.admin.get(&payee).await.made();
    assert_eq!(
        (&shown["owner"], &shown["name"]),
        (&json!("bahi"), &json!("ASHA RAO")),
        "{shown:#}"
    );

    let second = town.actor("second", &[Scope::OpsApprove]).await;
    let large = astray(&town, "20000.00").await;
    let alone = town.admin.post(&path(&large, "return"), &why).await;
    assert_eq!(alone.code(), "second_person_needed");
    let evidence = json!({"reason": "third_party", "evidence_sha256": "a".repeat(64)});
    let large_path = path(&large, "return");
    let blind = with_second(&town, (&large_path, &fresh_key()), &why, Some(&second)).await;
    assert_eq!(blind.code(), "invalid");
    let sent = with_second(&town, (&large_path, &fresh_key()), &evidence, Some(&second)).await;
    let seen = town.wait_for(id(&sent.made()), "completed").await;
    assert_eq!(seen["timeline"][0]["approved_by"], "second", "{seen:#}");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_get_through_is_in_suspense_again_and_goes_somewhere_else() {
    let town = Town::start().await;
    let why = json!({"reason": "third_party"});
    // By its paise: the bank refuses to send as much, for good.
    let credit = astray(&town, "600.21").await;
    let first = town.admin.post(&path(&credit, "return"), &why).await.made();
    town.wait_for(id(&first), "failed").await;
    let again = in_suspense(&town, |credit| credit["id"] == first["id"]).await;
    assert_eq!(
        (&again["reason"], &again["amount"]["value"]),
        (&json!("sending_back_failed"), &json!("600.21"))
    );
    let second = town.admin.post(&path(&again, "return"), &why).await.made();
    assert_eq!(second["bank_account"], first["bank_account"], "to whom it came from");
    town.wait_for(id(&second), "failed").await;
    let gone = town.admin.post(&path(&again, "return"), &why).await;
    assert_eq!(gone.code(), "not_in_suspense");
    let last = in_suspense(&town, |credit| credit["id"] == second["id"]).await;
    let to = json!({"account": "wallet:a:INR", "reason": "case-1"});
    town.admin.post(&path(&last, "assign"), &to).await.made();
    assert_eq!(town.admin.post(&path(&last, "assign"), &to).await.code(), "not_in_suspense");
    assert_eq!(town.balance(SUSPENSE).await, decimal("0.00"));
    assert_eq!(town.balance("wallet:a:INR").await, decimal("1000600.21"));
    let seen = town.wait_for(id(&second), "failed").await;
    let steps = seen["timeline"].as_array().unwrap();
    assert_eq!(steps.last().unwrap()["event"], "assigned", "{seen:#}");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_assign_and_send_back_at_once_exactly_one_wins() {
    let town = Town::start().await;
    for round in 0..4 {
        let credit = astray(&town, &format!("{}.00", 100 + round)).await;
        let why = json!({"reason": "third_party"});
        let to = json!({"account": "wallet:a:INR", "reason": "case-1"});
        let (assign, back) = (path(&credit, "assign"), path(&credit, "return"));
        let asked = (0..8).map(async |turn| {
            if turn % 2 == 0 {
                town.admin.post(&assign, &to).await
            } else {
                town.admin.post(&back, &why).await
            }
        });
        let replies = join_all(asked).await;
        let (won, lost): (Vec<_>, Vec<_>) =
            replies.iter().partition(|reply| reply.status.is_success());
        assert_eq!(won.len(), 1, "{:?}", replies.iter().map(|r| &r.text).collect::<Vec<_>>());
        for reply in lost {
            assert_eq!(reply.code(), "credit_not_in_review", "{}", reply.text);
        }
    }
    town.until_nothing_is_open().await;
    assert_eq!(town.balance(SUSPENSE).await, decimal("0.00"));
    verified(&town.stop().await).await;
}
