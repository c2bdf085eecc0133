//! The log over HTTP: by pages, by lines, and live without a gap.

use std::time::Duration;

use futures::StreamExt as _;
use ledger_api::identity::Scope;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::bahi::{Actor, PATIENCE, Set, TestBahi, send};

const A: &str = "wallet:asha:INR";
const B: &str = "wallet:ravi:INR";

/// A live tail, read message by message.
struct Tail {
    stream: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

#[derive(Debug)]
struct Message {
    id: u64,
    event: String,
    data: Value,
}

impl Tail {
    async fn open(actor: &Actor, path: &str, last_event_id: Option<u64>) -> Self {
        let mut request = actor.request(Method::GET, path).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { stream: response.bytes_stream().boxed(), text: String::new() }
    }

    /// The next message; nothing when the tail ends.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let message = parse(message);
                self.text = rest.to_owned();
                if let Some(message) = message {
                    return Some(message);
                }
                continue;
            }
            let bytes = tokio::time::timeout(PATIENCE, self.stream.next()).await.expect("news")?;
            self.text.push_str(std::str::from_utf8(&bytes.ok()?).unwrap());
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        while messages.len() < count {
            messages.push(self.next().await.expect("the tail goes on"));
        }
        messages
    }
}

/// A message; nothing for a comment.
fn parse(text: &str) -> Option<Message> {
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
    };
    Some(Message {
        id: field("id")?.parse().unwrap(),
        event: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).unwrap(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_by_pages_and_by_lines() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    admin.wallet(A, "10.00").await;
    let head = bahi.engine.status().borrow().head.position;
    let mut after = 0;
    let mut seen = Vec::new();
    loop {
        let page = admin.get(&format!("/v1/events?after_position={after}&limit=3")).await.made();
        seen.extend(page["data"].as_array().unwrap().clone());
        after = page["next_after_position"].as_u64().unwrap();
        if page["has_more"] == false {
            break;
        }
    }
    let positions: Vec<u64> = seen.iter().map(|e| e["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
    let debited = seen.iter().find(|event| event["type"] == "debited").unwrap();
    assert_eq!(debited["payload"]["amount"], "10.00");
    assert_eq!(debited["stream"]["id"], "till:main:INR");
    assert_eq!(debited["metadata"]["actor"], "admin");

    let request = admin.request(Method::GET, "/v1/events?limit=1000");
    let lines = send(request.header("accept", "application/x-ndjson")).await;
    assert_eq!(lines.header("content-type"), "application/x-ndjson");
    let parsed: Vec<Value> =
        lines.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(parsed, seen);
    let html = send(admin.request(Method::GET, "/v1/events").header("accept", "text/html")).await;
    assert_eq!(html.status, StatusCode::NOT_ACCEPTABLE);
    let weak = bahi.actor("weak", &[Scope::LedgerRead]).await;
    assert_eq!(weak.get("/v1/events").await.status, StatusCode::FORBIDDEN);
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_goes_on_without_a_gap_also_past_what_others_append() {
    let bahi = TestBahi::spawn().await;
    let other = TestBahi::on(&bahi.database, Set::default()).await;
    let admin = bahi.admin().await;
    admin.wallet(A, "1000.00").await;
    admin.open(B).await.made();
    let start = bahi.engine.status().borrow().head.position;
    let path = format!("/v1/events?after_position={start}");
    let mut tail = Tail::open(&admin, &path, None).await;

    // Two processes append while the tail is read; it is cut off and resumed on the way.
    let writers = [admin.clone(), admin.at(&other)].map(|actor| {
        tokio::spawn(async move {
            for _ in 0..20 {
                actor.transfer(A, B, "1.00").await.made();
            }
        })
    });
    let mut messages = tail.take(17).await;
    let last = messages.last().unwrap().id;
    drop(tail);
    let mut tail = Tail::open(&admin.at(&other), &path, Some(last)).await;
    messages.extend(tail.take(80 - 17).await);
    for writer in writers {
        writer.await.unwrap();
    }
    let ids: Vec<u64> = messages.iter().map(|message| message.id).collect();
    assert_eq!(ids, (start + 1..=start + 80).collect::<Vec<_>>());
    assert!(messages.iter().all(|m| m.data["position"] == m.id && m.data["type"] == *m.event));
    other.finish().await;
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_ends_when_the_service_stops() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let head = bahi.engine.status().borrow().head.position;
    let mut tail = Tail::open(&admin, &format!("/v1/events?after_position={head}"), None).await;
    bahi.tell_to_stop();
    assert!(tail.next().await.is_none());
    bahi.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_ends_when_its_key_is_revoked() {
    let bahi = TestBahi::spawn().await;
    let admin = bahi.admin().await;
    let head = bahi.engine.status().borrow().head.position;
    let mut tail = Tail::open(&admin, &format!("/v1/events?after_position={head}"), None).await;
    bahi.revoke(&admin).await;
    assert!(tail.next().await.is_none());
    let refused = async {
        while admin.get("/v1/events").await.status != StatusCode::UNAUTHORIZED {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(6), refused).await.expect("refused within 5 s");
    bahi.finish().await;
}
