//! By key what the desk does: a bank's days, and what is agreed with a shop.

use chrono::{TimeDelta, Utc};
use ledger_api::identity::Scope;
use serde_json::json;

use super::{BOTH, Operator, fees::by_two, shops::open_shop};
use crate::{audit_engine::verified, support::town::Town};

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_fetched_and_days_are_closed_and_opened_by_key() {
    let town = Town::start().await;
    let second = town.actor("second", &[Scope::OpsApprove]).await;
    let weak = town.actor("weak", &[Scope::OpsRead]).await;
    let india = (Utc::now() + TimeDelta::minutes(330)).date_naive();
    let yesterday = india.pred_opt().unwrap();
    let fetch = "/v1/ops/banks/hdfc/fetch";
    let body = json!({"account": "escrow", "day": india});
    assert_eq!(weak.post(fetch, &body).await.code(), "forbidden");
    // A worker may hold the account at this moment; then it says so.
    let began = std::time::Instant::now();
    let fetched = loop {
        let fetched = town.admin.post(fetch, &body).await;
        if fetched.status.is_success() {
            break fetched.made();
        }
        assert_eq!(fetched.code(), "statement_being_fetched", "{}", fetched.text);
        assert!(began.elapsed() < crate::support::bahi::PATIENCE);
    };
    assert_eq!(fetched["object"], "fetched_statement");
    let soon = json!({"account": "escrow", "day": india.succ_opt().unwrap()});
    assert_eq!(town.admin.post(fetch, &soon).await.code(), "invalid");

    let days = "/v1/ops/banks/kotak/days";
    let close = json!({"until": yesterday, "reason": "Looked at it"});
    let path = format!("{days}/close");
    assert_eq!(town.admin.post(&path, &close).await.code(), "bank_day_open");
    let sql = "insert into statement_files (bank, account, day, currency, format, sha256, opening,
                   closing, closed, lines, imported_by)
               values ('kotak', 'own', $1, 'INR', 'json', sha256('yesterday'::bytea), 0, 0,
                   true, 0, 'the tests')";
    let pool = town.database.pool().await;
    sqlx::query(sql).bind(yesterday).execute(&pool).await.unwrap();
    for _ in 0..2 {
        let closed = town.admin.post(&path, &close).await.made();
        assert_eq!(closed["closed_until"], json!(yesterday));
    }
    let reopen = json!({"from": yesterday, "reason": "They correct it"});
    let path = format!("{days}/reopen");
    let alone = town.admin.post(&path, &reopen).await;
    assert_eq!(alone.code(), "second_person_needed", "{}", alone.text);
    let opened = by_two(&town, &second, &path, &reopen).await.made();
    assert_eq!(opened["approved_by"], "second");
    let listed = weak.get(days).await.made();
    let reasons: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(reasons, ["They correct it", "Looked at it"], "{listed}");
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_are_defined_and_agreed_with_a_shop_by_two_keys() {
    let town = Town::start().await;
    let second = town.actor("second", &[Scope::OpsApprove]).await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let shop = open_shop(&town, &omar, "chai").await;
    let terms = json!({"fee_bps": 150, "tax_bps": 1800, "expected_version": 1, "reason": "board-7",
        "evidence_sha256": "ab".repeat(32)});
    let alone = town.admin.post("/v1/ops/terms", &terms).await;
    assert_eq!(alone.code(), "second_person_needed", "{}", alone.text);
    by_two(&town, &second, "/v1/ops/terms", &terms).await.made();
    let again = by_two(&town, &second, "/v1/ops/terms", &terms).await;
    assert_eq!((again.status.as_u16(), &*again.code()), (409, "terms_version"));
    let unsound = json!({"fee_bps": 10_001, "tax_bps": 0, "reason": "x",
        "evidence_sha256": "ab".repeat(32)});
    let unsound = by_two(&town, &second, "/v1/ops/terms", &unsound).await;
    assert_eq!(unsound.code(), "terms_unsound", "{}", unsound.text);

    let path = format!("/v1/ops/merchants/{shop}/terms");
    let before = town.admin.get(&path).await.made();
    assert_eq!(
        (&before["terms_version"], &before["object"]),
        (&json!(1), &json!("merchant_terms"))
    );
    let agree = |version: u32, days: u8, expected: u32| {
        json!({"terms_version": version, "settlement_days": days, "expected_version": expected,
            "reason": "They asked"})
    };
    for (body, code) in [
        (agree(3, 1, 1), "invalid"),
        (agree(2, 1, 2), "terms_version"),
        (agree(2, 200, 1), "invalid"),
    ] {
        assert_eq!(by_two(&town, &second, &path, &body).await.code(), code, "{body}");
    }
    let alone = town.admin.post(&path, &agree(2, 2, 1)).await;
    assert_eq!(alone.code(), "second_person_needed", "{}", alone.text);
    let agreed = by_two(&town, &second, &path, &agree(2, 2, 1)).await.made();
    assert_eq!((&agreed["terms_version"], &agreed["settlement_days"]), (&json!(2), &json!(2)));
    let nobody = "/v1/ops/merchants/mer_00000000000000000000000000000007/terms";
    assert_eq!(town.admin.get(nobody).await.code(), "not_found");
    let listed = town.admin.get("/v1/ops/terms").await.made();
    let on: Vec<_> =
        listed["data"].as_array().unwrap().iter().map(|t| t["shops"].clone()).collect();
    assert_eq!(on, [1, 0], "{listed}");
    verified(&town.stop().await).await;
}
