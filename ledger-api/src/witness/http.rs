//! The one route of a witness: `POST /add-checkpoint`.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use ledger_core::clock::{Clock as _, System};

use super::seen::{Refusal, WitnessBook};

/// A note, a proof of 63 hashes, and more than enough.
const BODY_BYTES_MAX: usize = 64 << 10;

/// The route.
pub fn routes(book: Arc<WitnessBook>) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(book)
}

async fn add_checkpoint(State(book): State<Arc<WitnessBook>>, body: String) -> Response {
    let now = u64::try_from(System.now().timestamp()).unwrap_or(0);
    // It waits for the disk.
    let judged = tokio::task::spawn_blocking(move || book.add(&body, now)).await;
    match judged {
        Ok(Ok(line)) => format!("{line}\n").into_response(),
        Ok(Err(refusal)) => refused(refusal),
        Err(error) => {
            tracing::error!(%error, "a request ended by a panic");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn refused(refusal: Refusal) -> Response {
    let status = match refusal {
        Refusal::Malformed => StatusCode::BAD_REQUEST,
        Refusal::UnknownLog => StatusCode::NOT_FOUND,
        Refusal::Unsigned => StatusCode::FORBIDDEN,
        Refusal::Conflict(size) => {
            let mut response = (StatusCode::CONFLICT, format!("{size}\n")).into_response();
            let kind = HeaderValue::from_static("text/x.tlog.size");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            return response;
        }
        Refusal::Inconsistent => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::NotKept => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{refusal}\n")).into_response()
}
