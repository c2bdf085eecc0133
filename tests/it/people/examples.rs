//! The examples of what only people have: asked, and held against what the OpenAPI document says.
//!
//! With `BAHI_UPDATE_SNAPSHOTS` set, the answers are written down as the examples instead.

use std::{collections::BTreeMap, fs, path::Path};

use chrono::DateTime;
use serde_json::{Value, json};

use super::visitor::{PASSWORD, Visitor, code, sent, token, who};
use crate::support::bahi::{Reply, TestBahi};

const FILE: &str = "ledger-api/src/routes/people/examples.json";

/// What was answered, by `operation status`.
#[derive(Default)]
struct Answers(BTreeMap<String, Value>);

impl Answers {
    #[track_caller]
    fn take(&mut self, operation: &str, reply: &Reply) -> Value {
        let said = reply.made();
        self.0.insert(format!("{operation} {}", reply.status.as_u16()), normal("", &said));
        said
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_people_are_what_happens() {
    let bahi = TestBahi::spawn().await;
    let mut answers = Answers::default();
    come_in(&bahi, &mut answers).await;
    change_and_leave(&bahi, &mut answers).await;
    bahi.finish().await;

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let made = format!("{}\n", serde_json::to_string_pretty(&answers.0).unwrap());
    if std::env::var_os("BAHI_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        made,
        "the answers are others; if that is meant, run the test with BAHI_UPDATE_SNAPSHOTS=1, \
         then the one of docs/openapi.json, and commit both"
    );
}

/// Signing up, proving, logging in.
async fn come_in(bahi: &TestBahi, answers: &mut Answers) {
    let mut asha = Visitor::of(bahi);
    let mut body = who("asha");
    body["phone"] = json!("+919812345678");
    answers.take("post_v1_signup", &asha.post("/v1/signup", &body).await);
    let texts = [
        ("email", sent(bahi, "asha@example.com", "your code is").await),
        ("phone", sent(bahi, "+919812345678", "Bahi code").await),
    ];
    for (kind, text) in &texts {
        let body = json!({"kind": kind, "code": code(text)});
        let reply = asha.post("/v1/verifications/confirm", &body).await;
        answers.take("post_v1_verifications_confirm", &reply);
    }
    let ask = json!({"kind": "email"});
    answers.take("post_v1_verifications", &asha.post("/v1/verifications", &ask).await);
    answers.take("get_v1_me", &asha.get("/v1/me").await);
    let papers = asha.post("/v1/me/papers", &json!({})).await;
    answers.take("post_v1_me_papers", &papers);
    let reply = asha.log_in("asha", PASSWORD).await;
    answers.take("post_v1_login", &reply);
    answers.take("get_v1_sessions", &asha.get("/v1/sessions").await);
    answers.take("get_v1_sessions_current", &asha.get("/v1/sessions/current").await);
    let proof = json!({"password": PASSWORD});
    let reply = asha.post("/v1/sessions/current/reauthenticate", &proof).await;
    answers.take("post_v1_sessions_current_reauthenticate", &reply);
    answers.take("post_v1_logout", &asha.post("/v1/logout", &json!({})).await);
}

/// Other names, another password, the export, the end.
async fn change_and_leave(bahi: &TestBahi, answers: &mut Answers) {
    let mut asha = Visitor::of(bahi);
    asha.log_in("asha", PASSWORD).await.made();
    let mut other = Visitor::of(bahi);
    other.log_in("asha", PASSWORD).await.made();
    let session = other.get("/v1/sessions/current").await.made();
    let id = session["session"]["id"].as_str().unwrap();
    let ended = asha.delete(&format!("/v1/sessions/{id}")).await;
    answers.take("delete_v1_sessions_id", &ended);
    answers.take("delete_v1_sessions", &asha.delete("/v1/sessions").await);
    answers.take("get_v1_me_export", &asha.get("/v1/me/export").await);
    let names = json!({"name": "Asha R. Rao", "handle": "asha_rao"});
    answers.take("patch_v1_me", &asha.patch("/v1/me", &names).await);
    let number = json!({"phone": "+919812345679"});
    answers.take("post_v1_me_phone", &asha.post("/v1/me/phone", &number).await);
    let address = json!({"email": "asha.rao@example.com"});
    answers.take("post_v1_me_email", &asha.post("/v1/me/email", &address).await);
    let another = json!({"password": "another long sentence"});
    answers.take("post_v1_password", &asha.post("/v1/password", &another).await);
    let forgot = json!({"email": "asha.rao@example.com"});
    answers.take("post_v1_password_forgot", &asha.post("/v1/password/forgot", &forgot).await);
    let link = token(&sent(bahi, "asha.rao@example.com", "Follow this link to").await);
    let reset = json!({"token": link, "password": "a third long sentence"});
    answers.take("post_v1_password_reset", &asha.post("/v1/password/reset", &reset).await);
    answers.take("post_v1_me_close", &asha.post("/v1/me/close", &json!({})).await);
}

/// The answer with what differs from run to run made the same.
fn normal(name: &str, value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| normal("", item)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), normal(name, value)));
            Value::Object(fields.collect())
        }
        Value::String(text) if DateTime::parse_from_rfc3339(text).is_ok() => {
            let hour = if name.ends_with("ends_at") { "20" } else { "08" };
            json!(format!("2026-11-22T{hour}:30:00Z"))
        }
        Value::String(text) => json!(normal_text(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Each run of 32 or 64 hexadecimal digits is an id or a hash.
fn normal_text(text: &str) -> String {
    let mut made = String::new();
    for part in text.split_inclusive(['_', ':']) {
        let end = part.trim_end_matches(['_', ':']);
        let is_hex = end.bytes().all(|b| b.is_ascii_hexdigit());
        match (is_hex, end.len()) {
            (true, 32) => made.push_str("01935c3a5e7c7d3e8f00a1b2c3d4e5f6"),
            (true, 64) => {
                made.push_str("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
            }
            _ => made.push_str(end),
        }
        made.push_str(&part[end.len()..]);
    }
    made
}
