//! The client that calls login providers: over TLS by rustls and the system's certificates.
//!
//! It follows no redirect (a provider's answer must not send us to an address of its choosing),
//! takes no proxy from the environment, reads bounded answers, and gives up in time. Only what the
//! configuration or a provider's own discovery names is called.

use std::{io, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, url::Url};

use super::config::is_loopback;

/// How long a call may take. A browser waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer: key sets of large providers are some kilobytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why a call came to nothing. Shows neither what was sent nor what was answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutgoingError {
    #[error("the login provider's address is not one that may be called")]
    Address,
    #[error("the login provider did not answer in time")]
    Late,
    #[error("the login provider can't be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("the login provider's answer can't be read")]
    Answer(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the login provider's answer is too long")]
    Long,
}

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Outgoing {
    /// One that trusts whom the system trusts.
    pub(super) fn new() -> io::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector) })
    }

    /// One call.
    pub(super) async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, OutgoingError> {
        tokio::time::timeout(PATIENCE, self.answered(request))
            .await
            .map_err(|_| OutgoingError::Late)?
    }

    async fn answered(&self, request: HttpRequest) -> Result<HttpResponse, OutgoingError> {
        let (mut parts, body) = request.into_parts();
        let url: Url = parts.uri.to_string().parse().map_err(|_| OutgoingError::Address)?;
        // Discovery may name other addresses; plain HTTP is for stand-ins on this machine.
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(OutgoingError::Address);
        }
        // GitHub refuses callers that don't say who they are.
        parts.headers.insert("user-agent", axum::http::HeaderValue::from_static("bahi"));
        let request = axum::http::Request::from_parts(parts, Full::new(Bytes::from(body)));
        let response = self.client.request(request).await.map_err(OutgoingError::Unreachable)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                OutgoingError::Long
            } else {
                OutgoingError::Answer(error)
            }
        })?;
        Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
    }
}

impl<'c> AsyncHttpClient<'c> for Outgoing {
    type Error = OutgoingError;
    type Future = BoxFuture<'c, Result<HttpResponse, OutgoingError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.fetch(request))
    }
}
