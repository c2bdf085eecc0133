//! The client that calls receivers: what was looked at is what is connected to.
//!
//! The guard stands in the resolver: the addresses that a name leads to are checked there and
//! handed to the connection, and there is no second look-up. Each call is a connection of its own,
//! so that none outlives the look. It follows no redirect, takes no proxy from the environment,
//! gives up in time, and keeps only the beginning of an answer.

use std::{
    error::Error as StdError,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
    vec,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client as Hyper,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use tower::Service;

use super::guard::Outreach;
use crate::webhooks::signature::{ID, SIGNATURE, TIMESTAMP};

/// How long a receiver has, from the look-up of its name to the end of its answer.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How long a name may take to be looked up.
const NAME_PATIENCE: Duration = Duration::from_secs(5);
/// How much of an answer is kept.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// How many headers of an answer are kept, and how much of each.
const HEADERS_MAX: usize = 30;
const HEADER_BYTES_MAX: usize = 200;
const AGENT: HeaderValue = HeaderValue::from_static("bahi-webhooks/1");

/// Why there was no answer. What the network said in detail is nobody's business outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The address may not be called.
    #[error("the address is not one that may be called")]
    Refused,
    /// It took too long.
    #[error("there was no whole answer within 15 seconds")]
    Late,
    /// The server is not known to be who it should be, or does not speak TLS.
    #[error("no secure connection: the server's certificate is not valid for its address")]
    Insecure,
    /// No connection came about, or it broke.
    #[error("the server can't be reached, or broke the connection off")]
    Unreachable,
}

impl SendError {
    /// The word on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "address_refused",
            Self::Late => "timeout",
            Self::Insecure => "tls_failed",
            Self::Unreachable => "unreachable",
        }
    }
}

/// What came of a call.
#[derive(Debug)]
pub struct Attempt {
    /// What was said with the body.
    pub request_headers: Vec<(String, String)>,
    /// The status, or why there is none.
    pub status: Result<u16, SendError>,
    /// What was answered with it.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the answer.
    pub response_body: String,
    /// How long it took.
    pub took: Duration,
}

/// Answers only with addresses that may be called.
#[derive(Debug, Clone, Copy)]
struct Checked(Outreach);

/// A name that leads nowhere it may lead, or that nobody knows.
#[derive(Debug, thiserror::Error)]
enum NameError {
    #[error("the name leads to an address that may not be called")]
    Refused,
    #[error("the name was not looked up in time")]
    Late,
    #[error("the name is not known")]
    Unknown(#[source] io::Error),
}

impl Service<Name> for Checked {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = NameError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, NameError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NameError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let outreach = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0));
            let found = tokio::time::timeout(NAME_PATIENCE, found).await;
            let found = found.map_err(|_| NameError::Late)?.map_err(NameError::Unknown)?;
            let found: Vec<SocketAddr> = found.collect();
            // One that may not be called among others is an attempt, not an accident.
            if found.iter().all(|address| outreach.allows(address.ip())) {
                Ok(found.into_iter())
            } else {
                Err(NameError::Refused)
            }
        })
    }
}

/// The client; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    outreach: Outreach,
    hyper: Hyper<HttpsConnector<HttpConnector<Checked>>, Full<Bytes>>,
}

