//! What is due between customers and us besides their money: debts that are repaid or written off,
//! late banks that are paid for, and moves between our own accounts. The whole service.

use std::time::Duration;

use ledger_api::identity::Scope;
use reqwest::{Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, PATIENCE, Reply, fresh_key, send},
        town::Town,
    },
};

const DEBT: &str = "receivable:overpaid:b:INR";
const WALLET: &str = "wallet:b:INR";

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

async fn with_second(actor: &Actor, path: &str, body: &Value, second: &Actor) -> Reply {
    let request = actor.request(Method::POST, path).header("idempotency-key", fresh_key());
    let bearer = format!("Bearer {}", second.key);
    send(request.header("approver-authorization", bearer).json(body)).await
}

/// Waits until an account has a balance in the read models.
async fn until(town: &Town, account: &str, is_it: impl Fn(Decimal) -> bool) -> Decimal {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = town.balance(account).await;
        if is_it(seen) {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "{account}: {seen}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Somebody owes so much, for a payment that a bank made after its no.
async fn owing(town: &Town, amount: &str, second: &Actor) {
    town.admin.open(WALLET).await.made();
    town.admin.open(DEBT).await.made();
    let adjustment = json!({"kind": "adjustment", "debit": DEBT, "credit": "wallet:a:INR",
        "amount": {"value": amount, "currency": "INR"}, "reason": "test",
        "evidence_sha256": "a".repeat(64)});
    with_second(&town.admin, "/v1/transactions", &adjustment, second).await.made();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_owed_is_repaid_by_what_comes_and_the_rest_is_written_off_by_two() {
    let town = Town::start().await;
    let second = town.actor("second", &[Scope::OpsApprove]).await;
    owing(&town, "300.00", &second).await;
    town.admin.transfer("wallet:a:INR", WALLET, "100.00").await.made();
    until(&town, DEBT, |owed| owed == decimal("200.00")).await;
    until(&town, WALLET, |left| left.is_zero()).await;
    let seen = town.admin.get("/v1/transactions?limit=1").await.made();
    assert_eq!(seen["data"][0]["kind"], "repayment", "{seen:#}");

    let path = format!("/v1/ops/receivables/{DEBT}/write-off");
    let body = |amount: &str| {
        json!({"amount": {"value": amount, "currency": "INR"}, "reason": "insolvent",
               "evidence_sha256": "b".repeat(64)})
    };
    let alone = town.admin.post(&path, &body("200.00")).await;
    assert_eq!(alone.code(), "second_person_needed");
    let more = with_second(&town.admin, &path, &body("200.01"), &second).await;
    assert_eq!(more.code(), "minimum_balance_not_met");
    let other = format!("/v1/ops/receivables/{WALLET}/write-off");
    let other = with_second(&town.admin, &other, &body("1.00"), &second).await;
    assert_eq!(other.status, StatusCode::NOT_FOUND);
    let written = with_second(&town.admin, &path, &body("200.00"), &second).await;
    assert_eq!(written.status, StatusCode::CREATED, "{}", written.text);
    until(&town, DEBT, |owed| owed.is_zero()).await;
    until(&town, "expense:bad_debt:INR", |cost| cost == decimal("200.00")).await;
    let forged = json!({"kind": "repayment", "debit": "wallet:a:INR", "credit": WALLET,
        "amount": {"value": "1.00", "currency": "INR"}});
    assert_eq!(town.admin.post("/v1/transactions", &forged).await.code(), "kind_reserved");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_fails_later_than_the_next_day_is_paid_for_once() {
    let town = Town::start().await;
    let to = town.bank_account("test").await;
    let before = until(&town, "wallet:a:INR", |funded| !funded.is_zero()).await;
    // By its paise: it never arrives at the bank, which only statements prove.
    let late = town.withdraw("hdfc", &to, "70.14").await;
    town.wait_for(&late, "outcome_unknown").await;
    town.sandbox.advance(7_200).await;
    for _ in 0..3 {
        town.sandbox.advance(86_400).await;
    }
    town.wait_for(&late, "failed").await;
    let cost = until(&town, "expense:compensation:INR", |cost| !cost.is_zero()).await;
    assert_eq!(cost % decimal("100"), Decimal::ZERO, "whole days: {cost}");
    until(&town, "wallet:a:INR", |seen| seen == before + cost).await;
    // Looking again, a day later, pays nothing more; what failed in time costs nothing.
    let soon = town.withdraw("hdfc", &to, "70.21").await;
    town.wait_for(&soon, "failed").await;
    town.sandbox.advance(86_400).await;
    town.admin.transfer("wallet:a:INR", "till:main:INR", "1.00").await;
    let pool = town.database.pool().await;
    let counted = "select count(*) from read.transactions where kind = 'compensation'";
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let noted = "select count(*) from withdrawal_compensations";
    loop {
        let noted: i64 = sqlx::query_scalar(noted).fetch_one(&pool).await.unwrap();
        if noted == 1 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "noted {noted}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let paid: i64 = sqlx::query_scalar(counted).fetch_one(&pool).await.unwrap();
    assert_eq!(paid, 1);
    verified(&town.stop().await).await;
}
