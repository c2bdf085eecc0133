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

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How a run's load is spread over the accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    /// Over 10,000 accounts.
    Uniform,
    /// Every transfer credits one account.
    Hot,
}

impl Spread {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Hot => "hot",
        }
    }
}

/// Accounts of a run.
pub(crate) const ACCOUNTS: u64 = 10_000;

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`; a number is the seconds of each measurement, any other word a
    // part of the names of the measurements to take.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let seconds = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(5);
    let words = args.into_iter().filter(|arg| arg.parse::<u64>().is_err()).collect();
    let chosen = Chosen { words };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stand = Stand::open()?;
    let table = runtime.block_on(run(&stand, &chosen, Duration::from_secs(seconds)));
    // The server is stopped outside of the runtime, for stopping blocks.
    drop(runtime);
    drop(stand);
    println!("{}", table?);
    Ok(())
}

/// Which measurements to take.
struct Chosen {
    words: Vec<String>,
}

impl Chosen {
    /// All, unless words were given.
    fn has(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }
}

async fn run(stand: &Stand, chosen: &Chosen, time: Duration) -> anyhow::Result<Table> {
    let mut table = Table::new(stand.describe().await?);
    for spread in [Spread::Uniform, Spread::Hot] {
        if !chosen.has(&format!("naive {}", spread.name())) {
            continue;
        }
        let mut best = None;
        for connections in [8, 32] {
            let figure = naive::measure(stand, spread, connections, time).await?;
            best = best.max(Some((figure, connections)));
        }
        table.naive(spread, best);
    }
    if chosen.has("ceiling") {
        table.ceiling(ceiling::measure(stand, time).await?);
    }
    for spread in [Spread::Uniform, Spread::Hot] {
        for (callers, projector) in [(1_024, true), (1_024, false), (64, true), (1, true)] {
            let follower = if projector { "projector" } else { "alone" };
            if !chosen.has(&format!("engine {} {callers} {follower}", spread.name())) {
                continue;
            }
            let figure = engine::measure(stand, spread, callers, projector, time).await?;
            table.engine(spread, callers, projector, &figure);
        }
    }
    Ok(table)
}
