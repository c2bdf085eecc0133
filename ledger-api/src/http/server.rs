//! The accept loop: our own, because every wait and every size of a connection needs a bound, and
//! because a stop must have a deadline.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::ServiceExt as _;

use super::peer::Peer;

/// The bounds of the accept loop.
#[derive(Debug, Clone, Copy)]
pub struct ServerConfig {
    /// The most connections at once; more wait in the system's queue.
    pub connections_max: usize,
    /// How long a client may take to send a request's head, the first one included.
    pub header_timeout: Duration,
    /// How long requests under way may take after a stop was asked for.
    pub shutdown_deadline: Duration,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            connections_max: 2_048,
            header_timeout: Duration::from_secs(10),
            shutdown_deadline: Duration::from_secs(20),
        }
    }
}

/// Streams of one HTTP/2 connection at once.
const H2_STREAMS_MAX: u32 = 128;
/// Streams that a client may reset before they were accepted ("rapid reset").
const H2_PENDING_RESETS_MAX: usize = 20;
/// Streams that we may have to reset for a client's faults before the connection ends.
const H2_LOCAL_RESETS_MAX: usize = 256;
const HEADER_BYTES_MAX: u32 = 16 * 1024;
const H1_BUFFER_BYTES_MAX: usize = 64 * 1024;
const H1_HEADERS_MAX: usize = 64;
/// How long to rest when the system refuses to accept (no file handles left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `router` on `listener` until `stop` comes true, then lets requests under way end.
///
/// # Errors
/// Only if the listener cannot say where it listens; errors of connections end the connection.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: ServerConfig,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "listening");
    let permits = Arc::new(Semaphore::new(config.connections_max));
    let graceful = GracefulShutdown::new();
    let builder = Arc::new(builder(config));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &permits) => accepted,
        };
        let Some((stream, peer, permit)) = accepted else {
            continue;
        };
        let (builder, router) = (Arc::clone(&builder), router.clone());
        let watcher = graceful.watcher();
        tokio::spawn(async move {
            let asked = Arc::new(AtomicBool::new(false));
            let asks = Arc::clone(&asked);
            let service = router.map_request(move |mut request: Request<_>| {
                asks.store(true, Ordering::Relaxed);
                request.extensions_mut().insert(peer);
                request.map(Body::new)
            });
            let connection = builder
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
                .into_owned();
            tokio::select! {
                ended = watcher.watch(connection) => if let Err(error) = ended {
                    // A client that went away or sent nonsense: its matter, seen when looked for.
                    tracing::debug!(%error, "a connection ended with an error");
                },
                () = still_silent(&asked, config.header_timeout) => {
                    tracing::debug!("a connection that asked nothing was closed");
                }
            }
            drop(permit);
        });
    }
    // No new connections from here on, not even into the system's queue.
    drop(listener);
    if tokio::time::timeout(config.shutdown_deadline, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way at the deadline; their clients retry");
    }
    Ok(())
}

/// Comes true if nothing was asked in time. The library starts its own clock only when it knows
/// which HTTP it speaks, so a client that sends half a preface would stay for ever.
async fn still_silent(asked: &AtomicBool, header_timeout: Duration) {
    tokio::time::sleep(header_timeout).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            // Answers are small and whole; waiting to fill a packet would only delay them.
            stream.set_nodelay(true).ok();
            Some((stream, Peer(address.ip()), permit))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

fn builder(config: ServerConfig) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(H1_BUFFER_BYTES_MAX)
        .max_headers(H1_HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .max_pending_accept_reset_streams(H2_PENDING_RESETS_MAX)
        .max_local_error_reset_streams(H2_LOCAL_RESETS_MAX)
        .max_header_list_size(HEADER_BYTES_MAX)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}
