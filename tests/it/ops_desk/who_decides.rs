//! Who decides about suspense: one rule, whichever way somebody comes.

use ledger_api::identity::Scope;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BOTH, EVIDENCE, Operator, between, logged, money::in_suspense};
use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, Reply, fresh_key, send},
        town::Town,
    },
};
use ledger_api::staff::StaffRole;

async fn asked(one: &Actor, path: &str, body: &Value, second: Option<&Actor>) -> Reply {
    let mut request = one.request(Method::POST, path).header("idempotency-key", fresh_key());
    if let Some(second) = second {
        request = request.header("approver-authorization", format!("Bearer {}", second.key));
    }
    send(request.json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_approve_assigns_nothing_alone_by_the_desk_or_by_the_api() {
    let town = Town::start().await;
    let mut nils = Operator::hire(&town, "nils", &[StaffRole::Operator]).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let before = town.balance("wallet:a:INR").await;

    // At the desk: it is proposed, however small, and somebody who may agrees.
    let small = in_suspense(&town, "700.00").await;
    let path = format!("/ops/suspense/{small}");
    let said = [("account", "wallet:a:INR"), ("reason", "case-2026-117")];
    let form = nils.open(&path).await;
    let page = &form;
    assert!(page.text.contains("Propose: assign") && page.text.contains("Propose: back"));
    let assign = format!("{path}/assign");
    let alone = nils.act(page, &assign, &said).await;
    assert_eq!(alone.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", alone.text);
    let said = [&said[..], &[("evidence_sha256", EVIDENCE)]].concat();
    assert_eq!(nils.act(page, &assign, &said).await.location(), path);
    assert_eq!(town.balance("wallet:a:INR").await, before, "nothing moved by one word");
    let page = nils.open("/ops/approvals").await;
    let number = between(&page.text, "/ops/approvals/", "/reject\"").to_owned();
    let approve = format!("/ops/approvals/{number}/approve");
    assert_eq!(nils.send(&page, &approve, &[]).await.status, StatusCode::FORBIDDEN);
    let page = tara.open(&path).await;
    assert_eq!(tara.act(&page, &approve, &[]).await.location(), "/ops/approvals");
    assert!(tara.open(&path).await.text.contains("It lies in suspense no more"));
    assert_eq!(town.balance("wallet:a:INR").await - before, 700.into());
    // Both stand in the log, though the amount is small.
    let sql =
        "select count(*) from events where convert_from(metadata, 'UTF8')::json ->> 'actor' = $1
               and convert_from(metadata, 'UTF8')::json ->> 'approver' = $2";
    let pool = town.database.pool().await;
    let both: i64 =
        sqlx::query_scalar(sql).bind(&nils.id).bind(&tara.id).fetch_one(&pool).await.unwrap();
    assert!(both > 0, "proposer and approver");
    // What is not there any more is nobody's to decide alone either.
    let gone = nils.send(&form, &assign, &said).await;
    assert_eq!(gone.status, StatusCode::FORBIDDEN, "{}", gone.text);
    let refused = logged(&town, &nils.id).await;
    assert!(refused.contains(&("operator_refused".into(), small, "forbidden".into())));

    // By the API: the same words for the same scopes.
    let writer = town.actor("writer", &[Scope::OpsWrite]).await;
    let approver = town.actor("approver", &[Scope::OpsApprove]).await;
    let reader = town.actor("reader", &[Scope::OpsRead]).await;
    let credit = in_suspense(&town, "800.00").await;
    let path = format!("/v1/ops/suspense/{credit}/assign");
    let mut body = json!({"account": "wallet:a:INR", "reason": "case-7"});
    assert_eq!(asked(&reader, &path, &body, None).await.code(), "forbidden");
    assert_eq!(asked(&writer, &path, &body, None).await.code(), "second_person_needed");
    body["evidence_sha256"] = json!(EVIDENCE);
    for second in [&writer, &reader] {
        let refused = asked(&writer, &path, &body, Some(second)).await;
        assert_eq!(refused.code(), "second_person_needed", "{}", refused.text);
    }
    let back = format!("/v1/ops/suspense/{credit}/return");
    let reason = json!({"reason": "third_party"});
    assert_eq!(asked(&writer, &back, &reason, None).await.code(), "second_person_needed");
    asked(&writer, &path, &body, Some(&approver)).await.made();
    let credit = in_suspense(&town, "900.00").await;
    let path = format!("/v1/ops/suspense/{credit}/assign");
    let body = json!({"account": "wallet:a:INR", "reason": "case-8"});
    asked(&approver, &path, &body, None).await.made();
    assert!(tara.open(&format!("/ops/suspense/{credit}")).await.text.contains("no more"));
    assert_eq!(town.balance("wallet:a:INR").await - before, 2_400.into());
    verified(&town.stop().await).await;
}
