//! Whether the process lives, whether it can serve, and its metrics. No key is needed: the
//! answers hold no money and no names, and the service listens on loopback unless told otherwise.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ledger_core::engine::EngineState;
use metrics_exporter_prometheus::PrometheusHandle;
use projections::{ProjectorState, ReadModels};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::{ApiState, Problem};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// Whether the process lives
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "Operation",
    security(()),
    responses((status = 200, description = "It does.", body = String)),
)]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the service can serve, and how it goes.
#[derive(Debug, Serialize, ToSchema)]
struct Readiness {
    /// Whether it can take reads and writes.
    ready: bool,
    /// What is in the way, in words.
    reasons: Vec<String>,
    /// `running`, `recovering`, `halted` or `stopped`.
    engine: &'static str,
    /// The end of the log as the engine knows it.
    head: u64,
    /// How far the read models are; `null` if the database does not answer.
    projected: Option<u64>,
    /// How many events they lack.
    lag_events: Option<u64>,
    /// For how long the oldest of them has been in the log; if this process runs the projector.
    lag_ms: Option<u64>,
}

/// Whether the service can serve
///
/// 200 if it can take reads and writes, 503 if not; with the position of the log and of the read
/// models in both cases.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "Operation",
    security(()),
    responses((status = 200, description = "It can.", body = Readiness),
              (status = 503, description = "It cannot; `reasons` says why.", body = Readiness)),
)]
async fn readyz(State(state): State<ApiState>) -> Response {
    let status = state.ledger.status().borrow().clone();
    let mut reasons = Vec::new();
    let engine = match status.state {
        EngineState::Running => "running",
        EngineState::Recovering => "recovering",
        EngineState::Halted => "halted",
        EngineState::Stopped => "stopped",
    };
    if status.state != EngineState::Running {
        reasons.push(format!("the engine is {engine}"));
    }
    // By the health checks' own pool: it answers when requests have taken all other connections.
    let projected = match ReadModels::new(state.health.clone()).position().await {
        Ok(position) => Some(position),
        Err(error) => {
            tracing::warn!(error = %projections::describe(&error), "not ready");
            reasons.push("the database does not answer".to_owned());
            None
        }
    };
    let projector = state.projector.as_ref().map(|status| status.borrow().clone());
    if let Some(ProjectorState::Stopped { position, .. }) = projector.as_ref().map(|p| &p.state) {
        reasons.push(format!("the projector stopped before position {position}"));
    }
    let body = Readiness {
        ready: reasons.is_empty(),
        reasons,
        engine,
        head: status.head.position,
        projected,
        lag_events: projected.map(|position| status.head.position.saturating_sub(position)),
        lag_ms: projector.map(|projector| projector.lag_ms),
    };
    let code = if body.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, axum::Json(body)).into_response()
}

/// Metrics
///
/// In the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Operation",
    security(()),
    responses((status = 200, description = "The metrics.", body = String,
               content_type = "text/plain")),
)]
async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    gauges(&state);
    rendered(state.metrics.as_ref())
}

/// All that was counted, as Prometheus reads it.
pub(super) fn rendered(metrics: Option<&PrometheusHandle>) -> Result<Response, Problem> {
    let handle = metrics.ok_or_else(|| Problem::not_found("Metrics are not collected."))?;
    let mut response = handle.render().into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}

/// What is measured when somebody asks.
fn gauges(state: &ApiState) {
    let status = state.ledger.status().borrow().clone();
    set("bahi_log_position", status.head.position);
    set("bahi_engine_running", u64::from(status.state == EngineState::Running));
    set("bahi_read_connections", u64::from(state.reads.size()));
    set("bahi_read_connections_idle", u64::try_from(state.reads.num_idle()).unwrap_or(u64::MAX));
    if let Some(projector) = &state.projector {
        let projector = projector.borrow().clone();
        set("bahi_projector_position", projector.position);
        set("bahi_projector_lag_events", projector.lag_events);
        set("bahi_projector_lag_ms", projector.lag_ms);
        let stopped = matches!(projector.state, ProjectorState::Stopped { .. });
        set("bahi_projector_stopped", u64::from(stopped));
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a gauge is a float; positions are exact in one up to 2^53, and it is no money"
)]
fn set(name: &'static str, value: u64) {
    metrics::gauge!(name).set(value as f64);
}
