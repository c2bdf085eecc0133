//! Whether the cost stays flat: the same load on an empty log, and on a log of millions of events
//! with a million accounts, one of which has a stream of a million events.

use std::{
    fmt::Write,
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use sqlx::postgres::PgConnectOptions;

use crate::{
    ACCOUNTS, Plan, Spread, WIDE,
    callers::Load,
    naive::pair,
    report::{Table, Yardstick, millis},
    stand::Stand,
    wal::Wal,
};

/// How long the log is made.
const EVENTS: u64 = 5_000_000;
/// How long the stream of the hot account is made.
const HOT_EVENTS: u64 = 1_000_000;
const CALLERS: u64 = 1_024;
const WARM_UP_MAX: Duration = Duration::from_secs(90);
/// How many commands on accounts that are not in memory are timed.
const COLD: u64 = 1_000;

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("scale") {
        return Ok(());
    }
    let naive = [Yardstick::Naive(Spread::Uniform)];
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let before = Wal::settled(&database).await?;
    let empty = load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    let mut wal = format!("empty log {}", Wal::settled(&database).await?.since(before));
    table.row("scale: empty log, 10,000 accounts", empty.rate, &naive, Some(empty.latencies));
    load.engine.shutdown().await;
    drop(load);

    let database = stand.ledger().await?;
    grow(&database).await?;
    // What growing left dirty and unvacuumed: a log that grew in minutes has both to be done at
    // once, one that grew in months has had them done a little at a time.
    let began = Instant::now();
    stand.settle().await?;
    table.note(format!("scale: vacuum and checkpoint after growing: {:?}", began.elapsed()));
    let (load, started) = start(&database).await?;
    let events = load.engine.status().borrow().head.position;
    let hot = load.transfer(1, 0).await?;
    let cold = cold(&load).await?;
    table.note(format!(
        "scale: {events} events, {WIDE} accounts: the engine starts in {} ms; the first transfer \
         to an account of {HOT_EVENTS} events takes {} ms; among cold accounts p50 {} ms, \
         p99 {} ms",
        started.as_millis(),
        millis(hot),
        millis(cold.value_at_quantile(0.5)),
        millis(cold.value_at_quantile(0.99)),
    ));
    // Once before it counts, so that the accounts are in memory as they are on the empty log.
    load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    for (spread, what) in [
        (Spread::Uniform, "10,000 of the"),
        (Spread::Wide, "right after a start, all"),
        (Spread::Wide, "later, all"),
    ] {
        if what.starts_with("later") {
            warm_up(&load).await?;
        }
        let before = Wal::settled(&database).await?;
        let driven = load.drive(spread, CALLERS, plan.time).await?;
        let since = Wal::settled(&database).await?.since(before);
        write!(wal, "; {what} 1,000,000 accounts {since}")?;
        let what = format!(
            "scale: {} million events, {what} 1,000,000 accounts ({} of the empty log)",
            events / 1_000_000,
            crate::report::ratio(driven.rate, empty.rate),
        );
        table.row(&what, driven.rate, &naive, Some(driven.latencies));
    }
    table.note(format!("scale: what each run wrote: {wal}"));
    load.engine.shutdown().await;
    Ok(())
}

/// Opens the accounts, makes one of them hot, and fills the log up.
async fn grow(database: &PgConnectOptions) -> anyhow::Result<()> {
    let load = Load::start(database.clone(), WIDE, true).await?;
    load.open().await?;
    let step = Duration::from_secs(1);
    let mut credits = 0;
    while credits < HOT_EVENTS {
        credits += load.drive(Spread::Hot, CALLERS, step).await?.transfers;
    }
    while load.engine.status().borrow().head.position < EVENTS {
        load.drive(Spread::Wide, CALLERS, step).await?;
    }
    load.engine.shutdown().await;
    Ok(())
}

/// An engine that knows nothing yet, and how long its start took.
async fn start(database: &PgConnectOptions) -> anyhow::Result<(Arc<Load>, Duration)> {
    let began = Instant::now();
    let load = Load::start(database.clone(), WIDE, true).await?;
    Ok((load, began.elapsed()))
}

/// Goes on until nearly all accounts are in memory, or the time is over: what a service that runs
/// for a day has, if its memory suffices.
async fn warm_up(load: &Arc<Load>) -> anyhow::Result<()> {
    let began = Instant::now();
    while load.engine.counts().cached() < WIDE / 100 * 98 && began.elapsed() < WARM_UP_MAX {
        load.drive(Spread::Wide, CALLERS, Duration::from_secs(1)).await?;
    }
    eprintln!("{} accounts in memory", load.engine.counts().cached());
    Ok(())
}

/// Latencies of single transfers between accounts that are not in memory.
async fn cold(load: &Load) -> anyhow::Result<Histogram<u64>> {
    let mut latencies = Histogram::new(3)?;
    let mut state = 7;
    for _ in 0..COLD {
        let (from, to) = pair(Spread::Wide, &mut state);
        latencies.record(load.transfer(from, to).await?)?;
    }
    Ok(latencies)
}
