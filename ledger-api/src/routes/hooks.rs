//! Webhooks in: a bank's delivery is verified, stored, and only then acknowledged.
//!
//! The status says whether we have it, and nothing about what it means: 200 also for what came
//! before, for what conflicts with that, and for bodies that nobody can read. A bank must never
//! decide about money by our answer.
//!
//! These routes know no ledger. They are part of the API's router, or a router of their own where
//! the intake runs alone; the OpenAPI document, which is for callers of the API, leaves them out
//! (docs/banks.md has them).

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use ledger_core::clock::{Clock, Ids};
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;
use sqlx::PgPool;

use super::health;
use crate::{
    http::{
        Envelope, Problem, codes, enveloped, json, nothing_here, problem::sentence, reply::Reply,
    },
    webhooks::{
        Banks, Incoming, Intake, StoreError, Stored,
        signature::{self, Refusal},
    },
};

/// The most bytes of a delivery.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// What the routes are made of; cheap to clone.
#[derive(Clone)]
pub(crate) struct Hooks(Arc<Parts>);

pub(crate) struct Parts {
    /// The banks and their keys.
    pub(crate) banks: Banks,
    /// Where deliveries go.
    pub(crate) intake: Intake,
    /// The pool that readiness asks by.
    pub(crate) health: PgPool,
    /// What `/metrics` shows where the intake runs alone.
    pub(crate) metrics: Option<PrometheusHandle>,
    /// Where the time comes from.
    pub(crate) clock: Arc<dyn Clock>,
    /// Where the ids of requests come from.
    pub(crate) ids: Arc<dyn Ids>,
    /// How long a request may take, its body included.
    pub(crate) handler_timeout: Duration,
}

/// What is counted of a delivery that was signed.
const OUTCOMES: [&str; 3] = ["new", "duplicate", "conflict"];

impl Hooks {
    pub(crate) fn new(parts: Parts) -> Self {
        // From zero on: the first increase of a counter that was not there is seen by no alarm.
        for bank in parts.banks.names() {
            for outcome in OUTCOMES {
                count(bank, outcome, 0);
            }
            for refusal in [Refusal::Id, Refusal::Timestamp, Refusal::Stale, Refusal::Signature] {
                count_refused(bank, refusal, 0);
            }
            count_unavailable(bank, 0);
        }
        Self(Arc::new(parts))
    }

    fn envelope(&self) -> Envelope {
        let (ids, handler_timeout) = (Arc::clone(&self.0.ids), self.0.handler_timeout);
        Envelope { ids, handler_timeout, api: None }
    }
}

/// The route, to be merged with others.
pub(crate) fn routes(hooks: Hooks) -> Router {
    let routes = Router::new().route("/hooks/banks/{bank}", post(receive));
    enveloped(routes, hooks.envelope()).with_state(hooks)
}

/// A whole router, for a process that does nothing else.
pub(crate) fn alone(hooks: Hooks) -> Router {
    let operation = Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(nothing_here);
    enveloped(operation, hooks.envelope()).with_state(hooks.clone()).merge(routes(hooks))
}

/// What a bank is told.
#[derive(Debug, Serialize)]
struct Received {
    /// It is in the inbox.
    received: bool,
    /// Its event was there before.
    duplicate: bool,
}

async fn receive(
    State(Hooks(hooks)): State<Hooks>,
    bank: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Reply<Received>, Problem> {
    let bank = bank.map(|Path(bank)| bank).unwrap_or_default();
    let keys =
        hooks.banks.keys(&bank).ok_or_else(|| Problem::not_found("There is no such bank."))?;
    let headers = request.headers().clone();
    let body = json::collect(request, BODY_BYTES_MAX).await?;
    let now_s = hooks.clock.now().timestamp();
    let verified = signature::verify(&headers, &body, keys, now_s).map_err(|refusal| {
        count_refused(&bank, refusal, 1);
        Problem::from(refusal)
    })?;
    let incoming = Incoming::new(&bank, verified.id, verified.sent_at_s, body);
    let stored = hooks.intake.store(incoming).await.map_err(|error| {
        count_unavailable(&bank, 1);
        Problem::from(error)
    })?;
    let outcome = match stored {
        Stored::New(_) => "new",
        Stored::Duplicate(_) => "duplicate",
        Stored::Conflict(delivery) => {
            tracing::warn!(bank, event = verified.id, delivery, "came again with another body");
            "conflict"
        }
    };
    count(&bank, outcome, 1);
    let duplicate = !matches!(stored, Stored::New(_));
    Ok(Reply::ok(Received { received: true, duplicate }))
}

fn count(bank: &str, outcome: &'static str, by: u64) {
    let labels = [("bank", bank.to_owned()), ("outcome", outcome.to_owned())];
    metrics::counter!("bahi_inbox_deliveries_total", &labels).increment(by);
}

fn count_refused(bank: &str, refusal: Refusal, by: u64) {
    let labels = [("bank", bank.to_owned()), ("reason", reason(refusal).to_owned())];
    metrics::counter!("bahi_inbox_refused_total", &labels).increment(by);
}

fn count_unavailable(bank: &str, by: u64) {
    metrics::counter!("bahi_inbox_unavailable_total", "bank" => bank.to_owned()).increment(by);
}

const fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Id => "id",
        Refusal::Timestamp => "timestamp",
        Refusal::Stale => "stale",
        Refusal::Signature => "signature",
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Id => codes::WEBHOOK_ID_INVALID,
            Refusal::Timestamp => codes::WEBHOOK_TIMESTAMP_INVALID,
            Refusal::Stale => codes::WEBHOOK_TIMESTAMP_STALE,
            Refusal::Signature => codes::WEBHOOK_SIGNATURE_INVALID,
        };
        Self::new(code, sentence(&refusal.to_string()))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Overloaded => codes::OVERLOADED,
            StoreError::Unavailable => codes::INBOX_UNAVAILABLE,
        };
        Self::new(code, sentence(&error.to_string())).retry_after(1)
    }
}

/// Whether deliveries can be stored.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    reasons: Vec<&'static str>,
}

async fn readyz(State(Hooks(hooks)): State<Hooks>) -> Response {
    let asked = sqlx::query("select from inbox_deliveries limit 1");
    let answered = asked.fetch_optional(&hooks.health).await;
    if let Err(error) = &answered {
        tracing::warn!(error = %projections::describe(error), "not ready");
    }
    let (status, reasons) = match answered {
        Ok(_) => (StatusCode::OK, Vec::new()),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, vec!["the inbox does not answer"]),
    };
    (status, Json(Readiness { ready: reasons.is_empty(), reasons })).into_response()
}

async fn metrics(State(Hooks(hooks)): State<Hooks>) -> Result<Response, Problem> {
    health::rendered(hooks.metrics.as_ref())
}
