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
    let one = run(stand, Spread::Uniform, 1, plan.time).await?;
    row(table, "one process", Spread::Uniform, "projector off", one.rate());
    let two = run(stand, Spread::Uniform, 2, plan.time).await?;
    let part = format!("{} of one", ratio(two.rate(), one.rate()));
    row(table, "two processes", Spread::Uniform, &part, two.rate());
    let gap = two.longest_us();
    let two = run(stand, Spread::Hot, 2, plan.time).await?;
    let least = two.rates.iter().copied().min().unwrap_or(0);
    let share = format!("the slower one has {} of it", ratio(least, two.rate()));
    row(table, "two processes", Spread::Hot, &share, two.rate());
    let (stopped, other) = stop_one(stand).await?;
    table.note(format!(
        "pair: one of two stopped {STOPS} times for {} s under load: the longest time without an \
         answer of the other was {} ms ({} ms with nobody stopped); it made {} transfers and {} \
         calls without an answer, the stopped one {} and {}",
        STOPPED.as_secs(),
        millis(other.longest_us),
        millis(gap),
        other.transfers,
        other.errors,
        stopped.transfers,
        stopped.errors,
    ));
    Ok(())
}

fn row(table: &mut Table, who: &str, spread: Spread, remark: &str, rate: u64) {
    let what = format!("pair: {who} of {CALLERS} callers, {} ({remark})", spread.name());
    table.row(&what, rate, &[Yardstick::Naive(spread)], None);
}

/// What processes did that nobody disturbed.
struct Run {
    /// Transfers a second of each.
    rates: Vec<u64>,
    done: Vec<Done>,
}

impl Run {
    /// Of all.
    fn rate(&self) -> u64 {
        self.rates.iter().sum()
    }

    /// The longest time that one of them had no answer.
    fn longest_us(&self) -> u64 {
        self.done.iter().map(|done| done.longest_us).max().unwrap_or(0)
    }
}

async fn run(stand: &Stand, spread: Spread, count: usize, time: Duration) -> anyhow::Result<Run> {
    let (peers, _) = start(stand, spread, count, time).await?;
    let (mut rates, mut all) = (Vec::new(), Vec::new());
    for peer in peers {
        let done = peer.done().await?;
        anyhow::ensure!(done.errors == 0, "{} calls came to nothing", done.errors);
        rates.push(per_second(done.transfers, time));
        all.push(done);
    }
    Ok(Run { rates, done: all })
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
