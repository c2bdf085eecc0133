//! A receiver that remembers what it got, and answers as it is told to.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

use crate::support::bahi::PATIENCE;

/// A call that came in.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Got {
    /// What it is deduplicated by.
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What is answered.
pub(crate) enum Answer {
    Status(u16),
    /// The connection breaks: the sender cannot know that it arrived.
    Lost,
    /// Nothing comes.
    Never,
}

type Rule = Arc<dyn Fn(&Got, usize) -> Answer + Send + Sync>;

/// A receiver.
pub(crate) struct Receiver {
    pub(crate) url: String,
    got: Arc<Mutex<Vec<Got>>>,
    rule: Arc<Mutex<Rule>>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// One that says 200 to everything.
    pub(crate) async fn start() -> Self {
        Self::listening("http", None).await
    }

    /// The same by HTTPS.
    pub(super) async fn secure(tls: TlsAcceptor) -> Self {
        Self::listening("https", Some(tls)).await
    }

    async fn listening(scheme: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}/hooks", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let rule: Rule = Arc::new(|_, _| Answer::Status(200));
        let rule = Arc::new(Mutex::new(rule));
        let task = tokio::spawn(serve((listener, tls), Arc::clone(&got), Arc::clone(&rule)));
        Self { url, got, rule, task }
    }

    /// Answers otherwise from now on: by the call, and how many calls with its id came before.
    pub(crate) fn answer(&self, rule: impl Fn(&Got, usize) -> Answer + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Arc::new(rule);
    }

    /// All calls, in their order.
    pub(crate) fn all(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// What a receiver has that takes each id once, in the order of arrival.
    pub(crate) fn distinct(&self) -> Vec<Got> {
        let mut known = BTreeSet::new();
        self.all().into_iter().filter(|got| known.insert(got.id().to_owned())).collect()
    }

    /// Waits until so many different messages are here.
    pub(crate) async fn until(&self, count: usize) -> Vec<Got> {
        self.until_within(count, PATIENCE * 3).await
    }

    /// Waits until there were more calls than so many, or none came for a while.
    pub(crate) async fn calls_after(&self, count: usize) {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
        while self.all().len() <= count && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_within(&self, count: usize, patience: Duration) -> Vec<Got> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let here = self.distinct();
            if here.len() >= count {
                return here;
            }
            assert!(tokio::time::Instant::now() < deadline, "{} of {count} came", here.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn serve(
    (listener, tls): (TcpListener, Option<TlsAcceptor>),
    got: Arc<Mutex<Vec<Got>>>,
    rule: Arc<Mutex<Rule>>,
) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (got, rule, tls) = (Arc::clone(&got), Arc::clone(&rule), tls.clone());
        connections.spawn(async move {
            let service =
                service_fn(move |request| answer(request, Arc::clone(&got), Arc::clone(&rule)));
            let http = http1::Builder::new();
            match tls {
                None => http.serve_connection(TokioIo::new(stream), service).await.ok(),
                // A caller who does not like the certificate says nothing more.
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await.ok(),
                    Err(_) => None,
                },
            }
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    all: Arc<Mutex<Vec<Got>>>,
    rule: Arc<Mutex<Rule>>,
) -> io::Result<Response<Full<Bytes>>> {
    let text = |value: &hyper::header::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = request.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
    let headers = headers.collect();
    let body = request.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
    let got = Got { headers, body: String::from_utf8(body.to_vec()).unwrap() };
    let before = {
        let mut all = all.lock().unwrap();
        let before = all.iter().filter(|other| other.id() == got.id()).count();
        all.push(got.clone());
        before
    };
    let rule = Arc::clone(&rule.lock().unwrap());
    match rule(&got, before) {
        Answer::Status(status) => {
            let mut response = Response::new(Full::new(Bytes::from_static(b"noted")));
            *response.status_mut() = status.try_into().unwrap();
            response.headers_mut().insert("location", "http://127.0.0.1:1/".parse().unwrap());
            Ok(response)
        }
        Answer::Lost => Err(io::Error::other("the receiver broke off")),
        Answer::Never => std::future::pending().await,
    }
}
