//! What listens until the service is ready.

use std::io;

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::http::{ServerConfig, codes, serve};

/// A listener that answers "not yet" for the service that will have it.
pub(super) struct Starting {
    listener: TcpListener,
    ready: oneshot::Sender<()>,
    answering: JoinHandle<io::Result<()>>,
}

impl Starting {
    /// Starts to answer.
    pub(super) fn answer(listener: TcpListener) -> io::Result<Self> {
        // Two handles to one socket: what comes while one ends waits in the socket's queue.
        let listener = listener.into_std()?;
        let ours = TcpListener::from_std(listener.try_clone()?)?;
        let listener = TcpListener::from_std(listener)?;
        let (ready, is_ready) = oneshot::channel();
        let until_ready = async move { drop(is_ready.await) };
        let answering = tokio::spawn(serve(ours, router(), ServerConfig::default(), until_ready));
        Ok(Self { listener, ready, answering })
    }

    /// Ends answering, and hands over the listener.
    pub(super) async fn end(self) -> io::Result<TcpListener> {
        // Whether it still listens to us or has ended already comes to the same.
        self.ready.send(()).ok();
        self.answering.await.map_err(io::Error::other)??;
        Ok(self.listener)
    }
}

fn router() -> Router {
    Router::new().route("/healthz", get(async || "ok\n")).fallback(async || not_yet())
}

fn not_yet() -> Response {
    let code = &codes::LEDGER_UNAVAILABLE;
    let body = format!(
        "{{\"type\":\"/problems/{name}\",\"title\":\"{title}\",\"status\":503,\
         \"code\":\"{name}\",\"detail\":\"The service is starting.\",\"retry\":\"same_key\"}}",
        name = code.name,
        title = code.title,
    );
    let headers = [
        (header::CONTENT_TYPE, "application/problem+json"),
        (header::RETRY_AFTER, "1"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::SERVICE_UNAVAILABLE, headers, body).into_response()
}
