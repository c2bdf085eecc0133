//! Requests that another site makes a browser send.

use reqwest::Method;
use serde_json::json;

use super::person::Scene;
use crate::support::bahi::{fresh_key, send};

#[tokio::test(flavor = "multi_thread")]
async fn cases_129_130_money_moves_only_on_requests_of_our_own_pages() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let ravi = scene.person("ravi", "100.00").await;
    let body = json!({"amount": {"value": "5.00", "currency": "INR"}});
    let home = asha.address.clone();
    for (origin, token) in [
        (None, Some(&asha.csrf)),
        (Some("null"), Some(&asha.csrf)),
        (Some("https://evil.example"), Some(&asha.csrf)),
        (Some(home.as_str()), None),
        (Some(home.as_str()), Some(&ravi.csrf)),
    ] {
        let mut request = asha.bare(Method::POST, "/v1/deposits");
        request = request.header("idempotency-key", fresh_key()).json(&body);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(token) = token {
            request = request.header("x-csrf-token", token);
        }
        let answer = send(request).await;
        assert_eq!(answer.status, 403, "{origin:?}: {}", answer.text);
    }
    for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let request = asha.request(Method::POST, "/v1/deposits").header("content-type", media);
        let request = request.header("idempotency-key", fresh_key()).body(body.to_string());
        assert_eq!(send(request).await.status, 415, "{media}");
    }
    assert_eq!(asha.get("/v1/deposits").await.made()["data"], json!([]));
    asha.post("/v1/deposits", &body).await.made();
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_127_a_session_that_ended_calls_nothing() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    assert!(asha.get("/v1/balances").await.status.is_success());
    let out = send(asha.request(Method::POST, "/v1/logout")).await;
    assert!(out.status.is_success(), "{}", out.text);
    let answer = asha.get("/v1/balances").await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (401, "signed_out"));
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_key_is_the_persons_and_keys_have_no_wallet() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "100.00").await;
    let ravi = scene.person("ravi", "100.00").await;
    let body = json!({"amount": {"value": "5.00", "currency": "INR"}});
    let first = asha.post_with("one", "/v1/deposits", &body).await;
    let again = asha.post_with("one", "/v1/deposits", &body).await;
    assert_eq!(first.made()["id"], again.made()["id"]);
    assert!(again.is_replay());
    let others = ravi.post_with("one", "/v1/deposits", &body).await;
    assert_ne!(others.made()["id"], first.made()["id"]);
    for path in ["/v1/balances", "/v1/activity", "/v1/statements?month=2026-11", "/v1/me/events"] {
        assert_eq!(scene.admin.get(path).await.status, 403, "{path}");
    }
    scene.finish().await;
}
