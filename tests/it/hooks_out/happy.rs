//! What happens arrives: signed, in order, once to whoever deduplicates.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use ledger_api::webhooks::signature::{self, Keys};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    receiver::{Answer, Got, Receiver},
    scene::Scene,
    verifier,
};

/// Whether each object's messages came in the order of their `seq`.
#[track_caller]
pub(super) fn in_order(got: &[Got]) {
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for got in got {
        let data = got.json()["data"].clone();
        let (id, seq) = (data["id"].as_str().unwrap().to_owned(), data["seq"].as_u64().unwrap());
        let before = last.insert(id.clone(), seq).unwrap_or(0);
        assert!(before < seq, "{id}: {seq} after {before}");
    }
}

fn headers(got: &Got) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| -> (HeaderName, HeaderValue) {
        (name.parse().unwrap(), value.parse().unwrap())
    };
    got.headers.iter().map(pair).collect()
}

/// Whether it is signed by the private key of this public one.
fn is_signed_by(public_key: &Value, got: &Got) -> bool {
    let keys: Keys = public_key.as_str().unwrap().parse().unwrap();
    let now_s = got.headers["webhook-timestamp"].parse().unwrap();
    signature::verify(&headers(got), got.body.as_bytes(), &keys, now_s).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_arrives_signed_and_in_order() {
    let scene = Scene::start(1).await;
    let receiver = Receiver::start().await;
    scene.transfer().await;
    let endpoint = scene.endpoint(&receiver.url, &[]).await;
    let secret = endpoint["secret"].as_str().unwrap();
    // Each message is refused once: the next one of its object waits.
    receiver.answer(|_, before| Answer::Status(if before == 0 { 500 } else { 200 }));
    let instant = scene.transfer().await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let id = scene.held().await;
        scene.cancel(&id).await;
        held.push(id);
    }
    receiver.until(5).await;
    // None of the second ones comes before the first ones were taken.
    assert_eq!(receiver.distinct().len(), 5, "{:?}", receiver.distinct());
    while receiver.all().len() < 18 {
        scene.pass(TimeDelta::seconds(6));
        receiver.calls_after(receiver.all().len()).await;
    }
    let all = receiver.distinct();
    assert_eq!(all.len(), 9);
    in_order(&all);
    verifier::verify(secret, &receiver.all());
    assert!(all.iter().all(|got| is_signed_by(&endpoint["public_key"], got)));

    let of = |id: &str| -> Vec<Value> {
        let mine = all.iter().map(Got::json).filter(|message| message["data"]["id"] == id);
        mine.collect()
    };
    let [done] = of(&instant).try_into().unwrap();
    assert_eq!(
        (&done["type"], &done["data"]["status"]),
        (&json!("transfer.completed"), &json!("completed"))
    );
    assert_eq!(done["data"]["amount"], json!({"value": "1.00", "currency": "INR"}));
    for id in held {
        let [waits, ended] = of(&id).try_into().unwrap();
        assert_eq!(waits["type"], "transfer.updated");
        assert_eq!(ended["type"], "transfer.cancelled");
        // As the API shows it, at that event; words are left out.
        let mut shown = scene.admin.get(&format!("/v1/transfers/{id}")).await.made();
        assert_eq!(shown["note"], "Tea");
        let fields = shown.as_object_mut().unwrap();
        fields.remove("note");
        // Nothing is nothing, with or without its decimals.
        assert_eq!(ended["data"]["fee"]["value"], "0.00");
        fields.insert("fee".to_owned(), ended["data"]["fee"].clone());
        fields.insert("seq".to_owned(), ended["data"]["seq"].clone());
        fields.insert("position".to_owned(), ended["data"]["position"].clone());
        assert_eq!(ended["data"], shown);
        assert_eq!(waits["data"]["status"], "pending_claim");
        assert!(waits["data"]["position"].as_u64() < ended["data"]["position"].as_u64());
    }
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_asked_for_comes_and_the_log_shows_what_was_said() {
    let scene = Scene::start(1).await;
    let receiver = Receiver::start().await;
    let endpoint = scene.endpoint(&receiver.url, &["transfer.cancelled"]).await;
    let id = endpoint["id"].as_str().unwrap();
    scene.transfer().await;
    let held = scene.held().await;
    scene.cancel(&held).await;
    let got = receiver.until(1).await;
    let shown = scene.attempts_until(id, 1).await;
    let shown = scene.delivery_until(shown["id"].as_str().unwrap(), "delivered").await;
    assert_eq!(shown["type"], "transfer.cancelled");
    assert_eq!(shown["message_id"], got[0].id());
    assert_eq!(shown["body"], got[0].json());
    assert_eq!(shown["object_id"], held);
    let attempt = &shown["attempts"][0];
    assert_eq!((&attempt["status"], &attempt["response_body"]), (&json!(200), &json!("noted")));
    assert_eq!(attempt["request_headers"]["webhook-id"], got[0].id());
    assert!(attempt["response_headers"]["location"].is_string(), "{attempt}");

    // Sent again: the same message, by its id.
    let delivery = shown["id"].as_str().unwrap();
    let path = format!("/v1/deliveries/{delivery}/redeliver");
    scene.admin.post(&path, &json!({})).await.made();
    scene.attempts_until(id, 2).await;
    scene.delivery_until(delivery, "delivered").await;
    assert_eq!(receiver.distinct().len(), 1);
    assert_eq!(receiver.all().len(), 2);

    // Deleted: nobody finds it or its deliveries.
    scene.admin.delete(&format!("/v1/webhook-endpoints/{id}")).await.made();
    let gone = scene.admin.get(&format!("/v1/deliveries/{delivery}")).await;
    assert_eq!(gone.status, 404);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_120_for_a_day_everything_is_signed_with_the_secret_before_as_well() {
    let scene = Scene::start(1).await;
    let receiver = Receiver::start().await;
    let made = scene.endpoint(&receiver.url, &[]).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/webhook-endpoints/{id}");
    let rotated = scene.admin.post(&format!("{path}/rotate"), &json!({})).await.made();
    let (old, new) = (made["secret"].as_str().unwrap(), rotated["secret"].as_str().unwrap());
    assert_ne!(old, new);
    assert_ne!(made["public_key"], rotated["public_key"]);
    assert!(scene.admin.get(&path).await.made()["secret"].is_null(), "shown again");

    scene.admin.post(&format!("{path}/test"), &json!({})).await.made();
    let both = receiver.until(1).await;
    assert_eq!(both[0].json()["type"], "webhook.test");
    for (secret, key) in [(old, &made["public_key"]), (new, &rotated["public_key"])] {
        verifier::verify(secret, &both);
        assert!(is_signed_by(key, &both[0]));
    }
    scene.pass(TimeDelta::hours(24) + TimeDelta::seconds(1));
    scene.admin.post(&format!("{path}/test"), &json!({})).await.made();
    let last = receiver.until(2).await.split_off(1);
    verifier::verify(new, &last);
    assert!(verifier::refuses(old, &last));
    assert!(!is_signed_by(&made["public_key"], &last[0]));

    // A hurry has its end, and no header grows without one.
    for _ in 0..3 {
        scene.admin.post(&format!("{path}/rotate"), &json!({})).await.made();
    }
    let refused = scene.admin.post(&format!("{path}/rotate"), &json!({})).await;
    assert_eq!((refused.status.as_u16(), &*refused.code()), (409, "webhook_secrets_too_many"));
    scene.finish().await;
}
