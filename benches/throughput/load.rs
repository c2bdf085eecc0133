//! The load over HTTP, on the same cores as the service and the database.
//!
//! Closed loop: each connection sends its next request when the one before is answered; this finds
//! the maximum. Open loop: requests are due at a fixed rate, and their latency counts from when
//! they were due, whether or not a connection was free then; so a slow answer is not hidden by
//! the requests that were not sent meanwhile ("coordinated omission").

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use hdrhistogram::Histogram;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::{http1, http2},
    header::RETRY_AFTER,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use ledger_core::{
    clock::{Clock, Ids, System},
    ids::BankAccountId,
};
use tokio::net::TcpStream;

use crate::{
    Spread,
    naive::{pair, per_second},
    service::Service,
};

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) enum Ask {
    /// One transfer.
    Transfer,
    /// So many transfers, each on its own.
    Bulk(u64),
    /// One withdrawal, to this bank account.
    Withdrawal(BankAccountId),
    /// One webhook of the bank hdfc.
    Webhook,
    /// Nothing, with a transfer's request and so many bytes of answer.
    Nothing(usize),
}

/// How it is asked.
#[derive(Clone, Copy)]
pub(crate) enum Loop {
    /// As fast as it is answered.
    Closed,
    /// So many requests a second.
    Open(u64),
}

/// What a load came to.
pub(crate) struct Asked {
    /// Transfers a second (requests, if nothing is asked).
    pub(crate) rate: u64,
    /// Latencies of requests, in microseconds.
    pub(crate) latencies: Histogram<u64>,
}

/// A load, as each connection has it.
#[derive(Clone)]
struct Plan {
    service: Arc<Service>,
    ask: Ask,
    pace: Loop,
    connections: u64,
    warm: Instant,
    end: Instant,
}

/// Asks over so many connections for so long, after a warm-up of a fifth of the time.
pub(crate) async fn measure(
    service: &Arc<Service>,
    ask: Ask,
    pace: Loop,
    connections: u64,
    time: Duration,
) -> anyhow::Result<Asked> {
    let warm = Instant::now() + time / 5;
    let service = Arc::clone(service);
    let plan = Plan { service, ask, pace, connections, warm, end: warm + time };
    let mut tasks = Vec::new();
    for connection in 0..connections {
        tasks.push(tokio::spawn(run(plan.clone(), connection)));
    }
    let mut latencies = Histogram::new(3)?;
    for task in tasks {
        for latency in task.await?? {
            latencies.record(latency)?;
        }
    }
    let each = if let Ask::Bulk(items) = ask { items } else { 1 };
    let rate = per_second(latencies.len() * each, time);
    Ok(Asked { rate, latencies })
}

/// The length of a transfer's answer.
pub(crate) async fn answer_length(service: &Arc<Service>) -> anyhow::Result<usize> {
    let mut client = Client::connect(service).await?;
    let mut state = 1;
    client.ask(service, Ask::Transfer, &mut state).await
}

async fn run(plan: Plan, connection: u64) -> anyhow::Result<Vec<u64>> {
    let mut client = Client::connect(&plan.service).await?;
    let mut state = connection + 1;
    let mut latencies = Vec::new();
    let start = Instant::now();
    for turn in 0_u64.. {
        let due = match plan.pace {
            Loop::Closed => Instant::now(),
            Loop::Open(rate) => {
                let due = start + due_after(turn * plan.connections + connection, rate);
                tokio::time::sleep_until(due.into()).await;
                due
            }
        };
        if due >= plan.end {
            break;
        }
        client.ask(&plan.service, plan.ask, &mut state).await?;
        let answered = Instant::now();
        // What is answered late counts in a closed loop only if it is within the time; in an open
        // one it was due within it, and counts whenever it is answered.
        let within = matches!(plan.pace, Loop::Open(_)) || answered < plan.end;
        if due >= plan.warm && within {
            latencies.push(u64::try_from((answered - due).as_micros())?);
        }
    }
    Ok(latencies)
}

/// When the request of this number is due, at so many a second.
pub(crate) fn due_after(number: u64, rate: u64) -> Duration {
    Duration::from_nanos(number * 1_000_000_000 / rate.max(1))
}

/// One who asks, one request at a time.
#[derive(Debug)]
pub(crate) enum Client {
    /// On a connection of its own.
    Http1(http1::SendRequest<Body>),
    /// On a connection with others.
    Http2(http2::SendRequest<Body>),
}

type Body = Full<bytes::Bytes>;

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Whether it says when to come again.
    pub(crate) retry_after: bool,
    body: bytes::Bytes,
}

