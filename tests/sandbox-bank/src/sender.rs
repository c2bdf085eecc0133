//! Sends the webhooks: the only part that speaks to somebody else's server.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::Utc;
use reqwest::{Client, redirect::Policy};
use tokio::task::JoinSet;

use crate::{
    contract::BankCode,
    sandbox::{Command, Sandbox},
    webhooks::{Attempt, SecretError, WebhookSecret},
};

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Attempts under way at once, over all banks.
const AT_ONCE_MAX: usize = 16;

/// Where a bank's messages go, and how they are signed.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The receiver.
    pub url: String,
    /// The key that it knows too.
    pub secret: WebhookSecret,
}

/// Sends what is due for as long as it is polled. A bank without a hook tells nobody.
pub(crate) async fn send_all(
    sandbox: Arc<Sandbox>,
    hooks: BTreeMap<BankCode, Hook>,
) -> Result<(), reqwest::Error> {
    let client = Client::builder()
        .timeout(PATIENCE)
        .redirect(Policy::none())
        .no_proxy()
        .user_agent("bahi-sandbox-bank")
        .build()?;
    let telling: Vec<BankCode> = hooks.keys().copied().collect();
    let mut under_way = JoinSet::new();
    loop {
        sandbox.run();
        for (bank, hook) in &hooks {
            let room = AT_ONCE_MAX.saturating_sub(under_way.len());
            for attempt in sandbox.take_messages(*bank, room) {
                let (client, hook, sandbox, bank) =
                    (client.clone(), hook.clone(), Arc::clone(&sandbox), *bank);
                under_way.spawn(async move {
                    let heard = send(&client, &hook, &attempt).await;
                    sandbox.execute(Command::Heard(bank, attempt.number, heard));
                });
            }
        }
        // With no room left, what is due waits for an attempt to end.
        let due = if under_way.len() < AT_ONCE_MAX { sandbox.next_due(&telling) } else { None };
        let due = async {
            match due {
                Some(due) => sandbox.clock().until(due).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = sandbox.changed() => {}
            Some(_) = under_way.join_next() => {}
        }
    }
}

/// One attempt; whether it was heard. The time in its header is the machine's and not the bank's:
/// it is there against replays on the way, and the receiver compares it with its own clock.
async fn send(client: &Client, hook: &Hook, attempt: &Attempt) -> bool {
    let seconds = Utc::now().timestamp();
    let signature = match sign(&hook.secret, attempt, seconds) {
        Ok(signature) => signature,
        Err(error) => {
            tracing::error!(%error, "a message can't be signed");
            return false;
        }
    };
    let sent = client
        .post(&hook.url)
        .header("content-type", "application/json")
        .header("webhook-id", &attempt.id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .body(attempt.body.clone())
        .send()
        .await;
    match sent {
        Ok(answer) => answer.status().is_success(),
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "a message was not heard");
            false
        }
    }
}

fn sign(secret: &WebhookSecret, attempt: &Attempt, seconds: i64) -> Result<String, SecretError> {
    if attempt.badly_signed {
        // The signature of another body: well-formed, and wrong.
        return secret.sign(&attempt.id, seconds, "");
    }
    secret.sign(&attempt.id, seconds, &attempt.body)
}
