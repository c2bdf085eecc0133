//! The sandbox as a server: the protocol, the bank's pages, and the switches for tests.
//!
//! A handler parses, gives a command or asks, and answers; all else is below. An answer that is to
//! come late, or never, is held here: by the bank's clock, so that moving it ends the wait.

mod control;
mod pages;
mod protocol;

use std::{collections::BTreeMap, io, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use crate::{
    BankCode,
    clock::Clock,
    sandbox::{Sandbox, SandboxError, Setup},
    sender::{Hook, send_all},
    wire::{Answered, Reply, parse},
};

/// The largest body.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Calls at once, those included that are held; more are answered 503.
const CALLS_MAX: usize = 4_096;
/// How long a caller hears nothing before the connection is given up.
const SILENCE: TimeDelta = TimeDelta::seconds(120);

/// What a server is told.
#[derive(Debug)]
pub struct Config {
    /// How the sandbox starts, if it starts anew.
    pub setup: Setup,
    /// The clock that it goes by.
    pub clock: Clock,
    /// Where it writes its journal; without one it forgets everything when it ends.
    pub journal: Option<PathBuf>,
    /// What a caller must show.
    pub token: Option<String>,
    /// Where each bank's webhooks go.
    pub hooks: BTreeMap<BankCode, Hook>,
}

/// Why a server can't start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It would be reachable from elsewhere.
    #[error("the sandbox bank listens on this machine only, not on {0}")]
    NotLoopback(SocketAddr),
    /// Its sandbox can't start.
    #[error("the sandbox bank can't start")]
    Sandbox(#[from] SandboxError),
    /// Its socket failed.
    #[error("the sandbox bank can't listen")]
    Io(#[from] io::Error),
    /// Its client for webhooks can't start.
    #[error("webhooks can't be sent")]
    Client(#[from] reqwest::Error),
}

/// What handlers know.
#[derive(Debug)]
struct App {
    sandbox: Arc<Sandbox>,
    token: Option<String>,
    calls: Semaphore,
    stop: watch::Receiver<bool>,
}

/// Serves until `stop` turns true.
///
/// # Errors
/// [`ServeError`]: it can't start, or its socket failed.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    stop: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let base_url = format!("http://{address}");
    let sandbox = match config.journal {
        Some(path) => Sandbox::restore(&path, config.setup, config.clock, &base_url)?,
        None => Sandbox::start(&config.setup, config.clock, &base_url)?,
    };
    let sandbox = Arc::new(sandbox);
    let app = App {
        sandbox: Arc::clone(&sandbox),
        token: config.token,
        calls: Semaphore::new(CALLS_MAX),
        stop: stop.clone(),
    };
    let serving =
        axum::serve(listener, router(Arc::new(app))).with_graceful_shutdown(stopped(stop));
    tokio::select! {
        served = serving => Ok(served?),
        sent = send_all(sandbox, config.hooks) => Ok(sent?),
    }
}

/// Comes true when the server is to stop; also when the one who would tell is gone.
async fn stopped(mut stop: watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

fn router(app: Arc<App>) -> Router {
    let guarded = Router::new()
        .nest("/banks/{bank}/v1", protocol::routes())
        .nest("/control", control::routes())
        .route_layer(middleware::from_fn_with_state(Arc::clone(&app), known_caller));
    Router::new()
        .merge(guarded)
        .nest("/banks/{bank}/pay", pages::routes())
        .fallback(async || Answer(Reply::problem(404, "no_such_route", "see docs/banks.md")))
        .method_not_allowed_fallback(async || {
            Answer(Reply::problem(405, "method_not_allowed", "see docs/banks.md"))
        })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), bounded))
        .with_state(app)
}

/// Refuses callers without the token.
async fn known_caller(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let known = app.token.as_ref().is_none_or(|token| {
        let expected = format!("Bearer {token}");
        shown.is_some_and(|shown| bool::from(shown.ct_eq(expected.as_bytes())))
    });
    if known {
        next.run(request).await
    } else {
        Answer(Reply::problem(401, "unauthorized", "show the token: Authorization: Bearer …"))
            .into_response()
    }
}

/// Refuses calls beyond what is held at once.
async fn bounded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Ok(_permit) = app.calls.try_acquire() else {
        return Answer(Reply::problem(503, "busy", "too many calls at once")).into_response();
    };
    next.run(request).await
}

impl App {
    /// Waits until `reply` is to be given.
    async fn held(&self, reply: Reply) -> Reply {
        let clock = self.sandbox.clock();
        let at = match reply.answered {
            Answered::AtOnce => return reply,
            Answered::At(at) => at,
            Answered::Never => clock.now() + SILENCE,
        };
        tokio::select! {
            () = clock.until(at) => reply,
            () = stopped(self.stop.clone()) => Reply::silence(),
        }
    }

    async fn answer(&self, reply: Reply) -> Answer {
        Answer(self.held(reply).await)
    }
}

/// A reply on its way out.
struct Answer(Reply);

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.0.body)).into_response();
        if !status.is_success() {
            let problem = HeaderValue::from_static("application/problem+json");
            response.headers_mut().insert(header::CONTENT_TYPE, problem);
        }
        if matches!(self.0.status, 429 | 503) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Reads a JSON body of bounded size.
fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Reply> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let detail = "the body must be application/json";
        return Err(Reply::problem(415, "unsupported_media_type", detail));
    }
    let body = body.map_err(|rejection| {
        let status = rejection.status().as_u16();
        Reply::problem(status, "body_unreadable", "the body is too large or was cut off")
    })?;
    parse(&body)
}

/// The bank of a path.
fn bank(code: &str) -> Result<BankCode, Reply> {
    BankCode::parse(code)
        .ok_or_else(|| Reply::problem(404, "no_such_bank", "this sandbox has no such bank"))
}
