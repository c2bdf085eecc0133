//! The API's description: `/openapi.json`, and `/docs` to read and try it. All of it is in the
//! binary; nothing is loaded from elsewhere.

use std::sync::LazyLock;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::ApiState;

/// The document as bytes: it does not change while the process lives.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| super::openapi::document().unwrap_or_default());

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    let config = Config::from("/openapi.json").try_it_out_enabled(true).validator_url("none");
    Router::new().route("/openapi.json", get(openapi)).merge(SwaggerUi::new("/docs").config(config))
}

async fn openapi() -> Response {
    let mut response = DOCUMENT.as_str().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