impl Client {
    /// One with a connection of its own.
    pub(crate) async fn connect(service: &Service) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(&service.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self::Http1(sender))
    }

    /// So many that share one connection.
    pub(crate) async fn share(service: &Service, clients: usize) -> anyhow::Result<Vec<Self>> {
        let stream = TcpStream::connect(&service.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok((0..clients).map(|_| Self::Http2(sender.clone())).collect())
    }

    /// Asks and takes whatever comes back.
    pub(crate) async fn send(
        &mut self,
        service: &Service,
        ask: Ask,
        state: &mut u64,
    ) -> anyhow::Result<Reply> {
        let (path, body) = match ask {
            Ask::Transfer => ("/v1/transactions".to_owned(), transfer(state)),
            Ask::Nothing(bytes) => (format!("/noop?bytes={bytes}"), transfer(state)),
            Ask::Withdrawal(to) => ("/v1/withdrawals".to_owned(), withdrawal(state, to)),
            Ask::Webhook => ("/hooks/banks/hdfc".to_owned(), webhook()),
            Ask::Bulk(items) => {
                let items: Vec<String> = (0..items).map(|_| transfer(state)).collect();
                let body = format!("{{\"items\":[{}]}}", items.join(","));
                ("/v1/transactions/bulk".to_owned(), body)
            }
        };
        let request = match self {
            Self::Http1(_) => Request::post(path).header("host", &service.address),
            Self::Http2(_) => Request::post(format!("http://{}{path}", service.address)),
        };
        let id = System.fresh().to_string();
        let request = request.header("content-type", "application/json");
        let request = match ask {
            Ask::Webhook => {
                let now = System.now().timestamp();
                let signature = service.webhook_keys.sign(&id, now, body.as_bytes());
                let request = request.header("webhook-id", id).header("webhook-timestamp", now);
                request.header("webhook-signature", signature)
            }
            Ask::Transfer | Ask::Bulk(_) | Ask::Withdrawal(_) | Ask::Nothing(_) => request
                .header("authorization", format!("Bearer {}", service.key))
                .header("idempotency-key", id),
        };
        let request = request.body(Full::new(bytes::Bytes::from(body)))?;
        let response = match self {
            Self::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Self::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let status = response.status();
        let retry_after = response.headers().contains_key(RETRY_AFTER);
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Reply { status, retry_after, body })
    }

    /// Asks and checks the answer; returns how long that was.
    pub(crate) async fn ask(
        &mut self,
        service: &Service,
        ask: Ask,
        state: &mut u64,
    ) -> anyhow::Result<usize> {
        let Reply { status, body, .. } = self.send(service, ask, state).await?;
        anyhow::ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        if let Ask::Bulk(items) = ask {
            check_items(&body, items)?;
        }
        Ok(body.len())
    }
}

/// Every item was posted.
fn check_items(body: &[u8], items: u64) -> anyhow::Result<()> {
    let text = std::str::from_utf8(body).context("an answer that is not text")?;
    let posted = text.matches("\"status\":201").count();
    anyhow::ensure!(u64::try_from(posted)? == items, "{posted} of {items} items were posted");
    Ok(())
}

fn transfer(state: &mut u64) -> String {
    let (from, to) = pair(Spread::Uniform, state);
    format!(
        "{{\"kind\":\"transfer\",\"debit\":\"wallet:w{from}:INR\",\
         \"credit\":\"wallet:w{to}:INR\",\"amount\":{{\"value\":\"1.00\",\"currency\":\"INR\"}}}}"
    )
}

fn withdrawal(state: &mut u64, to: BankAccountId) -> String {
    let (from, _) = pair(Spread::Uniform, state);
    format!(
        "{{\"account\":\"wallet:w{from}:INR\",\"bank_account\":\"{to}\",\
         \"bank\":\"hdfc\",\"rail\":\"imps\",\
         \"amount\":{{\"value\":\"1.00\",\"currency\":\"INR\"}}}}"
    )
}

/// What a bank tells of a payment that nobody knows: it waits for its reference.
fn webhook() -> String {
    let id = System.fresh().simple();
    format!(
        "{{\"type\":\"transfer.paid\",\"timestamp\":\"2026-11-22T14:02:15Z\",\"data\":{{\
         \"reference\":\"BH{id}\",\"status\":\"paid\",\"rail\":\"imps\",\"from\":\"escrow\",\
         \"amount\":{{\"value\":\"1.00\",\"currency\":\"INR\"}},\"code\":null,\"returned\":null,\
         \"utr\":\"U{id}\",\"bank_transaction_id\":\"S{id}\",\
         \"accepted_at\":\"2026-11-22T14:02:13.400Z\",\
         \"settled_at\":\"2026-11-22T14:02:14.121Z\"}}}}"
    )
}
