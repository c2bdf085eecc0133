//! A receiver of webhooks that believes nothing: it verifies each delivery by the published rules.
//!
//! Its check is written from the specification of Standard Webhooks and not from the sender's code.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::any,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, sync::watch, task::AbortHandle};

/// How far the sender's clock may be from ours, in seconds.
const CLOCK_SECONDS_MAX: u64 = 300;
/// The most deliveries that are kept.
const DELIVERIES_MAX: usize = 100_000;

/// One delivery, as it came.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its `webhook-id`.
    pub id: String,
    /// Its bytes.
    pub body: Bytes,
    /// What is wrong with it, if anything.
    pub objection: Option<&'static str>,
    /// What it was answered.
    pub answered: u16,
}

impl Delivery {
    /// Its body; null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

type Script = dyn Fn(&Delivery, usize) -> u16 + Send + Sync;

struct Shared {
    key: Vec<u8>,
    script: Box<Script>,
    deliveries: Mutex<Vec<Delivery>>,
    count: watch::Sender<usize>,
}

/// The receiver. It stops when it is dropped.
pub struct Receiver {
    shared: Arc<Shared>,
    server: AbortHandle,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Receiver")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Receiver {
    /// Receives at `listener`. A delivery that is right is answered what `script` says of it and
    /// of how many there were of its id; any other is answered 401. `None` if the secret is none.
    pub fn start(
        listener: TcpListener,
        secret: &str,
        script: impl Fn(&Delivery, usize) -> u16 + Send + Sync + 'static,
    ) -> Option<Self> {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
        let shared = Arc::new(Shared {
            key,
            script: Box::new(script),
            deliveries: Mutex::default(),
            count: watch::Sender::new(0),
        });
        let router = Router::new().fallback(any(receive)).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::warn!(%error, "webhooks are no longer received");
            }
        });
        Some(Self { shared, server: server.abort_handle() })
    }

    /// All deliveries so far, in the order in which they came.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.shared.deliveries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits for `count` deliveries of this type and with such data, badly signed ones included;
    /// returns what there is at the end of `patience`.
    pub async fn heard(
        &self,
        kind: &str,
        count: usize,
        patience: Duration,
        is_it: impl Fn(&Value) -> bool,
    ) -> Vec<Delivery> {
        let fits = |delivery: &Delivery| {
            let body = delivery.json();
            body.get("type").and_then(Value::as_str) == Some(kind)
                && body.get("data").is_some_and(&is_it)
        };
        let mut changed = self.shared.count.subscribe();
        let enough = async {
            loop {
                changed.borrow_and_update();
                let found: Vec<Delivery> = self.deliveries().into_iter().filter(fits).collect();
                if found.len() >= count || changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::time::timeout(patience, enough).await.ok();
        self.deliveries().into_iter().filter(fits).collect()
    }
}

async fn receive(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let id = header(&headers, "webhook-id").unwrap_or_default().to_owned();
    let objection = objection(&shared.key, &headers, &body, chrono::Utc::now().timestamp());
    let mut delivery = Delivery { id, body, objection, answered: 401 };
    {
        let mut deliveries = shared.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        if delivery.objection.is_none() {
            let is_again = |other: &&Delivery| other.objection.is_none() && other.id == delivery.id;
            let time = deliveries.iter().filter(is_again).count() + 1;
            delivery.answered = (shared.script)(&delivery, time);
        }
        if deliveries.len() >= DELIVERIES_MAX {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        deliveries.push(delivery.clone());
        shared.count.send_replace(deliveries.len());
    }
    StatusCode::from_u16(delivery.answered).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// The one value of a header.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { Some(value) }
}

/// What is wrong with a delivery.
fn objection(key: &[u8], headers: &HeaderMap, body: &[u8], now: i64) -> Option<&'static str> {
    let Some(id) = header(headers, "webhook-id") else {
        return Some("there must be one webhook-id");
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(plain) {
        return Some("a webhook-id is 1 to 64 letters, digits, _ and -");
    }
    let Some(timestamp) = header(headers, "webhook-timestamp") else {
        return Some("there must be one webhook-timestamp");
    };
    let seconds: i64 = match timestamp.parse() {
        Ok(seconds) if timestamp.len() == 10 => seconds,
        _ => return Some("a webhook-timestamp is ten digits"),
    };
    if now.abs_diff(seconds) > CLOCK_SECONDS_MAX {
        return Some("the webhook-timestamp is not about now");
    }
    let Some(signatures) = header(headers, "webhook-signature") else {
        return Some("there must be one webhook-signature");
    };
    let signed_right = signatures.split(' ').take(16).any(|signature| {
        let claimed = signature.strip_prefix("v1,").and_then(|s| BASE64_STANDARD.decode(s).ok());
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
            return false;
        };
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        claimed.is_some_and(|claimed| mac.verify_slice(&claimed).is_ok())
    });
    if signed_right { None } else { Some("no signature fits") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_signed_right_and_now_is_believed() {
        let key = b"dev-secret-dev-secret-dev-1";
        let body = b"{\"type\":\"bank.credit.received\",\"timestamp\":\"2026-11-22T14:02:15Z\",\
                     \"data\":{\"utr\":\"HDFC0000000001\"}}";
        let now = 1_795_356_135;
        let good = [
            ("webhook-id", "msg_01"),
            ("webhook-timestamp", "1795356135"),
            ("webhook-signature", "v1,qFTsF8lfw0hRTOPDiy6hPMiMJH+bOL0M1ZpgiQjR8iY="),
        ];
        let judged = |headers: &[(&'static str, &'static str)], body: &[u8], now| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().expect("a header"));
            }
            objection(key, &map, body, now)
        };
        assert_eq!(judged(&good, body, now), None);
        assert_eq!(judged(&good, body, now + 300), None);
        let rotated = [
            good[0],
            good[1],
            ("webhook-signature", "v1,AAAA v1,qFTsF8lfw0hRTOPDiy6hPMiMJH+bOL0M1ZpgiQjR8iY="),
        ];
        assert_eq!(judged(&rotated, body, now), None);
        assert!(judged(&good, body, now + 301).is_some());
        assert!(judged(&good, body, now - 301).is_some());
        assert!(judged(&good, b"{}", now).is_some());
        assert!(judged(&good[1..], body, now).is_some());
        assert!(judged(&good[..2], body, now).is_some());
        assert!(judged(&[good[0], good[0], good[1], good[2]], body, now).is_some());
        for bad in ["", "v1,", "v1", "v2,qFTsF8lfw0hRTOPDiy6hPMiMJH+bOL0M1ZpgiQjR8iY=", "v1,%%"] {
            assert!(judged(&[good[0], good[1], ("webhook-signature", bad)], body, now).is_some());
        }
        for bad in ["", "a.b", "msg 1", "m\u{7f}"] {
            let Ok(id) = axum::http::HeaderValue::from_str(bad) else {
                continue;
            };
            let mut map = HeaderMap::new();
            map.append("webhook-id", id);
            assert!(objection(key, &map, body, now).is_some(), "{bad}");
        }
    }
}
