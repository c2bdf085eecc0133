//! Transactions over HTTP: once, however often they are sent; several at a time; undone once.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::bahi::{Set, TestBahi, amount, fresh_key, send, transfer};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

#[tokio::test(flavor = "multi_thread")]
async fn case_21_the_same_key_and_request_get_the_same_answer() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();

    let body = transfer(A, B, "10.00");
    let first = admin.post_with("k", "/v1/transactions", &body).await;
    let again = admin.post_with("k", "/v1/transactions", &body).await;
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("location"), first.header("location"));
    assert!(!first.is_replay() && again.is_replay());

    // Case 24: written otherwise it is the same request; case 26: so is the quoted key.
    let otherwise = r#"{"amount":{"currency":"INR","value":"10"},"credit":"wallet:ravi:INR",
                        "debit":"wallet:asha:INR", "kind":"transfer"}"#;
    let request = admin.request(Method::POST, "/v1/transactions");
    let request = request.header("idempotency-key", "\"k\"").body(otherwise);
    let same = send(request.header("content-type", "application/json")).await;
    assert_eq!((same.is_replay(), &same.text), (true, &first.text));
    assert_eq!(admin.balance(A, first.position()).await, "90.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_22_fifty_copies_at_once_happen_once() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let body = transfer(A, B, "10.00");
    let answers = join_all((0..50).map(|_| admin.post_with("k", "/v1/transactions", &body))).await;
    let first = &answers[0];
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (StatusCode::CREATED, &first.text));
    }
    assert_eq!(answers.iter().filter(|answer| !answer.is_replay()).count(), 1);
    assert_eq!(admin.balance(A, first.position()).await, "90.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_23_and_33_a_key_belongs_to_its_request() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    admin.post_with("k", "/v1/transactions", &transfer(A, B, "10.00")).await.made();
    let batch = json!({"transactions": [transfer(A, B, "10.00")]});
    let hold = json!({"account": A, "amount": amount(A, "10.00")});
    for (path, body) in [
        ("/v1/transactions", transfer(A, B, "10.01")),
        ("/v1/transactions", transfer(B, A, "10.00")),
        ("/v1/transactions/batch", batch),
        ("/v1/holds", hold),
    ] {
        let answer = admin.post_with("k", path, &body).await;
        assert_eq!(answer.refused(), "idempotency_key_reused", "{path}");
    }
    // Another principal's key of the same name is another key.
    let other = bahi.actor("other", &[ledger_api::identity::Scope::LedgerWrite]).await;
    let answer = other.post_with("k", "/v1/transactions", &transfer(A, B, "10.00")).await;
    assert!(answer.status == StatusCode::CREATED && !answer.is_replay());
    assert_eq!(admin.balance(A, answer.position()).await, "80.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_29_a_refusal_stays_under_its_key_and_a_new_key_succeeds() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "5.00").await;
    admin.open(B).await.made();
    let body = transfer(A, B, "10.00");
    let refused = admin.post_with("k", "/v1/transactions", &body).await;
    assert_eq!(refused.refused(), "insufficient_funds");
    assert_eq!(refused.json()["available"], amount(A, "5.00"));
    admin.transfer("till:main:INR", A, "100.00").await.made();
    let late = admin.post_with("k", "/v1/transactions", &body).await;
    assert_eq!((late.status, &late.text), (refused.status, &refused.text));
    assert!(late.is_replay());
    let anew = admin.post("/v1/transactions", &body).await;
    assert_eq!(anew.status, StatusCode::CREATED);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_35_another_process_gives_the_same_answer_after_a_lost_one() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let body = json!({"kind": "transfer", "debit": A, "credit": B,
                      "amount": amount(A, "1.00"), "note": "Tea"});
    let first = admin.post_with("k", "/v1/transactions", &body).await;
    let second = TestBahi::on(&bahi.database, Set::default()).await;
    let again = admin.at(&second).post_with("k", "/v1/transactions", &body).await;
    assert!(again.is_replay());
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    second.finish().await;
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_cancels_nothing() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    // Many are dropped at whatever point they have reached; each is then sent again.
    let keys: Vec<String> = (0..40).map(|_| fresh_key()).collect();
    for (index, key) in (0_u32..).zip(&keys) {
        let body = transfer(A, B, "1.00");
        let request = admin.post_with(key, "/v1/transactions", &body);
        let patience = std::time::Duration::from_micros(u64::from(index) * 150);
        drop(tokio::time::timeout(patience, request).await);
    }
    let mut position = 0;
    for key in &keys {
        let answer = admin.post_with(key, "/v1/transactions", &transfer(A, B, "1.00")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        // A replay may say an earlier position than the answer before it.
        position = answer.position().max(position);
    }
    assert_eq!(admin.balance(B, position).await, "40.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_posted_whole_or_not_at_all() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let batch =
        |second: &str| json!({"transactions": [transfer(A, B, "6.00"), transfer(A, B, second)]});
    let refused = admin.post("/v1/transactions/batch", &batch("5.00")).await;
    assert_eq!(refused.refused(), "insufficient_funds");
    assert_eq!(refused.json()["transaction"], 1);
    assert_eq!(admin.balance(A, refused.position()).await, "10.00");
    let made = admin.post_with("k", "/v1/transactions/batch", &batch("4.00")).await;
    assert_eq!(made.made()["data"].as_array().unwrap().len(), 2);
    assert_eq!(admin.balance(A, made.position()).await, "0.00");
    let again = admin.post_with("k", "/v1/transactions/batch", &batch("4.00")).await;
    assert_eq!((again.is_replay(), &again.text), (true, &made.text));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_request_is_sent_again_after_a_cut_and_each_item_happens_once() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let items = [transfer(A, B, "4.00"), transfer(A, B, "40.00"), transfer(A, B, "0")];
    let items: Vec<Value> =
        items.into_iter().chain((0..200).map(|_| transfer(A, B, "0.01"))).collect();
    let body = json!({ "items": items });
    let first = admin.post_with("k", "/v1/transactions/bulk", &body).await;
    let data = first.made()["data"].clone();
    assert_eq!(data[0]["status"], 201);
    assert_eq!(data[1]["problem"]["code"], "insufficient_funds");
    assert_eq!(data[2]["problem"]["code"], "amount_not_positive");
    assert!((3..203).all(|index| data[index]["status"] == 201));
    let again = admin.post_with("k", "/v1/transactions/bulk", &body).await.made();
    for (one, two) in data.as_array().unwrap().iter().zip(again["data"].as_array().unwrap()) {
        assert_eq!(one["transaction"], two["transaction"]);
        assert_eq!(one["problem"], two["problem"]);
    }
    assert_eq!(again["data"][0]["replayed"], true);
    assert_eq!(admin.balance(B, first.position()).await, "6.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_read_with_its_legs_and_reversed_once() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let body = json!({"kind": "transfer", "debit": A, "credit": B, "amount": amount(A, "3.00"),
                      "note": "Lunch", "value_date": "2026-11-20"});
    let made = admin.post("/v1/transactions", &body).await;
    let id = made.made()["id"].as_str().unwrap().to_owned();
    // Read at once, without waiting for a position: who made it sees it.
    let read = admin.get(&format!("/v1/transactions/{id}")).await.made();
    for field in ["id", "kind", "effective_on", "value_date", "note", "recorded_at", "position"] {
        assert_eq!(read[field], made.json()[field], "{field}");
    }
    assert_eq!(read["legs"][0]["balance_after"], amount(A, "7.00"));
    assert_eq!(read["legs"][1]["balance_after"], amount(B, "3.00"));
    assert_eq!(read["actor"], "admin");
    assert_eq!(read["request"], made.header("request-id"));

    let path = format!("/v1/transactions/{id}/reverse");
    let reversed = admin.post_with("r", &path, &json!({"note": "Sent twice"})).await;
    let reversal = reversed.made();
    assert_eq!((&reversal["kind"], &reversal["reverses"]), (&json!("reversal"), &json!(id)));
    assert_eq!(
        reversal["legs"][0],
        json!({"account": A, "direction": "credit",
                                           "amount": amount(A, "3.00")})
    );
    let again = admin.post_with("r", &path, &json!({"note": "Sent twice"})).await;
    assert_eq!((again.is_replay(), &again.text), (true, &reversed.text));
    assert_eq!(admin.post(&path, &json!({})).await.refused(), "already_reversed");
    let of_reversal = reversal["id"].as_str().unwrap();
    let twice = admin.post(&format!("/v1/transactions/{of_reversal}/reverse"), &json!({})).await;
    assert_eq!(twice.refused(), "not_reversible");

    let min = format!("?min_position={}", reversed.position());
    let read = admin.get(&format!("/v1/transactions/{id}{min}")).await.made();
    assert_eq!(read["reversed_by"], reversal["id"]);
    assert_eq!(admin.balance(A, reversed.position()).await, "10.00");
    let unknown = admin.get("/v1/transactions/txn_00000000000000000000000000000007").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_and_dry_runs_decide_without_surprises() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    let opened = admin.open(B).await;
    let position = opened.position();
    opened.made();
    let with = |condition: Value| {
        let mut body = transfer(A, B, "3.00");
        body["conditions"] = json!([condition]);
        body
    };
    let stale = with(json!({"account": A, "sequence": 1}));
    assert_eq!(admin.post("/v1/transactions", &stale).await.refused(), "unexpected_sequence");
    let low = with(json!({"account": A, "minimum_balance": amount(A, "8.00")}));
    assert_eq!(admin.post("/v1/transactions", &low).await.refused(), "minimum_balance_not_met");
    let dry = admin.post("/v1/transactions?dry_run=true", &transfer(A, B, "3.00")).await;
    assert_eq!(dry.made()["accepted"], true);
    let dry = admin.post("/v1/transactions?dry_run=true", &transfer(A, B, "30.00")).await;
    assert_eq!(dry.refused(), "insufficient_funds");
    let account = admin.get(&format!("/v1/accounts/{A}?min_position={position}")).await.made();
    assert_eq!(account["balance"]["posted"], amount(A, "10.00"));
    let fresh = with(json!({"account": A, "sequence": account["sequence"]}));
    admin.post("/v1/transactions", &fresh).await.made();
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_listed_newest_first_page_by_page() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let mut ids = Vec::new();
    let mut position = 0;
    for _ in 0..7 {
        let made = admin.transfer(A, B, "1.00").await;
        ids.push(made.made()["id"].clone());
        position = made.position();
    }
    ids.reverse();
    let mut path = format!("/v1/transactions?account={B}&limit=3&min_position={position}");
    let mut seen = Vec::new();
    loop {
        let page = admin.get(&path).await;
        let body = page.made();
        seen.extend(body["data"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        let Some(cursor) = body["next_cursor"].as_str() else {
            assert_eq!(page.header("link"), "");
            break;
        };
        let link = page.header("link");
        path = link.split(['<', '>']).nth(1).unwrap().to_owned();
        assert!(path.contains(cursor) && link.ends_with("rel=\"next\""), "{link}");
    }
    assert_eq!(seen, ids);
    // The cursor belongs to its list and filters.
    let other = path.replace("wallet%3Aravi", "wallet%3Aasha");
    assert_ne!(other, path);
    assert_eq!(admin.get(&other).await.code(), "cursor_invalid");
    let none = admin.get("/v1/transactions?kind=payment").await.made();
    assert_eq!(none["data"], json!([]));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_transaction_of_a_batch_has_the_position_of_its_own_last_leg() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let three = json!({"kind": "transfer", "legs": [
        {"account": A, "direction": "debit", "amount": amount(A, "3.00")},
        {"account": B, "direction": "credit", "amount": amount(A, "1.00")},
        {"account": B, "direction": "credit", "amount": amount(A, "2.00")},
    ]});
    let batch = json!({"transactions": [transfer(A, B, "1.00"), three, transfer(A, B, "1.00")]});
    let made = admin.post("/v1/transactions/batch", &batch).await.made();
    for transaction in made["data"].as_array().unwrap() {
        let id = transaction["id"].as_str().unwrap();
        let path = format!("/v1/transactions/{id}?min_position={}", made["position"]);
        let read = admin.get(&path).await.made();
        assert_eq!(read["position"], transaction["position"]);
    }
    assert_eq!(made["data"][2]["position"], made["position"]);
    bahi.finish().await;
}
