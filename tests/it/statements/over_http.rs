//! Statements and reconciliation over HTTP.

use ledger_api::identity::Scope;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{inr, line, statement};
use crate::support::{
    bahi::{Actor, Reply, Set, TestBahi, send},
    database::Database,
    sandbox::Sandbox,
};

const PATH: &str = "/v1/ops/bank-statements?bank=hdfc&format=json";

async fn import(actor: &Actor, statement: &Value) -> Reply {
    let body = serde_json::to_vec(statement).unwrap();
    send(actor.request(Method::POST, PATH).body(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_imported_once_and_what_differs_is_listed_with_its_age() {
    let bahi = TestBahi::spawn().await;
    let clerk = bahi.actor("clerk", &[Scope::OpsWrite, Scope::OpsRead]).await;
    let stranger = bahi.actor("stranger", &[Scope::LedgerRead, Scope::OpsRead]).await;
    // Case 118 over HTTP, and larger than an ordinary body may be.
    let words = "x".repeat(80);
    let lines: Vec<Value> =
        (0..500).map(|n| line(&format!("S{n}"), "+1.00", None, &words)).collect();
    let file = statement(22, "0.00", "500.00", &lines);
    assert_eq!(import(&stranger, &file).await.status, StatusCode::FORBIDDEN);
    let stored = import(&clerk, &file).await;
    assert_eq!(stored.status, StatusCode::OK, "{}", stored.json());
    assert_eq!(stored.json()["new_lines"], json!(500));
    assert_eq!(stored.json()["duplicate"], json!(false));
    assert_eq!(import(&clerk, &file).await.json()["duplicate"], json!(true));

    let broken = statement(23, "500.00", "501.00", &[]);
    assert_eq!(import(&clerk, &broken).await.code(), "statement_sum_differs");
    assert_eq!(import(&clerk, &json!({"account": "escrow"})).await.code(), "statement_malformed");

    let mut corrected = lines.clone();
    let last = corrected.len() - 1;
    corrected[last] = line("S-NEW", "+1.00", None, &words);
    let vanished = import(&clerk, &statement(22, "0.00", "500.00", &corrected)).await;
    assert_eq!(vanished.json()["breaks"], json!(1), "{}", vanished.json());
    let found = clerk.get("/v1/ops/reconciliation").await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.json());
    let found = found.json();
    assert_eq!(found["breaks"].as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(found["breaks"][0]["kind"], "vanished");
    assert_eq!(found["breaks"][0]["bank_transaction_id"], "S499");
    assert!(found["breaks"][0]["age_seconds"].as_i64().is_some_and(|age| age >= 0));
    assert_eq!(found["accounts"][0]["stated"], inr("500.00"));
    assert_eq!(found["accounts"][0]["booked"], inr("0.00"));
    assert_eq!(found["backing"][0]["short"], json!(false));
    let nobody = bahi.actor("nobody", &[Scope::LedgerRead]).await;
    assert_eq!(nobody.get("/v1/ops/reconciliation").await.status, StatusCode::FORBIDDEN);
    bahi.finish().await;
}

/// A file could say that somebody paid who did not: nobody alone makes it the bank's word.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_the_name_of_a_bank_that_is_called_takes_two_people() {
    let sandbox = Sandbox::start().await;
    let set = Set { banks: sandbox.registry(), ..Set::default() };
    let bahi = TestBahi::on(&Database::create().await, set).await;
    let clerk = bahi.actor("clerk", &[Scope::OpsWrite, Scope::OpsApprove]).await;
    let second = bahi.actor("second", &[Scope::OpsApprove]).await;
    let weak = bahi.actor("weak", &[Scope::OpsWrite]).await;
    let file = statement(22, "0.00", "7.00", &[line("S1", "+7.00", None, "IN")]);
    let bytes = serde_json::to_vec(&file).unwrap();
    let with = async |approver: &Actor| {
        let request = clerk.request(Method::POST, PATH).body(bytes.clone());
        let key = format!("Bearer {}", approver.key);
        send(request.header("approver-authorization", key)).await
    };
    let pool = bahi.database.pool().await;
    let stored = async || -> Vec<(String, Option<String>)> {
        let sql = "select imported_by, approved_by from statement_files";
        sqlx::query_as(sql).fetch_all(&pool).await.unwrap()
    };
    let alone = import(&clerk, &file).await;
    for refused in [alone, with(&clerk).await, with(&weak).await] {
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
        assert_eq!(refused.code(), "second_person_needed");
    }
    assert_eq!(stored().await, []);
    assert_eq!(with(&second).await.made()["new_lines"], json!(1));
    assert_eq!(stored().await, [("clerk".to_owned(), Some("second".to_owned()))]);
    bahi.finish().await;
    sandbox.stop().await;
}
