//! Bank accounts over HTTP: made once, checked by a bank, erased; and which withdrawals may go to
//! them.

use std::time::Duration;

use ledger_api::{
    banks::accounts::{BankAccounts, PayeeKey},
    identity::Scope,
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    bahi::{Actor, Set, TestBahi, amount},
    database::Database,
    sandbox::{Sandbox, registry},
};

const A: &str = "wallet:asha:INR";

fn asked(number: &str, name: &str) -> Value {
    json!({"owner": "test", "account_number": number, "ifsc": "TEST0000001", "name": name})
}

async fn calling(sandbox: &Sandbox) -> (TestBahi, Actor) {
    let set = Set { banks: sandbox.registry(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let admin = bahi.admin().await;
    (bahi, admin)
}

async fn made(actor: &Actor, number: &str, name: &str) -> String {
    let made = actor.post("/v1/bank-accounts", &asked(number, name)).await.made();
    made["id"].as_str().unwrap().to_owned()
}

async fn verify(actor: &Actor, id: &str) -> Value {
    actor.post(&format!("/v1/bank-accounts/{id}/verify"), &json!({"bank": "axis"})).await.made()
}

fn withdrawal(bank_account: &str) -> Value {
    json!({"account": A, "amount": amount(A, "10.00"), "bank": "hdfc", "rail": "imps",
           "bank_account": bank_account})
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_made_once_and_shown_without_its_number() {
    let sandbox = Sandbox::start().await;
    let (bahi, admin) = calling(&sandbox).await;
    let body = asked("001234567890", "Asha Rao");
    let first = admin.post_with("k", "/v1/bank-accounts", &body).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    let account = first.json();
    let id = account["id"].as_str().unwrap();
    assert_eq!(first.header("location"), format!("/v1/bank-accounts/{id}"));
    assert_eq!(
        (&account["status"], &account["account_number"]),
        (&json!("unverified"), &json!("****7890"),)
    );
    assert!(!first.text.contains("001234567890"));
    let again = admin.post_with("k", "/v1/bank-accounts", &body).await;
    assert_eq!((again.is_replay(), &again.text), (true, &first.text));
    let other = asked("001234567891", "Asha Rao");
    let other = admin.post_with("k", "/v1/bank-accounts", &other).await;
    assert_eq!(other.refused(), "idempotency_key_reused");

    let second = made(&admin, "001234567891", "Asha Rao").await;
    let list = admin.get("/v1/bank-accounts?owner=test&limit=1").await.made();
    assert_eq!((&list["data"][0]["id"], &list["has_more"]), (&json!(second), &json!(true)));
    let cursor = list["next_cursor"].as_str().unwrap();
    let list = admin.get(&format!("/v1/bank-accounts?owner=test&cursor={cursor}")).await.made();
    assert_eq!((&list["data"][0]["id"], &list["has_more"]), (&json!(id), &json!(false)));
    let none = admin.get("/v1/bank-accounts?owner=ravi").await.made();
    assert_eq!(none["data"], json!([]));

    let weak = bahi.actor("till", &[Scope::LedgerWrite]).await;
    assert_eq!(weak.post("/v1/bank-accounts", &body).await.code(), "forbidden");
    assert_eq!(weak.get(&format!("/v1/bank-accounts/{id}")).await.code(), "forbidden");
    let nobody = "/v1/bank-accounts/ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
    assert_eq!(admin.get(nobody).await.code(), "not_found");
    assert_eq!(admin.delete(nobody).await.code(), "not_found");
    assert_eq!(admin.post(&format!("{nobody}/verify"), &json!({})).await.code(), "not_found");
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_70_what_is_no_bank_account_is_refused_and_not_repeated() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let with = |field: &str, value: Value| {
        let mut body = asked("001234567890", "Asha Rao");
        body[field] = value;
        body
    };
    for (field, bad) in [
        ("account_number", json!("12345")),
        ("account_number", json!("98765432109876543210")),
        ("account_number", json!("98765 43210")),
        ("account_number", json!(9_876_543_210_u64)),
        ("account_number", json!(null)),
        ("ifsc", json!("TEST1000001")),
        ("ifsc", json!("test0000001")),
        ("name", json!("")),
        ("name", json!(" 9876543210 ")),
        ("name", json!("9876543210\u{0}")),
        ("name", json!("9876543210".repeat(15))),
        ("owner", json!("a b")),
        ("status", json!("verified")),
    ] {
        let refused = admin.post("/v1/bank-accounts", &with(field, bad.clone())).await;
        assert_eq!(refused.refused(), "invalid", "{field} {bad}");
        let problem = refused.json();
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{bad}");
        assert!(!refused.text.contains("98765"), "{}", refused.text);
    }
    let list = admin.get("/v1/bank-accounts?owner=test").await.made();
    assert_eq!(list["data"], json!([]));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_says_whose_it_is() {
    let sandbox = Sandbox::start().await;
    let (bahi, admin) = calling(&sandbox).await;
    for (number, status, reason) in [
        ("001234567890", "verified", Value::Null),
        ("001234567899", "refused", json!("name_differs")),
        ("001234560000", "refused", json!("account_closed")),
        ("001234569999", "refused", json!("account_unknown")),
    ] {
        let id = made(&admin, number, "Asha Rao").await;
        let checked = verify(&admin, &id).await;
        assert_eq!((&checked["status"], &checked["reason"]), (&json!(status), &reason), "{number}");
        assert_eq!(checked["checked_by"], "axis");
        // Whose it is instead is not told.
        assert!(!checked.to_string().contains("MEERA"), "{checked}");
        assert_eq!(admin.get(&format!("/v1/bank-accounts/{id}")).await.made(), checked);
    }
    let id = made(&admin, "001234567890", "Asha Rao").await;
    let path = format!("/v1/bank-accounts/{id}/verify");
    let nowhere = admin.post(&path, &json!({"bank": "icici"})).await;
    assert_eq!(nowhere.refused(), "bank_unknown");
    sandbox.stop().await;
    let down = admin.post(&path, &json!({"bank": "hdfc"})).await;
    assert_eq!((down.status.as_u16(), down.code()), (503, "bank_unavailable".to_owned()));
    assert_eq!(down.json()["retry"], "same_key");
    let still = admin.get(&format!("/v1/bank-accounts/{id}")).await.made();
    assert_eq!(still["status"], "unverified");
    // A bank that is down is a line of the list.
    let banks = admin.get("/v1/banks").await.made();
    assert_eq!(banks["data"].as_array().unwrap().len(), 2);
    assert_eq!(banks["data"][1]["status"], "down");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_goes_to_verified_bank_accounts_of_the_owner_only() {
    let sandbox = Sandbox::start().await;
    let (bahi, admin) = calling(&sandbox).await;
    admin.wallet(A, "1000.00").await;
    let nobody = withdrawal("ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6");
    let nobody = admin.post("/v1/withdrawals", &nobody).await;
    assert_eq!((nobody.status.as_u16(), nobody.code()), (404, "bank_account_not_found".to_owned()));
    let ravi = admin.bank_account("ravi").await;
    let theirs = admin.post("/v1/withdrawals", &withdrawal(&ravi)).await;
    assert_eq!((theirs.status.as_u16(), theirs.code()), (404, "bank_account_not_found".to_owned()));

    let id = made(&admin, "001234567890", "Asha Rao").await;
    let early = admin.post_with("early", "/v1/withdrawals", &withdrawal(&id)).await;
    assert_eq!(early.refused(), "bank_account_unverified");
    verify(&admin, &id).await;
    let sent = admin.post_with("sent", "/v1/withdrawals", &withdrawal(&id)).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.text);
    // What was answered is answered again, whatever became of the bank account since.
    let again = admin.post_with("early", "/v1/withdrawals", &withdrawal(&id)).await;
    assert_eq!((again.is_replay(), again.refused()), (true, early.code()));
    admin.delete(&format!("/v1/bank-accounts/{id}")).await.made();
    let again = admin.post_with("sent", "/v1/withdrawals", &withdrawal(&id)).await;
    assert_eq!((again.is_replay(), &again.text), (true, &sent.text));
    let erased = admin.post("/v1/withdrawals", &withdrawal(&id)).await;
    assert_eq!((erased.status.as_u16(), erased.code()), (404, "bank_account_not_found".to_owned()));
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_gone_and_its_id_stays() {
    let sandbox = Sandbox::start().await;
    let (bahi, admin) = calling(&sandbox).await;
    let id = admin.bank_account("test").await;
    let path = format!("/v1/bank-accounts/{id}");
    let erased = admin.delete(&path).await.made();
    assert_eq!((&erased["status"], &erased["account_number"]), (&json!("deleted"), &Value::Null));
    assert_eq!((&erased["name"], &erased["ifsc"]), (&Value::Null, &Value::Null));
    assert_eq!(admin.delete(&path).await.made(), erased);
    assert_eq!(verify(&admin, &id).await, erased);
    assert_eq!(admin.get(&path).await.made(), erased);
    let list = admin.get("/v1/bank-accounts?owner=test").await.made();
    assert_eq!(list["data"], json!([]));
    let left: i64 = sqlx::query_scalar("select count(*) from bank_account_details")
        .fetch_one(&bahi.database.pool().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swapped_payee_has_another_hash_and_the_application_cannot_swap() {
    let sandbox = Sandbox::start().await;
    let (bahi, admin) = calling(&sandbox).await;
    let id = admin.bank_account("test").await;
    let id = id.parse().unwrap();
    let pool = bahi.database.pool().await;
    let accounts = BankAccounts::new(pool.clone(), PayeeKey::derive(&[42; 32]));
    let (payee, hash) = accounts.payee(id).await.unwrap().unwrap();
    assert_eq!(payee.account_number.expose(), "001234567890");
    let (_, remembered) = accounts.standing(id).await.unwrap();
    assert_eq!(remembered.as_ref(), Some(&hash));

    let swap = "update bank_account_details set account_number = '111111111111'";
    let refused = sqlx::query(swap).execute(&pool).await;
    assert!(refused.is_err(), "the application swapped a payee");
    let mut owner = bahi.database.superuser().await;
    sqlx::query(swap).execute(&mut owner).await.unwrap();
    // What is remembered for requests is old; what is asked before sending is not.
    let (swapped, now) = accounts.payee(id).await.unwrap().unwrap();
    assert_eq!(swapped.account_number.expose(), "111111111111");
    assert_ne!(now, hash);
    bahi.finish().await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_what_it_costs_and_when_it_is_there() {
    let sandbox = Sandbox::start().await;
    let (bahi, admin) = calling(&sandbox).await;
    let ask = |value: &str, bank: &str, rail: &str| {
        let amount = amount(A, value);
        json!({"account": A, "amount": amount, "bank": bank, "rail": rail})
    };
    let path = "/v1/withdrawal-quotes";
    let quote = admin.post(path, &ask("5000.13", "hdfc", "imps")).await.made();
    assert_eq!((&quote["fee"], &quote["tax"]), (&amount(A, "10.00"), &amount(A, "1.53")));
    assert_eq!(quote["total"], amount(A, "5010.13"));
    assert!(quote["arrives_by"].is_string(), "{quote}");
    for (body, code) in [
        (ask("1.00", "icici", "imps"), "bank_unknown"),
        (ask("1.00", "axis", "upi"), "rail_unknown"),
        (ask("0.99", "axis", "imps"), "rail_unknown"),
        (ask("200000.01", "axis", "imps"), "rail_unknown"),
        (ask("0", "axis", "imps"), "amount_not_positive"),
    ] {
        assert_eq!(admin.post(path, &body).await.refused(), code, "{body}");
    }
    bahi.finish().await;
    sandbox.stop().await;

    // A bank that was never reached: all but the time is known.
    let nobody = [("HDFC", "http://127.0.0.1:1".to_owned())];
    let banks = registry(&nobody, "t", Duration::from_secs(1));
    let set = Set { banks, ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let admin = bahi.admin().await;
    let quote = admin.post(path, &ask("5000.13", "hdfc", "imps")).await.made();
    assert_eq!((&quote["arrives_by"], &quote["total"]), (&Value::Null, &amount(A, "5010.13")));
    let banks = admin.get("/v1/banks").await.made();
    assert_eq!(
        (&banks["data"][0]["status"], &banks["data"][0]["rails"]),
        (&json!("down"), &Value::Null,)
    );
    bahi.finish().await;
}
