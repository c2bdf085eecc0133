//! What was said to a bank about a withdrawal: on its page at the desk, for programs of operators,
//! and opened by an auditor with a reason.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BOTH, Operator};
use crate::support::{
    bahi::{Actor, PATIENCE, send},
    intake::INSTALLATION,
    town::Town,
};
use ledger_api::{identity::Scope, vault::SubjectKeys};

/// The whole number of the account that is paid.
const NUMBER: &str = "001234567890";

/// Waits for so many exchanges about a withdrawal, as the API shows them.
async fn said(town: &Town, id: &str, count: usize) -> Vec<Value> {
    let path = format!("/v1/ops/withdrawals/{id}/exchanges");
    let mut kept = Vec::new();
    let waited = tokio::time::timeout(PATIENCE, async {
        while kept.len() < count {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let seen = town.admin.get(&path).await.made();
            kept = seen["data"].as_array().unwrap().clone();
        }
    });
    assert!(waited.await.is_ok(), "{kept:#?}");
    kept
}

async fn open(auditor: &Actor, id: &str, reason: &str) -> (StatusCode, String) {
    let body = json!({"kind": "exchange", "subject": id, "reason": reason});
    let answer = send(auditor.request(Method::POST, "/v1/audit/openings").json(&body)).await;
    (answer.status, answer.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn request_and_answer_are_masked_at_the_desk_and_opened_by_an_auditor() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let to = town.bank_account("test").await;
    let paid = town.withdraw("axis", &to, "700.00").await;
    town.wait_for(&paid, "completed").await;
    let silent = town.withdraw("hdfc", &to, "5000.15").await;
    town.wait_for(&silent, "outcome_unknown").await;

    let kept = said(&town, &paid, 1).await;
    assert_eq!((&kept[0]["kind"], &kept[0]["http_status"]), (&json!("submit"), &json!(200)));
    let payee = &kept[0]["request"]["json"]["beneficiary"];
    assert_eq!(payee["account_number"], "••••7890", "{kept:#?}");
    assert_eq!(kept[0]["answer"]["json"]["status"], "paid");
    let shown = Value::from(kept.clone()).to_string();
    assert!(!shown.contains(NUMBER) && !shown.contains("ASHA"), "{shown}");
    let quiet = said(&town, &silent, 1).await;
    assert_eq!(
        (&quiet[0]["failure"], &quiet[0]["http_status"], &quiet[0]["answer"]["json"]),
        (&json!("timed_out"), &Value::Null, &Value::Null)
    );

    let page = omar.open(&format!("/ops/withdrawals/{paid}")).await.text;
    assert!(page.contains("Attempt 1, to the letter") && page.contains("HTTP 200 in"), "{page}");
    assert!(page.contains("••••7890") && !page.contains(NUMBER), "{page}");
    let page = omar.open(&format!("/ops/withdrawals/{silent}")).await.text;
    assert!(page.contains("no answer in"), "{page}");

    let weak = town.actor("reader", &[Scope::LedgerRead]).await;
    let path = format!("/v1/ops/withdrawals/{paid}/exchanges");
    assert_eq!(weak.get(&path).await.status, StatusCode::FORBIDDEN);
    let nobody = "/v1/ops/withdrawals/wd_019a0000000070008000000000000099/exchanges";
    assert_eq!(town.admin.get(nobody).await.status, StatusCode::NOT_FOUND);

    let id = kept[0]["id"].as_str().unwrap();
    assert_eq!(open(&town.admin, id, "x").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let missing = open(&town.admin, "019a0000-0000-7000-8000-000000000099", "Case 42").await;
    assert_eq!(missing.0, StatusCode::NOT_FOUND);
    let (status, text) = open(&town.admin, id, "Case 42 of the audit").await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert!(text.contains(NUMBER) && text.contains("ASHA RAO"), "{text}");
    let pool = town.database.pool().await;
    let sql = "select count(*) from access_log where what = 'exchange_opened' and subject = $1";
    let subject = format!("exchange {id}");
    let lines: i64 = sqlx::query_scalar(sql).bind(subject).fetch_one(&pool).await.unwrap();
    assert_eq!(lines, 1);

    // Who is forgotten takes it along.
    let sql = "select distinct subject from bank_exchanges where subject is not null";
    let owner: String = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
    let keys = SubjectKeys::new(pool.clone(), &INSTALLATION);
    assert!(keys.erase(&owner.parse().unwrap()).await.unwrap());
    let kept = said(&town, &paid, 1).await;
    assert_eq!(kept[0]["request"]["json"], Value::Null);
    let (_, text) = open(&town.admin, id, "Case 42 of the audit").await;
    let opened: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(opened["is_empty"], true, "{text}");
    assert!(!text.contains(NUMBER), "{text}");
    town.stop().await;
}
