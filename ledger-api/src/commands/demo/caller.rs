//! A client of the service's own API, as a frontend is one: what the demo does over HTTP.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, RequestBuilder, redirect::Policy};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(20);

/// Whoever has this key.
pub(super) struct Caller {
    client: Client,
    base: String,
    key: String,
}

impl Caller {
    pub(super) fn new(address: SocketAddr, key: &str) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy();
        let base = format!("http://{address}/v1");
        Ok(Self { client: client.build()?, base, key: key.to_owned() })
    }

    /// Asks for something, once: `once` is its idempotency key.
    pub(super) async fn post(&self, path: &str, once: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.base));
        self.answer(path, request.header("idempotency-key", once).json(body)).await
    }

    /// Reads something.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.answer(path, self.client.get(format!("{}{path}", self.base))).await
    }

    async fn answer(&self, path: &str, request: RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.bearer_auth(&self.key).send().await;
        let answer = answer.context("the service does not answer")?;
        let status = answer.status();
        let body: Value = answer.json().await.context("the service's answer is not its own")?;
        if !status.is_success() {
            let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default();
            bail!("{path} ({status}): {detail}");
        }
        Ok(body)
    }
}

/// A text of an answer.
pub(super) fn text<'a>(answer: &'a Value, field: &str) -> anyhow::Result<&'a str> {
    let found = answer.get(field).and_then(Value::as_str);
    found.with_context(|| format!("an answer without {field}"))
}
