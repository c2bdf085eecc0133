//! More than can be done: three times the maximum is offered, at a fixed rate, whether or not
//! anything comes back. What is done then, how the rest is refused, and what it leaves behind.
//!
//! The requests come over HTTP/2, many on a connection, for on HTTP/1.1 there are never more under
//! way than there are connections, and so never too many. Who sends them needs the same cores as
//! the service and the database: at three times the maximum, a good part of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use hyper::StatusCode;
use tokio::time::sleep_until;

use crate::{
    Plan, Spread, books,
    load::{self, Ask, Client, Loop},
    memory::{Memory, Watch},
    naive::per_second,
    report::{Table, Yardstick, millis, percentiles, ratio},
    service::Service,
    stand::Stand,
};

/// How much more than the maximum is offered.
const TIMES: u64 = 3;
/// Connections, and clients on each of them: what is under way at most. More than the engine lets
/// wait, and on each connection no more than the service allows.
const CONNECTIONS: u64 = 96;
const CLIENTS: usize = 128;
/// How long after the end of the storm its traces are looked for.
const CALM: Duration = Duration::from_secs(2);

/// What came of the requests after the warm-up.
struct Seen {
    sent: u64,
    /// Done, and answered before the end.
    accepted: u64,
    /// How long it took to refuse, in microseconds.
    refused: Histogram<u64>,
    /// Refusals that do not say when to come again.
    without_retry: u64,
    /// Answers that are neither.
    other: u64,
    /// No answer.
    broken: u64,
}

/// A storm, as each client has it.
#[derive(Clone)]
struct Storm {
    service: Arc<Service>,
    rate: u64,
    clients: u64,
    start: Instant,
    warm: Instant,
    end: Instant,
}

/// Takes the row.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("storm") {
        return Ok(());
    }
    let (service, database) = Service::on_fresh_ledger(stand).await?;
    let most = load::measure(&service, Ask::Transfer, Loop::Closed, 256, plan.time).await?;
    let before = Memory::of(service.pid());
    let watch = Watch::start(service.pid());
    let seen = blow(&service, TIMES * most.rate, plan.time).await?;
    let peak = watch.most().await?;
    let first = Instant::now();
    Client::connect(&service).await?.ask(&service, Ask::Transfer, &mut 1).await?;
    let first = u64::try_from(first.elapsed().as_micros())?;
    tokio::time::sleep(CALM).await;
    let after = Memory::of(service.pid());
    drop(service);
    books::verified(database).await?;

    let rate = per_second(seen.accepted, plan.time);
    let part = ratio(rate, most.rate);
    let what = format!("Bahi over HTTP, {TIMES} × the maximum offered ({part} of the maximum)");
    table.row(&what, rate, &[Yardstick::Naive(Spread::Uniform), Yardstick::Noop], None);
    let [p50, p99, _] = percentiles(&seen.refused).map(millis);
    table.note(format!(
        "Offered {} a second, {TIMES} × the maximum of {}, the sender on the same cores: {} were \
         sent, {} done in time, {} refused with 503 (p50 {p50} ms, p99 {p99} ms; {} of them \
         without Retry-After), {} answered otherwise, {} not answered. Memory of the service: \
         {before} before, at most {peak} in it, {after} after. The first request after it: {} ms",
        TIMES * most.rate,
        most.rate,
        seen.sent,
        seen.accepted,
        seen.refused.len(),
        seen.without_retry,
        seen.other,
        seen.broken,
        millis(first),
    ));
    Ok(())
}

/// Sends so many a second for so long, after a warm-up of a fifth of the time.
async fn blow(service: &Arc<Service>, rate: u64, time: Duration) -> anyhow::Result<Seen> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.extend(Client::share(service, CLIENTS).await?);
    }
    let start = Instant::now();
    let warm = start + time / 5;
    let service = Arc::clone(service);
    let count = u64::try_from(clients.len())?;
    let storm = Storm { service, rate, clients: count, start, warm, end: warm + time };
    let mut tasks = Vec::new();
    // Neighbours in time are on different connections.
    for (number, client) in (0..).zip(clients) {
        let turn =
            number % u64::try_from(CLIENTS)? * CONNECTIONS + number / u64::try_from(CLIENTS)?;
        tasks.push(tokio::spawn(ask(storm.clone(), client, turn)));
    }
    let mut all = Seen::nothing()?;
    for task in tasks {
        all.add(&task.await??)?;
    }
    Ok(all)
}

async fn ask(storm: Storm, mut client: Client, number: u64) -> anyhow::Result<Seen> {
    let mut seen = Seen::nothing()?;
    let mut state = number + 1;
    for turn in 0_u64.. {
        let due = storm.start + load::due_after(turn * storm.clients + number, storm.rate);
        sleep_until(due.into()).await;
        let sent = Instant::now();
        if sent >= storm.end {
            break;
        }
        let reply = client.send(&storm.service, Ask::Transfer, &mut state).await;
        let answered = Instant::now();
        if sent < storm.warm {
            continue;
        }
        seen.sent += 1;
        match reply {
            Ok(reply) if reply.status.is_success() => {
                seen.accepted += u64::from(answered < storm.end);
            }
            Ok(reply) if reply.status == StatusCode::SERVICE_UNAVAILABLE => {
                seen.refused.record(u64::try_from((answered - sent).as_micros())?)?;
                seen.without_retry += u64::from(!reply.retry_after);
            }
            Ok(_) => seen.other += 1,
            Err(_) => seen.broken += 1,
        }
    }
    Ok(seen)
}

impl Seen {
    fn nothing() -> anyhow::Result<Self> {
        let refused = Histogram::new(3)?;
        Ok(Self { sent: 0, accepted: 0, refused, without_retry: 0, other: 0, broken: 0 })
    }

    fn add(&mut self, more: &Self) -> anyhow::Result<()> {
        self.sent += more.sent;
        self.accepted += more.accepted;
        self.refused.add(&more.refused)?;
        self.without_retry += more.without_retry;
        self.other += more.other;
        self.broken += more.broken;
        Ok(())
    }
}
