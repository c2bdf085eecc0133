//! The API's description: `/openapi.json`, `/docs` to read and try it, `/problems/{code}` about
//! each error code. All of it is in the binary; nothing is loaded from elsewhere.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::http::{ApiState, Problem, codes};

/// The document as bytes: it does not change while the process lives.
static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| super::openapi::document().unwrap_or_default());

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    let config = Config::from("/openapi.json").try_it_out_enabled(true).validator_url("none");
    Router::new()
        .route("/openapi.json", get(openapi))
        .route("/problems/{code}", get(problem))
        .merge(SwaggerUi::new("/docs").config(config))
}

async fn openapi() -> Response {
    let mut response = DOCUMENT.as_str().into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A page for people about an error code. The texts are our own, so nothing needs escaping but
/// what a code's meaning quotes.
async fn problem(Path(name): Path<String>) -> Result<Html<String>, Problem> {
    let code = codes::find(&name)
        .ok_or_else(|| Problem::not_found("There is no error code of this name."))?;
    let again = match code.retry {
        codes::Retry::Never => "Not as it is.",
        codes::Retry::SameKey => "Yes, with the same idempotency key.",
    };
    let (title, meaning) = (escape(code.title), with_code(&escape(code.meaning)));
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title}</title></head>\n<body><main><h1>{title}</h1>\n\
         <p><code>{name}</code>, status {status}</p>\n<p>{meaning}</p>\n\
         <p>Send it again? {again}</p></main></body></html>\n",
        name = code.name,
        status = code.status,
    )))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The words between backticks as code.
fn with_code(text: &str) -> String {
    let mut parts = text.split('`');
    let mut html = parts.next().unwrap_or_default().to_owned();
    for (index, part) in parts.enumerate() {
        html.push_str(if index % 2 == 0 { "<code>" } else { "</code>" });
        html.push_str(part);
    }
    html
}
