//! What a shop reaches of the API, by the session of who works there and by a key of its own.

use ledger_api::identity::{KeyEnvironment, NewKey, Scope, ScopeSet, create_key};
use reqwest::Method;
use serde_json::json;

use super::clerk::Clerk;
use crate::{
    support::bahi::{fresh_key, send},
    user_api::person::Scene,
};

/// What is opened to shops. Everything else refuses them, whatever else is added.
const OPENED: &[&str] = &[
    "POST /v1/withdrawals",
    "GET /v1/withdrawals",
    "GET /v1/withdrawals/{id}",
    "POST /v1/withdrawals/{id}/cancel",
    "POST /v1/withdrawal-quotes",
    "POST /v1/bank-accounts",
    "GET /v1/bank-accounts",
    "GET /v1/bank-accounts/{id}",
    "DELETE /v1/bank-accounts/{id}",
    "POST /v1/bank-accounts/{id}/verify",
    "GET /v1/banks",
    "POST /v1/payment-requests",
    "GET /v1/payment-requests",
    "GET /v1/payment-requests/{id}",
    "GET /v1/payment-requests/{id}/qr.svg",
    "POST /v1/payment-requests/{id}/close",
    "GET /v1/payments",
    "GET /v1/payments/{id}",
    "GET /v1/payments/{id}/dispute",
    "POST /v1/payments/{id}/dispute/evidence",
    "POST /v1/payments/{id}/refunds",
    "GET /v1/refunds/{id}",
    "POST /v1/refunds/{id}/cancel",
    "GET /v1/settlements",
    "GET /v1/settlements/{id}",
    "GET /v1/statements/proofs/{position}",
    "GET /v1/withdrawals/{id}/composition",
    "POST /v1/webhook-endpoints",
    "GET /v1/webhook-endpoints",
    "GET /v1/webhook-endpoints/{id}",
    "PATCH /v1/webhook-endpoints/{id}",
    "DELETE /v1/webhook-endpoints/{id}",
    "POST /v1/webhook-endpoints/{id}/rotate",
    "POST /v1/webhook-endpoints/{id}/test",
    "GET /v1/webhook-endpoints/{id}/deliveries",
    "GET /v1/deliveries/{id}",
    "POST /v1/deliveries/{id}/redeliver",
];

/// Answers that tell nothing of anybody, to whoever asks.
const OF_NOBODY: &[&str] =
    &["/v1/currencies", "/v1/tiers", "/v1/signup", "/v1/login", "/v1/password", "/v1/oauth"];

#[tokio::test(flavor = "multi_thread")]
async fn case_142_every_route_refuses_shops_but_those_that_are_opened() {
    let scene = Scene::start().await;
    let (owner, id) = Clerk::with_shop(&scene, "kamala").await;
    let pool = scene.bahi.database.pool().await;
    let new = NewKey {
        principal: id.parse().unwrap(),
        label: "till".to_owned(),
        scopes: ScopeSet::of(&Scope::ALL),
        environment: KeyEnvironment::Test,
    };
    let (_, token) = create_key(&pool, &new).await.unwrap();
    let document = scene.admin.get("/openapi.json").await.made();
    let (mut refused, mut opened) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        let is_of_nobody = OF_NOBODY.iter().any(|open| path.starts_with(open));
        if !path.starts_with("/v1/") || is_of_nobody {
            continue;
        }
        for (method, operation) in item.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let name = format!("{method} {path}");
            if OPENED.contains(&name.as_str()) {
                opened.push(name);
                continue;
            }
            let hex = id.strip_prefix("mer_").unwrap();
            let own = format!("merchant:{hex}:available:INR");
            let asked = path
                .replace("{id}", if path.contains("/accounts/") { &own } else { "x" })
                .replace("{number}", "1")
                .replace("{size}", "1")
                .replace("{position}", "1")
                .replace("{reference}", "x")
                .replace("{bank}", "hdfc");
            let body = &operation["requestBody"]["content"]["application/json"]["example"];
            let body = if body.is_null() { json!({}) } else { body.clone() };
            let bearer = format!("Bearer {}", token.reveal());
            let by_key = reqwest::Client::new()
                .request(method.clone(), format!("{}{asked}", scene.bahi.address))
                .header("authorization", bearer);
            for request in [owner.request(method.clone(), &asked), by_key] {
                let request = request.header("idempotency-key", fresh_key());
                let request = if method == Method::GET { request } else { request.json(&body) };
                let answer = send(request).await;
                let status = answer.status.as_u16();
                let is_refused = [401, 403, 404, 422].contains(&status);
                assert!(is_refused, "{name}: {status} {}", answer.text);
                refused += 1;
            }
        }
    }
    opened.sort();
    let mut listed: Vec<String> = OPENED.iter().map(|name| (*name).to_owned()).collect();
    listed.sort();
    assert_eq!(opened, listed, "what is opened and what is listed here differ");
    assert!(refused > 60, "{refused}");
    scene.finish().await;
}
