//! Input that means harm, or means nothing: refused in words, or kept as it is and never obeyed.

use serde_json::json;

use crate::support::bahi::{TestBahi, amount, transfer};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

#[tokio::test(flavor = "multi_thread")]
async fn case_141_a_body_cannot_set_what_is_not_its_to_set() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let smuggled = [
        ("balance", json!("1000000.00")),
        ("role", json!("admin")),
        ("owner_id", json!("somebody")),
        ("status", json!("posted")),
        ("fee", json!("0.00")),
        ("id", json!("txn_00000000000000000000000000000001")),
        ("recorded_at", json!("2020-01-01T00:00:00Z")),
        ("actor", json!("ledger")),
    ];
    for (field, value) in smuggled {
        for (path, mut body) in [
            ("/v1/transactions", transfer(A, B, "1.00")),
            ("/v1/accounts", json!({"code": "wallet:eve", "currency": "INR", "owner": "eve"})),
            ("/v1/holds", json!({"account": A, "amount": amount(A, "1.00")})),
        ] {
            body[field] = value.clone();
            let answer = admin.post(path, &body).await;
            assert_eq!(answer.status.as_u16(), 422, "{path} {field}: {}", answer.text);
            assert_eq!(answer.code(), "invalid", "{path} {field}: {}", answer.text);
        }
    }
    let honest = admin.transfer(A, B, "1.00").await;
    assert_eq!(admin.balance(A, honest.position()).await, "9.00");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_162_and_163_words_are_kept_as_they_are_and_filters_are_only_compared() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "100.00").await;
    admin.open(B).await.made();
    let notes = [
        "जन्मदिन मुबारक 🎂",
        "\u{202e}right to left",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "'; drop table events; --",
    ];
    for note in notes {
        let mut body = transfer(A, B, "1.00");
        body["note"] = json!(note);
        let made = admin.post("/v1/transactions", &body).await;
        let (position, made) = (made.position(), made.made());
        let path =
            format!("/v1/transactions/{}?min_position={position}", made["id"].as_str().unwrap());
        let read = admin.get(&path).await;
        assert_eq!(read.json()["note"], json!(note));
        assert_eq!(read.header("content-type"), "application/json");
        assert_eq!(read.header("x-content-type-options"), "nosniff");
    }
    let mut body = transfer(A, B, "1.00");
    body["note"] = json!("line\r\nbreak\u{1b}[2J");
    assert_eq!(admin.post("/v1/transactions", &body).await.status.as_u16(), 422);
    for query in [
        "owner=%27%20or%20%271%27%3D%271",
        "code=wallet%3A%25",
        "owner=test%27%3B%20drop%20table%20events%3B--",
    ] {
        let found = admin.get(&format!("/v1/accounts?{query}")).await;
        let none = found.status.as_u16() == 422
            || found.json()["data"].as_array().is_some_and(Vec::is_empty);
        assert!(none, "{query}: {}", found.text);
    }
    // PostgreSQL's text has no NUL: nothing is called that.
    for path in ["/v1/accounts/wallet%00:INR", "/v1/owners/a%00b/activity", "/%00", "/app?q=%00"] {
        assert_eq!(admin.get(path).await.code(), "not_found", "{path}");
    }
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_an_object_and_not_a_list_of_its_values() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    let last = admin.open(B).await.position();
    let mut body = transfer(A, B, "1.00");
    body["amount"] = json!(["1.00", "INR"]);
    let refused = admin.post("/v1/transactions", &body).await;
    assert_eq!(refused.refused(), "invalid");
    assert_eq!(refused.json()["errors"][0]["pointer"], "/amount");
    assert_eq!(admin.balance(A, last).await, "10.00");
    bahi.finish().await;
}

/// Dates that only some programs can hold are the asker's mistake, not the database's absence.
#[tokio::test(flavor = "multi_thread")]
async fn dates_out_of_range_and_periods_that_end_before_they_begin_are_refused() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    for (path, pointer) in [
        (format!("/v1/accounts/{A}/statement?from=-262143-01-01"), "?from"),
        (format!("/v1/accounts/{A}/statement?from=2026-12-01&to=2026-11-01"), "?from"),
        (format!("/v1/accounts/{A}/balance?as_of_date=-262143-01-01"), "?as_of_date"),
        (format!("/v1/accounts/{A}/balance?as_of_time=-262143-01-01T00:00:00Z"), "?as_of_time"),
        (format!("/v1/accounts/{A}/flows?to=-262143-01-01"), "?to"),
        ("/v1/transactions?effective_to=-262143-01-01".to_owned(), "?effective_to"),
        ("/v1/transactions?recorded_from=-262143-01-01T00:00:00Z".to_owned(), "?recorded_from"),
    ] {
        let refused = admin.get(&path).await;
        assert_eq!(refused.refused(), "invalid", "{path}");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{path}");
    }
    bahi.finish().await;
}
