//! `make bench`: transfers a second, ours beside the yardsticks, all in one run on one durable
//! PostgreSQL. Ratios of one run are what counts; absolute figures depend on the machine.
//!
//! *naive* is the classic SQL transfer: lock both balance rows in order, update them, insert a
//! transfer and two entries, commit. *ceiling* is the bare insert of the rows that Bahi writes.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod ceiling;
mod engine;
mod naive;
mod report;
mod stand;

use std::time::Duration;

use report::Table;
use stand::Stand;

/// How a run's load is spread over the accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Over 10,000 accounts.
    Uniform,
    /// Every transfer credits one account.
    Hot,
}

/// Accounts of a run.
pub(crate) const ACCOUNTS: u64 = 10_000;

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`; a number is the seconds of each measurement.
    let seconds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stand = Stand::open()?;
    let table = runtime.block_on(run(&stand, Duration::from_secs(seconds)));
    // The server is stopped outside of the runtime, for stopping blocks.
    drop(runtime);
    drop(stand);
    println!("{}", table?);
    Ok(())
}

async fn run(stand: &Stand, time: Duration) -> anyhow::Result<Table> {
    let mut table = Table::new(stand.describe().await?);
    for spread in [Spread::Uniform, Spread::Hot] {
        let mut best = None;
        for connections in [8, 32] {
            let figure = naive::measure(stand, spread, connections, time).await?;
            best = best.max(Some((figure, connections)));
        }
        table.naive(spread, best);
    }
    let ceiling = ceiling::measure(stand, time).await?;
    table.ceiling(ceiling);
    for spread in [Spread::Uniform, Spread::Hot] {
        for (callers, projector) in [(1_024, true), (1_024, false), (64, true), (1, true)] {
            let figure = engine::measure(stand, spread, callers, projector, time).await?;
            table.engine(spread, callers, projector, &figure);
        }
    }
    Ok(table)
}
