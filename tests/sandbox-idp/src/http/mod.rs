//! The providers as a server, and the switches for tests.

mod control;
mod pages;
mod profile;
mod token;

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    desk::{Client, Desk},
    faults::{Fault, Provider},
    keys::{Keys, NoRandom},
};

const BODY_BYTES_MAX: usize = 16 * 1024;
/// How long a slow provider keeps a caller waiting: longer than anybody waits.
const SLOW: std::time::Duration = std::time::Duration::from_secs(60);

/// What a server is told.
#[derive(Debug)]
pub struct Config {
    /// The service that people log in to from here.
    pub client: Client,
}

/// Why a server can't start or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It would be reachable from elsewhere.
    #[error("the sandbox login provider listens on this machine only, not on {0}")]
    NotLoopback(SocketAddr),
    /// Its socket failed.
    #[error("the sandbox login provider can't listen")]
    Io(#[from] io::Error),
    /// It has no keys.
    #[error("the sandbox login provider has no keys")]
    Keys(#[from] NoRandom),
}

/// What handlers know.
struct App {
    desk: Mutex<Desk>,
    keys: Keys,
    base_url: String,
}

impl App {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing in there is half done when a handler panics.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issuer(&self, provider: Provider) -> String {
        format!("{}/{}", self.base_url, provider.as_str())
    }

    /// Does what faults do to any answer to a service; the fault, for what they do to some.
    async fn faulty(&self, provider: Provider) -> Result<Fault, Response> {
        let fault = self.desk().fault(provider);
        if fault == Fault::Slow {
            tokio::time::sleep(SLOW).await;
        }
        if fault == Fault::Garbage {
            let headers = [(header::CONTENT_TYPE, "application/json")];
            return Err((headers, "{\"access_token\": [\u{0}, ]").into_response());
        }
        Ok(fault)
    }
}

/// Serves until `stop` turns true.
///
/// # Errors
/// [`ServeError`]: it can't start, or its socket failed.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(ServeError::NotLoopback(address));
    }
    let app = App {
        desk: Mutex::new(Desk::open(config.client)),
        keys: Keys::generate()?,
        base_url: format!("http://{address}"),
    };
    let told = async move { drop(stop.wait_for(|stop| *stop).await) };
    // Who waits for a slow answer is not waited for.
    tokio::select! {
        served = axum::serve(listener, router(Arc::new(app))) => Ok(served?),
        () = told => Ok(()),
    }
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/google/.well-known/openid-configuration", get(discovery))
        .route("/google/jwks", get(keys))
        .route("/google/userinfo", get(profile::userinfo))
        .route("/github/user", get(profile::user))
        .route("/github/user/emails", get(profile::emails))
        .route("/{provider}/authorize", get(pages::show).post(pages::decide))
        .route("/{provider}/page.css", get(pages::style))
        .route("/{provider}/token", post(token::redeem))
        .route("/control", post(control::throw))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(app)
}

async fn discovery(State(app): State<Arc<App>>) -> Response {
    if let Err(garbage) = app.faulty(Provider::Google).await {
        return garbage;
    }
    let issuer = app.issuer(Provider::Google);
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
    .into_response()
}

async fn keys(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.keys.set())
}

/// What is wrong, as OAuth 2 says it.
fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}