impl Client {
    /// One that trusts whom the system trusts, or whom `SSL_CERT_FILE` and `SSL_CERT_DIR` name
    /// instead. There is no switch that trusts anybody else.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn new(outreach: Outreach) -> io::Result<Self> {
        let mut connector = HttpConnector::new_with_resolver(Checked(outreach));
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(PATIENCE));
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let mut builder = Hyper::builder(TokioExecutor::new());
        // No connection is used again: the next call looks its name up anew.
        builder.pool_max_idle_per_host(0);
        Ok(Self { outreach, hyper: builder.build(connector) })
    }

    /// How far it goes.
    pub const fn outreach(&self) -> Outreach {
        self.outreach
    }

    /// One call, with the signature that covers exactly this body.
    pub async fn send(
        &self,
        url: &str,
        (id, timestamp_s, signature): (&str, i64, &str),
        body: Bytes,
    ) -> Attempt {
        let began = Instant::now();
        let mut attempt = Attempt {
            request_headers: Vec::new(),
            status: Err(SendError::Refused),
            response_headers: Vec::new(),
            response_body: String::new(),
            took: Duration::ZERO,
        };
        if let Some(request) = self.request(url, (id, timestamp_s, signature), body) {
            attempt.request_headers = shown(request.headers());
            let deadline = tokio::time::Instant::now() + PATIENCE;
            attempt.status = self.answered(request, deadline, &mut attempt).await;
        }
        attempt.took = began.elapsed();
        attempt
    }

    /// Nothing if the URL may not be called (any more).
    fn request(
        &self,
        url: &str,
        (id, timestamp_s, signature): (&str, i64, &str),
        body: Bytes,
    ) -> Option<Request<Full<Bytes>>> {
        let url = self.outreach.check(url).ok()?;
        let mut request = Request::builder().method(Method::POST).uri(url.as_str());
        let headers = request.headers_mut()?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, AGENT);
        headers.insert(ID, HeaderValue::try_from(id).ok()?);
        headers.insert(TIMESTAMP, HeaderValue::from(timestamp_s));
        headers.insert(SIGNATURE, HeaderValue::try_from(signature).ok()?);
        request.body(Full::new(body)).ok()
    }

    async fn answered(
        &self,
        request: Request<Full<Bytes>>,
        deadline: tokio::time::Instant,
        attempt: &mut Attempt,
    ) -> Result<u16, SendError> {
        let response = tokio::time::timeout_at(deadline, self.hyper.request(request)).await;
        let response = response.map_err(|_| SendError::Late)?.map_err(|error| why(&error))?;
        attempt.response_headers = shown(response.headers());
        let status = response.status().as_u16();
        let kept = tokio::time::timeout_at(deadline, beginning(response.into_body())).await;
        attempt.response_body = kept.map_err(|_| SendError::Late)?;
        Ok(status)
    }
}

/// The beginning of a body as text that a database takes; what breaks off is short.
async fn beginning(mut body: Incoming) -> String {
    let mut kept = Vec::new();
    while kept.len() < ANSWER_BYTES_MAX {
        let Some(Ok(frame)) = body.frame().await else { break };
        if let Ok(data) = frame.into_data() {
            let room = ANSWER_BYTES_MAX.saturating_sub(kept.len());
            kept.extend(data.iter().take(room));
        }
    }
    text(&kept)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().take(HEADERS_MAX).map(|(name, value): (&HeaderName, _)| {
        let value = text(value.as_bytes()).chars().take(HEADER_BYTES_MAX).collect();
        (name.as_str().to_owned(), value)
    });
    shown.collect()
}

fn why(error: &(dyn StdError + 'static)) -> SendError {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<NameError>() {
            Some(NameError::Refused) => return SendError::Refused,
            Some(NameError::Late) => return SendError::Late,
            Some(NameError::Unknown(_)) | None => {}
        }
        if error.downcast_ref::<io::Error>().is_some_and(is_of_tls) {
            return SendError::Insecure;
        }
        next = error.source();
    }
    SendError::Unreachable
}

/// Whether TLS did not like what it was shown: it says so by a kind of its own, and the client
/// wraps that once more.
fn is_of_tls(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<io::Error>());
    let is_one = |error: &io::Error| error.kind() == io::ErrorKind::InvalidData;
    is_one(error) || inner.is_some_and(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_refused_where_it_is_looked_up() {
        let name: Name = "localhost".parse().unwrap();
        let refused = Checked(Outreach::Public).call(name.clone()).await;
        assert!(matches!(refused, Err(NameError::Refused)), "{refused:?}");
        let found = Checked(Outreach::PublicAndLoopback).call(name).await.unwrap();
        assert!(found.count() > 0);
    }

    #[tokio::test]
    async fn what_was_stored_before_the_rule_is_not_called_either() {
        let client = Client::new(Outreach::Public).unwrap();
        let attempt = client.send("http://127.0.0.1:9/", ("msg_1", 1, "v1,a"), Bytes::new()).await;
        assert_eq!(attempt.status, Err(SendError::Refused));
        assert!(attempt.request_headers.is_empty());
    }
}
