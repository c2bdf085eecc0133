//! Which pages of other origins may call the API: those of registered clients, and no others.
//!
//! Never with credentials: a page of another origin shows a token and gets no cookie. What is not
//! allowed gets no header, and the browser keeps the answer from the page. The origins are read
//! again when they are older than five seconds; if that fails the last ones count.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Clients;
use crate::http::ApiState;

const FRESH: Duration = Duration::from_secs(5);
/// How long a browser may remember the answer to a preflight.
const REMEMBERED_SECONDS: &str = "600";
const METHODS: &str = "GET, POST, PATCH, DELETE";
const REQUEST_HEADERS: &str = "authorization, content-type, idempotency-key, last-event-id";
const SHOWN_HEADERS: &str =
    "ledger-position, request-id, idempotent-replayed, retry-after, link, location";

type Known = (Arc<HashSet<String>>, Instant);

/// The origins that may call; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    clients: Clients,
    known: Arc<RwLock<Option<Known>>>,
}

impl Origins {
    pub(crate) fn new(clients: Clients) -> Self {
        Self { clients, known: Arc::default() }
    }

    async fn allows(&self, origin: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((origins, at)) = &known
            && at.elapsed() < FRESH
        {
            return origins.contains(origin);
        }
        match self.clients.origins().await {
            Ok(origins) => {
                let origins: Arc<HashSet<String>> = Arc::new(origins.into_iter().collect());
                let allows = origins.contains(origin);
                let mut slot = self.known.write().unwrap_or_else(PoisonError::into_inner);
                *slot = Some((origins, Instant::now()));
                allows
            }
            Err(error) => {
                tracing::warn!(%error, "the origins of clients could not be read");
                known.is_some_and(|(origins, _)| origins.contains(origin))
            }
        }
    }
}

/// Answers preflights, and lets the answers to allowed origins be read.
pub(crate) async fn cors(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let is_open = is_open(request.uri().path());
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    let origin = origins.next().filter(|_| origins.next().is_none()).cloned();
    let (true, Some(origin)) = (is_open, origin) else {
        return next.run(request).await;
    };
    let allowed = match origin.to_str() {
        Ok(text) => state.frontends.origins.allows(text).await,
        Err(_) => false,
    };
    let asked = HeaderName::from_static("access-control-request-method");
    let is_preflight = request.method() == Method::OPTIONS && request.headers().contains_key(asked);
    let mut response = if is_preflight && allowed {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    // Caches must not give one origin's answer to another.
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        let shown = HeaderValue::from_static(SHOWN_HEADERS);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, shown);
        if is_preflight {
            preflight(headers);
        }
    }
    response
}

fn preflight(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, REMEMBERED_SECONDS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What pages of other origins may call at all: the API, and where tokens come from. No page.
fn is_open(path: &str) -> bool {
    path.starts_with("/v1/")
        || ["/oauth/token", "/oauth/revoke", "/.well-known/oauth-authorization-server"]
            .contains(&path)
}
