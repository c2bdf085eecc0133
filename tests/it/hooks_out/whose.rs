//! Who may have what sent where.

use ledger_api::identity::Scope;
use serde_json::json;

use super::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn case_25_an_endpoint_is_its_owner_s_alone_and_needs_the_scopes() {
    let scene = Scene::start(0).await;
    let made = scene.endpoint("https://shop.example/hooks", &[]).await;
    let path = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    let other = scene.bahi.actor("other", &[Scope::WebhooksWrite, Scope::LedgerRead]).await;
    assert_eq!(other.get(&path).await.status, 404);
    assert_eq!(other.delete(&path).await.status, 404);
    for action in ["rotate", "test"] {
        assert_eq!(other.post(&format!("{path}/{action}"), &json!({})).await.status, 404);
    }
    assert_eq!(other.get(&format!("{path}/deliveries")).await.status, 404);
    assert_eq!(other.get("/v1/webhook-endpoints").await.made()["data"], json!([]));
    let test = scene.admin.post(&format!("{path}/test"), &json!({})).await.made();
    let delivery = format!("/v1/deliveries/{}", test["id"].as_str().unwrap());
    assert_eq!(other.get(&delivery).await.status, 404);
    assert_eq!(other.post(&format!("{delivery}/redeliver"), &json!({})).await.status, 404);
    assert_eq!(scene.admin.get(&delivery).await.made()["status"], "pending");

    // What is sent shows what may be read, so both scopes are needed.
    let body = json!({"url": "https://shop.example/hooks"});
    for scopes in [vec![Scope::WebhooksWrite], vec![Scope::LedgerRead]] {
        let actor = scene.bahi.actor("half", &scopes).await;
        assert_eq!(actor.post("/v1/webhook-endpoints", &body).await.status, 403, "{scopes:?}");
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_comes_again_makes_one_endpoint() {
    let scene = Scene::start(0).await;
    let (path, body) = ("/v1/webhook-endpoints", json!({"url": "https://shop.example/hooks"}));
    let first = scene.admin.post_with("once", path, &body).await;
    let again = scene.admin.post_with("once", path, &body).await;
    assert!(again.is_replay() && !first.is_replay());
    assert_eq!(first.made(), again.made());
    let other = json!({"url": "https://shop.example/others"});
    assert_eq!(
        scene.admin.post_with("once", path, &other).await.refused(),
        "idempotency_key_reused"
    );
    assert_eq!(scene.admin.get(path).await.made()["data"].as_array().unwrap().len(), 1);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn urls_into_private_networks_and_unknown_types_are_refused() {
    let scene = Scene::start(0).await;
    let made = scene.endpoint("https://shop.example/hooks", &[]).await;
    let path = format!("/v1/webhook-endpoints/{}", made["id"].as_str().unwrap());
    for url in [
        "http://shop.example/",
        "https://10.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://u:p@shop.example/",
        "https://shop.example:25/",
    ] {
        let body = json!({"url": url});
        let refused = scene.admin.post("/v1/webhook-endpoints", &body).await;
        assert_eq!(refused.refused(), "webhook_url_refused", "{url}");
        let request = scene.admin.request(reqwest::Method::PATCH, &path).json(&body);
        assert_eq!(crate::support::bahi::send(request).await.refused(), "webhook_url_refused");
    }
    let body = json!({"url": "https://shop.example/", "event_types": ["transfer.*"]});
    let refused = scene.admin.post("/v1/webhook-endpoints", &body).await;
    assert_eq!(refused.refused(), "event_type_unknown");
    scene.finish().await;
}
