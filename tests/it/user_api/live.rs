//! What happens on one's own wallet, as it happens.

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::person::{Person, Scene};
use crate::support::bahi::{PATIENCE, send};

/// A message of the stream.
#[derive(Debug)]
struct Message {
    id: u64,
    event: String,
    data: Value,
}

/// The next so many messages after a position.
async fn messages(person: &Person, after: Option<u64>, count: usize) -> Vec<Message> {
    let mut request = person.request(Method::GET, "/v1/me/events");
    if let Some(after) = after {
        request = request.header("last-event-id", after.to_string());
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let (mut body, mut text, mut found) = (response.bytes_stream(), String::new(), Vec::new());
    let reading = async {
        while found.len() < count {
            let chunk = body.next().await.expect("the stream goes on").unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
            while let Some((one, rest)) = text.split_once("\n\n") {
                let field = |name: &str| {
                    let lines = one.lines().find_map(|line| line.strip_prefix(name));
                    lines.map(|value| value.trim_start().to_owned())
                };
                if let (Some(id), Some(event)) = (field("id:"), field("event:")) {
                    let data = serde_json::from_str(&field("data:").unwrap()).unwrap();
                    found.push(Message { id: id.parse().unwrap(), event, data });
                }
                text = rest.to_owned();
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("messages in time");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_tells_of_ones_own_and_goes_on_where_it_was() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    let ravi = scene.person("ravi", "1.00").await;
    let before = asha.get("/v1/balances").await.position();
    let following = tokio::spawn({
        let asha = asha.clone();
        async move { messages(&asha, Some(before), 2).await }
    });
    // Somebody else's is not told.
    ravi.post("/v1/deposits", &json!({"amount": {"value": "7.00", "currency": "INR"}}))
        .await
        .made();
    let body = json!({"to": {"handle": "ravi"}, "amount": {"value": "12.50", "currency": "INR"}});
    let sent = asha.post("/v1/transfers", &body).await.made();
    let told = following.await.unwrap();
    assert_eq!(told[0].event, "activity");
    assert_eq!(told[0].data["id"], sent["id"]);
    assert_eq!(told[1].event, "balances");
    assert_eq!(told[1].data["available"]["value"], "987.50");
    assert!(before < told[0].id && told[0].id <= told[1].id);
    // Whoever comes back sees what came after, once.
    let body = json!({"to": {"handle": "ravi"}, "amount": {"value": "1.00", "currency": "INR"}});
    let next = asha.post("/v1/transfers", &body).await.made();
    let again = messages(&asha, Some(told[1].id), 1).await;
    assert_eq!(again[0].data["id"], next["id"]);
    scene.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn case_149_a_page_of_others_follows_nothing() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1.00").await;
    for (name, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        let request = asha.bare(Method::GET, "/v1/me/events").header(name, value);
        assert_eq!(send(request).await.status, 403, "{name}: {value}");
    }
    let cookieless = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = cookieless.get(format!("{}/v1/me/events", asha.address));
    assert_eq!(send(request).await.status, 401);
    let bad = asha.bare(Method::GET, "/v1/me/events").header("last-event-id", "x");
    assert_eq!(send(bad).await.status, 422);
    scene.finish().await;
}
