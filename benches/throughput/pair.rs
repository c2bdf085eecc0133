//! Two processes on one database: what they do together, how they share, and what one does when
//! the other is stopped in the middle of it.

use std::time::Duration;

use rustix::process::Signal;
use sqlx::postgres::PgConnectOptions;

use crate::{
    ACCOUNTS, Plan, Spread, books,
    callers::Load,
    naive::per_second,
    peer::{CALLERS, Done, Peer},
    report::{Table, Yardstick, millis, ratio},
    stand::Stand,
};

/// How often one of them is stopped.
const STOPS: u32 = 4;
/// For how long: longer than the other may stand still.
const STOPPED: Duration = Duration::from_secs(3);
/// How long both run in between.
const RUNNING: Duration = Duration::from_secs(1);

/// Takes the rows. No projector runs: there would be one, whichever process it is in.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("pair") {
        return Ok(());
    }
    let of = format!("of {CALLERS} callers");
    let uniform = [Yardstick::Naive(Spread::Uniform)];
    let one = rates(stand, Spread::Uniform, 1, plan.time).await?;
    let one: u64 = one.iter().sum();
    table.row(&format!("one process {of}, uniform, projector off"), one, &uniform, None);
    let two = rates(stand, Spread::Uniform, 2, plan.time).await?;
    let sum: u64 = two.iter().sum();
    let part = ratio(sum, one);
    table.row(&format!("two processes {of}, uniform ({part} of one)"), sum, &uniform, None);
    let two = rates(stand, Spread::Hot, 2, plan.time).await?;
    let (sum, least) = (two.iter().sum(), two.iter().copied().min().unwrap_or(0));
    let share = ratio(least, sum);
    let what = format!("two processes {of}, hot ({share} of it by the slower one)");
    table.row(&what, sum, &[Yardstick::Naive(Spread::Hot)], None);
    let (stopped, other) = stop_one(stand).await?;
    table.note(format!(
        "Two processes, one of them stopped {STOPS} times for {} s under load: the longest time \
         without an answer of the other was {} ms ({} transfers, {} calls without an answer; of \
         the stopped one {} and {})",
        STOPPED.as_secs(),
        millis(other.longest_us),
        other.transfers,
        other.errors,
        stopped.transfers,
        stopped.errors,
    ));
    Ok(())
}

/// Transfers a second of each of so many processes.
async fn rates(
    stand: &Stand,
    spread: Spread,
    count: usize,
    time: Duration,
) -> anyhow::Result<Vec<u64>> {
    let (peers, _) = start(stand, spread, count, time).await?;
    let mut rates = Vec::new();
    for peer in peers {
        let done = peer.done().await?;
        anyhow::ensure!(done.errors == 0, "{} calls came to nothing", done.errors);
        rates.push(per_second(done.transfers, time));
    }
    Ok(rates)
}

/// Processes that have just begun to transfer, on a fresh database with its accounts opened.
async fn start(
    stand: &Stand,
    spread: Spread,
    count: usize,
    time: Duration,
) -> anyhow::Result<(Vec<Peer>, PgConnectOptions)> {
    let (url, database) = stand.ledger_url().await?;
    let opening = Load::start(database.clone(), ACCOUNTS, true).await?;
    opening.open().await?;
    opening.engine.shutdown().await;
    let mut peers = Vec::new();
    for _ in 0..count {
        peers.push(Peer::start(&url, spread, time).await?);
    }
    for peer in &mut peers {
        peer.go().await?;
    }
    Ok((peers, database))
}

/// What the stopped one did, and what the other one did.
async fn stop_one(stand: &Stand) -> anyhow::Result<(Done, Done)> {
    let time = (STOPPED + RUNNING) * STOPS + RUNNING;
    let (mut peers, database) = start(stand, Spread::Uniform, 2, time).await?;
    let (Some(other), Some(stopped)) = (peers.pop(), peers.pop()) else {
        anyhow::bail!("there are two");
    };
    for _ in 0..STOPS {
        tokio::time::sleep(RUNNING).await;
        stopped.signal(Signal::STOP)?;
        tokio::time::sleep(STOPPED).await;
        stopped.signal(Signal::CONT)?;
    }
    let done = (stopped.done().await?, other.done().await?);
    books::verified(database).await?;
    Ok(done)
}
