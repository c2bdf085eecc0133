//! What withdrawals and transfers cost: versions by two persons, charged by the ledger as they are
//! in force, and never another than the one that somebody was told.

use chrono::{TimeDelta, Utc};
use ledger_api::identity::Scope;
use reqwest::{Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{BOTH, EVIDENCE, Operator, waiting};
use crate::{
    audit_engine::verified,
    support::{
        bahi::{Actor, Reply, fresh_key, send},
        town::Town,
    },
};

fn inr(value: &str) -> Value {
    json!({"value": value, "currency": "INR"})
}

fn with_version(mut body: Value, version: u32) -> Value {
    body["fee_version"] = json!(version);
    body
}

/// Asks with the word of a second person.
pub(super) async fn by_two(town: &Town, second: &Actor, path: &str, body: &Value) -> Reply {
    let request = town.admin.request(Method::POST, path).header("idempotency-key", fresh_key());
    let word = format!("Bearer {}", second.key);
    send(request.header("approver-authorization", word).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_costs_the_version_in_force_and_who_was_told_another_is_refused() {
    let town = Town::start().await;
    let mut omar = Operator::hire(&town, "omar", &BOTH).await;
    let mut tara = Operator::hire(&town, "tara", &BOTH).await;
    let to = town.bank_account("test").await;
    let amount = inr("100.00");
    let body = json!({"account": "wallet:a:INR", "bank_account": to, "bank": "hdfc",
        "rail": "imps", "amount": amount});
    let quote = json!({"account": "wallet:a:INR", "amount": amount, "bank": "hdfc",
        "rail": "imps"});
    let quoted = town.admin.post("/v1/withdrawal-quotes", &quote).await.made();
    assert_eq!((&quoted["fee"], &quoted["fee_version"]), (&inr("10.00"), &json!(1)));
    let first = town.admin.post_with("w1", "/v1/withdrawals", &with_version(body.clone(), 1)).await;
    assert_eq!(first.made()["fee"], inr("10.00"));

    let page = omar.open("/ops/limits").await;
    let path = "/ops/limits/services";
    let of = |fee, from| {
        [
            ("service", "withdrawal"),
            ("currency", "INR"),
            ("fee", fee),
            ("tax", "18"),
            ("effective_from", from),
            ("reason", "Rails got dearer"),
        ]
    };
    for (wrong, status) in [
        (of("12.555", ""), StatusCode::UNPROCESSABLE_ENTITY),
        (of("-1", ""), StatusCode::UNPROCESSABLE_ENTITY),
        (of("12.50", "soon"), StatusCode::UNPROCESSABLE_ENTITY),
        (of("12.50", "2020-01-01T00:00:00Z"), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(omar.act(&page, path, &wrong).await.status, status, "{wrong:?}");
    }
    assert_eq!(omar.act(&page, path, &of("12.50", "")).await.location(), "/ops/approvals");
    let quoted = town.admin.post("/v1/withdrawal-quotes", &quote).await.made();
    assert_eq!(quoted["fee"], inr("10.00"), "not by one word");
    let (page, number) = waiting(&mut tara).await;
    for said in ["A withdrawal", "₹10.00, 18 % tax in it", "₹12.50, 18 % tax in it"] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }
    tara.act(&page, &format!("/ops/approvals/{number}/approve"), &[]).await.location();
    let page = tara.open("/ops/limits").await;
    let changed = "₹10.00, 18 % tax in it → ₹12.50, 18 % tax in it";
    for said in [changed, "Rails got dearer", &omar.id, &tara.id] {
        assert!(page.text.contains(said), "{said}: {}", page.text);
    }

    let told = town.admin.post("/v1/withdrawals", &with_version(body.clone(), 1)).await;
    assert_eq!((told.status.as_u16(), &*told.code()), (422, "fee_changed"), "{}", told.text);
    let again = town.admin.post_with("w1", "/v1/withdrawals", &with_version(body.clone(), 1)).await;
    assert!(again.is_replay(), "what was charged stays: {}", again.text);
    let quoted = town.admin.post("/v1/withdrawal-quotes", &quote).await.made();
    assert_eq!((&quoted["fee"], &quoted["tax"]), (&inr("12.50"), &inr("1.91")));
    assert_eq!(quoted["fee_version"], 2);
    for body in [body.clone(), with_version(body, 2)] {
        let made = town.admin.post("/v1/withdrawals", &body).await.made();
        assert_eq!(made["fee"], inr("12.50"));
        town.wait_for(made["id"].as_str().unwrap(), "completed").await;
    }
    town.wait_for(first.made()["id"].as_str().unwrap(), "completed").await;
    // Of 35.00: 1.53 and twice 1.91 are tax.
    assert_eq!(town.balance("tax:gst_output:INR").await, "5.35".parse().unwrap());
    verified(&town.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_costs_the_version_in_force_at_once_and_when_it_waits() {
    let town = Town::start().await;
    let omar = Operator::hire(&town, "omar", &BOTH).await;
    let second = town.actor("second", &[Scope::OpsApprove]).await;
    let path = "/v1/ops/fees";
    let fee = |value: &str| {
        json!({"service": "transfer", "fee": inr(value), "tax_bps": 1800, "reason": "board-7",
            "evidence_sha256": EVIDENCE})
    };
    let alone = by_two(&town, &town.admin, path, &fee("5.00")).await;
    assert_eq!(alone.code(), "second_person_needed", "{}", alone.text);
    by_two(&town, &second, path, &fee("5.00")).await.made();
    let before = town.balance("wallet:a:INR").await;
    let send_to = |to: Value| json!({"account": "wallet:a:INR", "to": to, "amount": inr("250.00")});
    let told = with_version(send_to(json!({"handle": "omar"})), 1);
    let told = town.admin.post("/v1/transfers", &told).await;
    assert_eq!((told.status.as_u16(), &*told.code()), (422, "fee_changed"), "{}", told.text);
    let sent = with_version(send_to(json!({"handle": "omar"})), 2);
    let sent = town.admin.post_with("t1", "/v1/transfers", &sent).await.made();
    assert_eq!((&sent["status"], &sent["fee"]), (&json!("completed"), &inr("5.00")));
    // Its first leg says by which version, so that it is computed again from events alone.
    let named = "select convert_from(payload, 'UTF8')::json->>'fee_version' from events
         where aggregate_id = 'wallet:a:INR' and event_type = 'debited'
         order by position desc limit 1";
    let pool = town.database.pool().await;
    let named: Option<String> = sqlx::query_scalar(named).fetch_one(&pool).await.unwrap();
    assert_eq!(named.as_deref(), Some("2"));
    let held = send_to(json!({"phone": "+919800000077"}));
    let held = town.admin.post("/v1/transfers", &held).await;
    let at = held.position();
    let held = held.made();
    assert_eq!((&held["status"], &held["fee"]), (&json!("pending_claim"), &inr("5.00")));
    let after: Decimal = town.admin.balance("wallet:a:INR", at).await.parse().unwrap();
    assert_eq!(before - after, "255.00".parse().unwrap(), "what waits is held");
    assert_eq!(town.admin.balance("income:fees:INR", at).await, "4.24");
    let wallet = format!("wallet:{}:INR", omar.id.strip_prefix("usr_").unwrap());
    assert_eq!(town.admin.balance(&wallet, at).await, "250.00");

    // Free again, from tomorrow on; until then it is as it was.
    let mut again = fee("0.00");
    again["effective_from"] = json!(Utc::now() + TimeDelta::days(1));
    by_two(&town, &second, path, &again).await.made();
    let listed = town.admin.get(path).await.made();
    let of_transfers =
        |one: &&Value| one["service"] == "transfer" && one["fee"]["currency"] == "INR";
    let versions: Vec<(u64, bool)> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(of_transfers)
        .map(|one| (one["version"].as_u64().unwrap(), one["in_force"].as_bool().unwrap()))
        .collect();
    assert_eq!(versions, [(3, false), (2, true), (1, false)], "{listed}");
    let again = send_to(json!({"handle": "omar"}));
    let again = json!({"confirm_duplicate": true, "account": again["account"], "to": again["to"],
        "amount": again["amount"]});
    assert_eq!(town.admin.post("/v1/transfers", &again).await.made()["fee"], inr("5.00"));

    let mut past = fee("1.00");
    past["effective_from"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(by_two(&town, &second, path, &past).await.code(), "fee_in_the_past");
    let mut stale = fee("1.00");
    stale["expected_version"] = json!(2);
    assert_eq!(by_two(&town, &second, path, &stale).await.code(), "fee_version");
    verified(&town.stop().await).await;
}
