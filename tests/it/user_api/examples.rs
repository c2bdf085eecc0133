//! The examples of what only people have: asked, and held against what the OpenAPI document says.
//!
//! With `BAHI_UPDATE_SNAPSHOTS` set, the answers are written down as the examples instead.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use super::person::Scene;

const FILE: &str = "ledger-api/src/routes/wallet/examples.json";

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_wallets_are_what_happens() {
    let scene = Scene::start().await;
    let asha = scene.person("asha", "1000.00").await;
    scene.person("ravi", "1.00").await;
    let body = json!({"to": {"handle": "ravi"}, "note": "Lunch",
        "amount": {"value": "12.50", "currency": "INR"}});
    let sent = asha.post("/v1/transfers", &body).await.made();
    let sent = sent["id"].as_str().unwrap();
    scene.projected().await;
    let mut answers = BTreeMap::new();
    for (name, path) in [
        ("get_v1_balances", "/v1/balances".to_owned()),
        ("get_v1_balances_history", "/v1/balances/history?days=7".to_owned()),
        ("get_v1_activity", "/v1/activity?limit=1".to_owned()),
        ("get_v1_activity_id", format!("/v1/activity/{sent}")),
        ("get_v1_activity_id_receipt", format!("/v1/activity/{sent}/receipt")),
        ("get_v1_statements", "/v1/statements?month=2026-11".to_owned()),
        ("get_v1_me_logins", "/v1/me/logins".to_owned()),
        ("get_v1_recipients_lookup", "/v1/recipients/lookup?handle=ravi".to_owned()),
    ] {
        let answer = asha.get(&path).await.made();
        answers.insert(format!("{name} 200"), normal("", &answer));
    }
    scene.finish().await;

    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let made = format!("{}\n", serde_json::to_string_pretty(&answers).unwrap());
    if std::env::var_os("BAHI_UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert_eq!(
        committed, made,
        "the answers are others; if that is meant, run the test with BAHI_UPDATE_SNAPSHOTS=1, \
         then the one of docs/openapi.json, and commit both"
    );
}

/// The answer with what differs from run to run made the same.
pub(crate) fn normal(name: &str, value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(|item| normal("", item)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), normal(name, value)));
            Value::Object(fields.collect())
        }
        Value::String(text) if name.ends_with("cursor") => {
            assert!(!text.is_empty());
            json!("Zm9yIGluc3RhbmNlIG9ubHk")
        }
        Value::String(address) if name == "proof" => {
            assert!(address.starts_with("/v1/statements/proofs/"), "{address}");
            json!("/v1/statements/proofs/48213")
        }
        Value::String(text) => json!(normal_text(text)),
        Value::Number(_) if name == "position" => json!(48_213),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Each run of 32 or 64 hexadecimal digits is an id or a hash.
fn normal_text(text: &str) -> String {
    let mut made = String::new();
    for part in text.split_inclusive(['_', ':', '=', '&']) {
        let end = part.trim_end_matches(['_', ':', '=', '&']);
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
