//! More than can be done: three times the maximum is offered, at a fixed rate, whether or not
//! anything comes back. What is done then, how the rest is refused, and what it leaves behind.
//!
//! The requests come over HTTP/2, many on a connection, for on HTTP/1.1 there are never more under
//! way than there are connections, and so never too many. Who sends three times the maximum on the
//! cores of the service takes them away from it; so the sender keeps to one half of the cores, the
//! service and the database to the other, when the maximum is found as well as in the storm.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use hyper::StatusCode;
use tokio::time::sleep_until;

use crate::{
    Plan, Spread, books,
    busy::Busy,
    cores::Halves,
    load::{self, Ask, Client, Loop},
    memory::{Memory, Watch},
    naive::per_second,
    report::{Table, Yardstick, millis, percentiles, ratio},
    service::Service,
    stand::Stand,
};

/// How much more than the maximum is offered.
const TIMES: u64 = 3;
/// Clients of one connection: what the service allows.
const CLIENTS: usize = 128;
/// Connections of the closed loop that finds the maximum.
const CONNECTIONS: usize = 2;
/// Connections of the storm: more requests under way than the engine lets wait.
const STORM_CONNECTIONS: usize = 96;
/// How long after the end of the storm its traces are looked for.
const CALM: Duration = Duration::from_secs(2);

/// What came of the requests after the warm-up.
#[derive(Default)]
struct Seen {
    sent: u64,
    /// Done, and answered before the end.
    accepted: u64,
    /// How long it took to refuse, in microseconds.
    refused: Vec<u64>,
    /// Refusals that do not say when to come again.
    without_retry: u64,
    /// Answers that are neither.
    other: u64,
    /// No answer.
    broken: u64,
}

/// A load, as each client has it.
#[derive(Clone)]
struct Offer {
    service: Arc<Service>,
    pace: Loop,
    clients: u64,
    start: Instant,
    warm: Instant,
    end: Instant,
}

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("storm") {
        return Ok(());
    }
    let (service, database) = Service::on_fresh_ledger(stand).await?;
    let mut theirs = stand.pids().await?;
    theirs.push(service.pid());
    let halves = Halves::divide(&theirs)?;
    let taken = measure(&service, plan.time, &halves.to_string(), table).await;
    halves.unite(&theirs)?;
    taken?;
    drop(service);
    books::verified(database).await?;
    Ok(())
}

async fn measure(
    service: &Arc<Service>,
    time: Duration,
    halves: &str,
    table: &mut Table,
) -> anyhow::Result<()> {
    let against = [Yardstick::Naive(Spread::Uniform)];
    let most = offer(service, Loop::Closed, CONNECTIONS, time).await?;
    let most = per_second(most.accepted, time);
    table.row(&format!("storm: maximum over HTTP/2, {halves}"), most, &against, None);
    let before = Memory::of(service.pid());
    let watch = Watch::start(service.pid());
    let (ours, theirs) = (Busy::start(std::process::id()), Busy::start(service.pid()));
    let seen = offer(service, Loop::Open(TIMES * most), STORM_CONNECTIONS, time).await?;
    let busy =
        format!("the sender kept {} cores busy, the service {}", ours.cores(), theirs.cores());
    let peak = watch.most().await?;
    let first = Instant::now();
    Client::connect(service).await?.ask(service, Ask::Transfer, &mut 1).await?;
    let first = u64::try_from(first.elapsed().as_micros())?;
    tokio::time::sleep(CALM).await;
    let after = Memory::of(service.pid());

    let rate = per_second(seen.accepted, time);
    let part = ratio(rate, most);
    let what = format!("storm: {TIMES} × the maximum offered ({part} of the maximum)");
    table.row(&what, rate, &against, None);
    let mut refused = Histogram::new(3)?;
    for latency in &seen.refused {
        refused.record(*latency)?;
    }
    let [p50, p99, _] = percentiles(&refused).map(millis);
    table.note(format!(
        "storm: of {} a second {} were sent; {} done in time, {} refused with 503 (p50 {p50} ms, \
         p99 {p99} ms; {} of them without Retry-After), {} answered otherwise, {} not answered; \
         {busy}. Memory of the service: {before} before, at most {peak} in it, {after} after. The \
         first request after it: {} ms",
        TIMES * most,
        per_second(seen.sent, time),
        seen.accepted,
        seen.refused.len(),
        seen.without_retry,
        seen.other,
        seen.broken,
        millis(first),
    ));
    Ok(())
}

/// Has so many connections' clients ask for so long, after a warm-up of a fifth of the time.
async fn offer(
    service: &Arc<Service>,
    pace: Loop,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Seen> {
    let mut shares = Vec::new();
    for _ in 0..connections {
        shares.push(Client::share(service, CLIENTS).await?);
    }
    // One of each connection in turn, so that neighbours in time are on different ones.
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.extend(shares.iter_mut().filter_map(Vec::pop));
    }
    let start = Instant::now();
    let warm = start + time / 5;
    let service = Arc::clone(service);
    let count = u64::try_from(clients.len())?;
    let offer = Offer { service, pace, clients: count, start, warm, end: warm + time };
    let mut tasks = Vec::new();
    for (number, client) in (0..).zip(clients) {
        tasks.push(tokio::spawn(ask(offer.clone(), client, number)));
    }
    let mut all = Seen::default();
    for task in tasks {
        all.add(task.await??);
    }
    Ok(all)
}

async fn ask(offer: Offer, mut client: Client, number: u64) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let mut state = number + 1;
    for turn in 0_u64.. {
        if let Loop::Open(rate) = offer.pace {
            let due = offer.start + load::due_after(turn * offer.clients + number, rate);
            sleep_until(due.into()).await;
        }
        let sent = Instant::now();
        if sent >= offer.end {
            break;
        }
        let reply = client.send(&offer.service, Ask::Transfer, &mut state).await;
        let answered = Instant::now();
        if answered < offer.warm {
            continue;
        }
        seen.sent += 1;
        match reply {
            Ok(reply) if reply.status.is_success() => {
                seen.accepted += u64::from(answered < offer.end);
            }
            Ok(reply) if reply.status == StatusCode::SERVICE_UNAVAILABLE => {
                seen.refused.push(u64::try_from((answered - sent).as_micros())?);
                seen.without_retry += u64::from(!reply.retry_after);
            }
            Ok(_) => seen.other += 1,
            Err(_) => seen.broken += 1,
        }
    }
    Ok(seen)
}

impl Seen {
    fn add(&mut self, more: Self) {
        self.sent += more.sent;
        self.accepted += more.accepted;
        self.refused.extend(more.refused);
        self.without_retry += more.without_retry;
        self.other += more.other;
        self.broken += more.broken;
    }
}
