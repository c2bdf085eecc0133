//! The routes over a ledger whose answers are made up, and over a database that is not there: what
//! needs neither.

mod envelope;
mod server;
mod writes;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use ledger_core::{
    command::{Command, Operation, Outcome, Receipt, Rejection},
    engine::{Answer, SubmitError},
};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{
    router,
    testing::{ALL_KEY, FakeLedger, accepted, state},
};

const TIMEOUT: Duration = Duration::from_secs(5);

/// An answer, read.
struct Read {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Read {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }

    fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json");
        self.json()["code"].as_str().unwrap().to_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn send(router: &Router, request: Request<Body>) -> Read {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec();
    Read { status: parts.status, headers: parts.headers, bytes }
}

fn post(path: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("authorization", format!("Bearer {ALL_KEY}"))
        .header("idempotency-key", "k-1")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::builder()
        .uri(path)
        .header("authorization", format!("Bearer {ALL_KEY}"))
        .body(Body::empty())
        .unwrap()
}

fn over(ledger: FakeLedger) -> (Router, Arc<FakeLedger>) {
    let ledger = Arc::new(ledger);
    (router(state(Arc::<FakeLedger>::clone(&ledger), TIMEOUT)), ledger)
}

/// A ledger that accepts every posting.
fn accepting() -> FakeLedger {
    FakeLedger::new(|command| Ok(posted(command)))
}

fn posted(command: &Command) -> Answer {
    let Operation::Post(postings) = &command.operation else {
        panic!("not a posting: {command:?}");
    };
    let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let receipt = Receipt::Posted {
        transactions: postings.iter().map(|posting| posting.transaction_id).collect(),
        effective_on: postings.iter().map(|_| day).collect(),
    };
    accepted(receipt, false)
}

fn refusing(error: SubmitError) -> FakeLedger {
    FakeLedger::new(move |_| Err(error))
}

fn insufficient() -> Answer {
    Answer {
        outcome: Outcome::Rejected(Rejection {
            code: "insufficient_funds".to_owned(),
            detail: "the account has 5.00 available".to_owned(),
            account: Some("wallet:a:INR".parse().unwrap()),
            available: Some("5.00".parse().unwrap()),
            transaction: None,
            limit: None,
        }),
        replayed: false,
        position: 7,
    }
}

const TRANSFER: &str = r#"{"kind":"transfer","debit":"wallet:a:INR","credit":"wallet:b:INR",
                           "amount":{"value":"12","currency":"INR"}}"#;
