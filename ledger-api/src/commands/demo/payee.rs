//! A bank account to withdraw to, made the way a frontend makes it: over HTTP.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, bail};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(20);

/// Asha's bank account, checked by its bank; its id. Made once, and found again by its key.
pub(super) async fn of_asha(address: SocketAddr, key: &str) -> anyhow::Result<String> {
    let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build()?;
    let caller = Caller { client, base: format!("http://{address}/v1/bank-accounts"), key };
    let body = json!({
        "owner": "asha", "account_number": "001234567890", "ifsc": "TEST0000001",
        "name": "Asha Rao",
    });
    let made = caller.post("", "demo-bank-account-asha", &body).await?;
    let id = made.get("id").and_then(Value::as_str).context("a bank account without an id")?;
    let path = format!("/{id}/verify");
    caller.post(&path, "demo-verify-asha", &json!({"bank": "hdfc"})).await?;
    Ok(id.to_owned())
}

struct Caller<'a> {
    client: Client,
    base: String,
    key: &'a str,
}

impl Caller<'_> {
    async fn post(&self, path: &str, once: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(self.key);
        let answer = request.header("idempotency-key", once).json(body).send().await;
        let answer = answer.context("the service does not answer")?;
        let status = answer.status();
        let body: Value = answer.json().await.context("the service's answer is not its own")?;
        if !status.is_success() {
            let detail = body.get("detail").and_then(Value::as_str).unwrap_or_default();
            bail!("no bank account for the demo ({status}): {detail}");
        }
        Ok(body)
    }
}
