//! Accounts over HTTP: opening by the chart, limits, freezes, closing; reading now and then.

use ledger_api::identity::Scope;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::bahi::{TestBahi, amount};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_opened_once_and_read_as_it_was_opened() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let body = json!({"code": "wallet:asha", "currency": "INR", "owner": "asha",
                      "ceiling": amount(A, "1000"), "metadata": {"tier": "full"}});
    let opened = admin.post_with("k", "/v1/accounts", &body).await;
    assert_eq!(opened.status, StatusCode::CREATED);
    assert_eq!(opened.header("location"), format!("/v1/accounts/{A}"));
    let again = admin.post_with("k", "/v1/accounts", &body).await;
    assert_eq!((again.is_replay(), &again.text), (true, &opened.text));
    assert_eq!(admin.post("/v1/accounts", &body).await.refused(), "account_exists");

    // Read at once: who made it sees it.
    let mut read = admin.get(&format!("/v1/accounts/{A}")).await.made();
    assert_eq!(read["balance"]["available"], amount(A, "0.00"));
    read.as_object_mut().unwrap().remove("balance");
    assert_eq!(read, opened.json());
    assert_eq!(admin.get("/v1/accounts/wallet:nobody:INR").await.status, StatusCode::NOT_FOUND);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn system_accounts_take_an_admin() {
    let bahi = TestBahi::spawn().await;
    let clerk = bahi.actor("clerk", &[Scope::LedgerWrite]).await;
    let body = json!({"code": "bank:hdfc:clearing_in", "currency": "INR", "owner": "hdfc"});
    let refused = clerk.post("/v1/accounts", &body).await;
    assert_eq!((refused.status, &*refused.code()), (StatusCode::FORBIDDEN, "forbidden"));
    let admin = bahi.actor("boss", &[Scope::Admin]).await;
    let opened = admin.post("/v1/accounts", &body).await.made();
    assert_eq!((&opened["class"], &opened["itemised"]), (&json!("clearing"), &json!(true)));
    // Nor may the clerk change it: the class follows from the code.
    let path = "/v1/accounts/bank:hdfc:clearing_in:INR/close";
    assert_eq!(clerk.post(path, &json!({})).await.status, StatusCode::FORBIDDEN);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_posts_between_open_accounts_only_and_a_deposit_comes_by_its_items() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.open("bank:hdfc:clearing_in:INR").await.made();
    admin.open(A).await.made();
    let legs = |kind: &str| {
        json!({"kind": kind, "legs": [
            {"account": "bank:hdfc:clearing_in:INR", "direction": "debit",
             "amount": amount(A, "500"), "item": "dep-1"},
            {"account": A, "direction": "credit", "amount": amount(A, "500")},
        ]})
    };
    let refused = admin.post("/v1/transactions", &legs("transfer")).await;
    assert_eq!(refused.refused(), "posting_not_permitted");
    let made = admin.post("/v1/transactions", &legs("deposit")).await;
    assert_eq!(made.made()["legs"][0]["item"], "dep-1");
    let min = format!("?min_position={}", made.position());
    let path = format!("/v1/accounts/bank:hdfc:clearing_in:INR/open-items{min}");
    let items = admin.get(&path).await.made();
    assert_eq!(items["data"][0]["item"], "dep-1");
    assert_eq!(items["data"][0]["balance"], amount(A, "500.00"));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_freezes_and_the_close() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let path = |rest: &str| format!("/v1/accounts/{A}/{rest}");

    let half = admin.post(&path("limits"), &json!({"floor": amount(A, "0")})).await;
    assert_eq!(
        (half.refused(), &half.json()["errors"][0]["pointer"]),
        ("invalid".into(), &json!("/ceiling"))
    );
    let line = json!({"floor": amount(A, "-5.00"), "ceiling": null});
    let changed = admin.post(&path("limits"), &line).await.made();
    assert_eq!(changed["floor"], amount(A, "-5.00"));
    admin.transfer(A, B, "15.00").await.made();
    assert_eq!(admin.transfer(A, B, "0.01").await.refused(), "insufficient_funds");
    admin.transfer(B, A, "15.00").await.made();
    let wide = admin.post(&path("limits"), &json!({"floor": null, "ceiling": null})).await;
    assert_eq!(wide.refused(), "chart_mismatch");

    let freeze = json!({"reference": "order/1", "mode": "debit"});
    assert_eq!(admin.post(&path("freezes"), &freeze).await.status, StatusCode::CREATED);
    assert_eq!(admin.post(&path("freezes"), &freeze).await.refused(), "freeze_exists");
    assert_eq!(admin.transfer(A, B, "1.00").await.refused(), "account_frozen");
    let lien = json!({"reference": "order-2", "mode": "lien", "amount": amount(A, "4.00")});
    let put = admin.post(&path("freezes"), &lien).await;
    let seen = admin.get(&format!("/v1/accounts/{A}?min_position={}", put.position())).await.made();
    assert_eq!(seen["freezes"].as_array().unwrap().len(), 2);
    assert_eq!(seen["balance"]["liens"], amount(A, "4.00"));
    let close = admin.post(&path("close"), &json!({})).await;
    assert_eq!(close.refused(), "balance_not_zero");
    for reference in ["order%2F1", "order-2"] {
        let lifted = admin.delete(&path(&format!("freezes/{reference}"))).await;
        assert_eq!(lifted.made()["change"], "unfreeze");
    }
    assert_eq!(admin.delete(&path("freezes/order-2")).await.refused(), "freeze_not_found");
    admin.transfer(A, B, "10.00").await.made();
    let closed = admin.post(&path("close"), &json!({})).await;
    assert_eq!(closed.made()["change"], "close");
    assert_eq!(admin.transfer(B, A, "1.00").await.refused(), "account_closed");
    let seen = admin.get(&format!("/v1/accounts/{A}?min_position={}", closed.position())).await;
    assert_eq!(seen.made()["status"], "closed");
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_86_the_past_is_read_by_position_time_and_date() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    admin.open(B).await.made();
    let one = admin.transfer(A, B, "1.00").await;
    let mut late = crate::support::bahi::transfer(A, B, "2.00");
    late["effective_on"] = json!("2020-02-29");
    let two = admin.post("/v1/transactions", &late).await;
    let posted = async |query: String| {
        let path = format!("/v1/accounts/{B}/balance?{query}");
        admin.get(&path).await.made()["posted"]["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(posted(format!("min_position={}", two.position())).await, "3.00");
    assert_eq!(posted(format!("as_of_position={}", one.position())).await, "1.00");
    let at = one.json()["recorded_at"].as_str().unwrap().to_owned();
    assert_eq!(posted(format!("as_of_time={at}")).await, "1.00");
    assert_eq!(posted("as_of_date=2020-02-28".to_owned()).await, "0.00");
    assert_eq!(posted("as_of_date=2020-02-29".to_owned()).await, "2.00");
    let ahead = admin.get(&format!("/v1/accounts/{B}/balance?as_of_position=999999")).await;
    assert_eq!(ahead.refused(), "position_ahead");
    let path = format!("/v1/accounts/{B}/balance?as_of_position=1&as_of_date=2020-01-01");
    assert_eq!(admin.get(&path).await.refused(), "invalid");

    let statement = admin.get(&format!("/v1/accounts/{B}/statement?limit=1")).await.made();
    assert_eq!(statement["closing"], amount(B, "3.00"));
    assert_eq!(statement["data"][0]["balance_after"], amount(B, "1.00"));
    let cursor = statement["next_cursor"].as_str().unwrap();
    let next =
        admin.get(&format!("/v1/accounts/{B}/statement?limit=1&cursor={cursor}")).await.made();
    assert_eq!(next["data"][0]["effective_on"], "2020-02-29");
    assert_eq!(next["has_more"], false);

    let flows = admin.get(&format!("/v1/accounts/{B}/flows?from=2020-02-01&to=2020-03-01")).await;
    let days = json!([{"day": "2020-02-29", "money_in": amount(B, "2.00"),
                       "money_out": amount(B, "0.00"), "legs": 1}]);
    assert_eq!(flows.made()["data"], days);
    let long = admin.get(&format!("/v1/accounts/{B}/flows?from=2019-01-01&to=2020-03-01")).await;
    assert_eq!(long.refused(), "invalid");

    let then = format!("/v1/trial-balance?as_of_position={}", one.position());
    let balance = admin.get(&then).await.made();
    assert_eq!(
        (&balance["balanced"], &balance["position"]),
        (&json!(true), &json!(one.position()))
    );
    assert_eq!(
        admin.get("/v1/trial-balance?as_of_position=99999").await.refused(),
        "position_ahead"
    );
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_found_by_owner_code_and_type() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    for account in ["wallet:a:INR", "wallet:a:JPY", "wallet:b:INR", "till:1:INR"] {
        admin.open(account).await.made();
    }
    let position = bahi.engine.status().borrow().head.position;
    let found = async |query: &str| {
        let path = format!("/v1/accounts?min_position={position}&{query}");
        let page = admin.get(&path).await.made();
        let ids = page["data"].as_array().unwrap().iter().map(|item| item["id"].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found("code=wallet:a").await, ["wallet:a:INR", "wallet:a:JPY"]);
    assert_eq!(found("type=asset").await, ["till:1:INR"]);
    assert_eq!(found("owner=test&currency=JPY").await, ["wallet:a:JPY"]);
    assert_eq!(found("code_prefix=wallet:").await.len(), 3);
    assert_eq!(found("owner=%27or%271%27=%271").await.len(), 0);
    assert_eq!(found("limit=2").await.len(), 2);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_that_does_not_come_is_said_so() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let behind = admin.get("/v1/accounts?min_position=123456").await;
    assert_eq!(behind.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!((&*behind.code(), behind.header("retry-after")), ("projection_behind", "1"));
    let ready = admin.get("/readyz").await.made();
    assert_eq!((&ready["ready"], &ready["engine"]), (&json!(true), &json!("running")));
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn currencies_are_added_by_an_admin_and_known_to_other_processes() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let other = TestBahi::on(&bahi.database, crate::support::bahi::Set::default()).await;
    let list = admin.get("/v1/currencies").await.made();
    assert!(
        list["data"]
            .as_array()
            .unwrap()
            .contains(&json!({"object": "currency", "code": "JPY", "scale": 0}))
    );
    let added = admin.post("/v1/currencies", &json!({"code": "EUR", "scale": 2})).await;
    assert_eq!(added.status, StatusCode::CREATED);
    let twice = admin.post("/v1/currencies", &json!({"code": "EUR", "scale": 3})).await;
    assert_eq!(twice.refused(), "currency_exists");
    // The other process has not read the log since.
    admin.at(&other).open("wallet:asha:EUR").await.made();
    other.finish().await;
    bahi.finish().await;
}
