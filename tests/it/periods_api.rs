//! Periods over HTTP: two persons close them, and a year's close moves what was earned.

use ledger_api::identity::Scope;
use serde_json::{Value, json};

use crate::support::bahi::{Actor, TestBahi, amount, fresh_key, send};

const ASHA: &str = "wallet:asha:INR";
const FEES: &str = "income:fees:INR";

fn decision(fields: &Value) -> Value {
    let mut body = json!({"reason": "month_end", "evidence_sha256": "ab".repeat(32)});
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// What `one` asks with the word of `other`, under a key.
async fn asked(one: &Actor, other: &str, path: &str, body: &Value, key: &str) -> (u16, Value) {
    let request = one
        .request(reqwest::Method::POST, path)
        .header("idempotency-key", key)
        .header("approver-authorization", format!("Bearer {other}"))
        .json(body);
    let answer = send(request).await;
    (answer.status.as_u16(), answer.json())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_persons_close_a_month_and_a_year() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let second = bahi.actor("second", &[Scope::OpsApprove]).await;
    let stranger = bahi.actor("stranger", &[Scope::LedgerRead]).await;
    admin.wallet(ASHA, "100.00").await;
    admin.open(FEES).await.made();
    let fee = |day: &str| {
        json!({"kind": "fee", "debit": ASHA, "credit": FEES, "amount": amount(ASHA, "5.00"),
               "effective_on": day})
    };
    admin.post("/v1/transactions", &fee("2026-01-15")).await.made();

    let close = decision(&json!({"until": "2026-01-31"}));
    let path = "/v1/ops/periods/close";
    for alone in [&admin.key, &stranger.key] {
        let (status, body) = asked(&admin, alone, path, &close, &fresh_key()).await;
        assert_eq!((status, body["code"].as_str()), (403, Some("second_person_needed")));
    }
    let key = fresh_key();
    let (status, first) = asked(&admin, &second.key, path, &close, &key).await;
    assert_eq!((status, &first["closed_until"]), (200, &json!("2026-01-31")), "{first}");
    let (_, again) = asked(&admin, &second.key, path, &close, &key).await;
    assert_eq!(again, first, "the same key has the same answer");
    let refused = admin.post("/v1/transactions", &fee("2026-01-31")).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "period_closed".to_owned()));
    admin.post("/v1/transactions", &fee("2026-02-01")).await.made();

    let year = decision(&json!({"until": "2026-01-31"}));
    let path = "/v1/ops/periods/close-year";
    let key = fresh_key();
    let (status, closed) = asked(&admin, &second.key, path, &year, &key).await;
    assert_eq!((status, &closed["until"]), (200, &json!("2026-01-31")), "{closed}");
    let (_, again) = asked(&admin, &second.key, path, &year, &key).await;
    assert_eq!(again, closed, "the same key has the same answer");
    let (status, body) = asked(&admin, &second.key, path, &year, &fresh_key()).await;
    assert_eq!((status, body["code"].as_str()), (409, Some("nothing_to_close")));
    // Without a date: the last closed 31 March, which lies before that year's end.
    let (status, body) =
        asked(&admin, &second.key, path, &decision(&json!({})), &fresh_key()).await;
    assert_eq!((status, body["code"].as_str()), (409, Some("year_closed_later")));

    let position = closed["position"].as_u64().unwrap();
    let sheet = admin.get(&format!("/v1/audit/balance-sheet?min_position={position}")).await.made();
    let inr = &sheet["data"][0];
    assert_eq!(inr["result"]["value"], "5.00", "February's: {sheet}");
    let equity = inr["sections"].as_array().unwrap().iter().find(|s| s["type"] == "equity");
    assert_eq!(equity.unwrap()["total"]["value"], "5.00");
    let earned = "/v1/audit/profit-and-loss?from=2025-04-01&to=2026-01-31";
    assert_eq!(admin.get(earned).await.made()["data"][0]["result"]["value"], "5.00");

    let reopen = decision(&json!({"from": "2026-01-01"}));
    let (status, body) =
        asked(&admin, &second.key, "/v1/ops/periods/reopen", &reopen, &fresh_key()).await;
    assert_eq!((status, &body["closed_until"]), (200, &json!("2025-12-31")), "{body}");
    let periods = admin.get("/v1/ops/periods").await.made();
    let events: Vec<_> =
        periods["data"].as_array().unwrap().iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events, ["period_reopened", "year_closed", "period_closed"]);
    assert_eq!(periods["data"][0]["approver"], "second");
    assert_eq!(periods["closed_until"], "2025-12-31");
    bahi.finish().await;
}
