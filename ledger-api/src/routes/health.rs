//! Whether the process lives, whether it can serve, and its metrics. No key is needed: the
//! answers hold no money and no names, and the service listens on loopback unless told otherwise.

use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::http::{ApiState, Problem};

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics))
}

async fn healthz() -> &'static str {
    "ok\n"
}

async fn metrics(State(state): State<ApiState>) -> Result<Response, Problem> {
    let handle =
        state.metrics.as_ref().ok_or_else(|| Problem::not_found("Metrics are not collected."))?;
    let mut response = handle.render().into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    Ok(response)
}
