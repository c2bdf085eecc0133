//! `make bench`: transfers a second, ours beside the yardsticks, all in one run on one durable
//! PostgreSQL. Ratios of one run are what counts; absolute figures depend on the machine.
//!
//! *naive* is the classic SQL transfer: lock both balance rows in order, update them, insert a
//! transfer and two entries, commit. *stock* is cqrs-es with postgres-es as they come. *ceiling*
//! is the bare insert of the rows that Bahi writes. *noop* is the same HTTP server, envelope and
//! key, doing nothing.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its table")]

mod callers;
mod ceiling;
mod engine;
mod load;
mod naive;
mod over_http;
mod report;
mod scale;
mod service;
mod stand;
mod stock;
mod storage;

use std::time::Duration;

use report::{Table, Yardstick};
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
    /// Over 1,000,000 accounts.
    Wide,
}

impl Spread {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Hot => "hot",
            Self::Wide => "wide",
        }
    }
}

/// Accounts of a run.
pub(crate) const ACCOUNTS: u64 = 10_000;
/// Accounts of a wide one.
pub(crate) const WIDE: u64 = 1_000_000;

/// Which measurements to take, and for how long.
pub(crate) struct Plan {
    words: Vec<String>,
    /// Of each measurement.
    pub(crate) time: Duration,
}

impl Plan {
    /// All, unless words were given. Says what it is about to measure.
    pub(crate) fn has(&self, name: &str) -> bool {
        let chosen =
            self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()));
        if chosen {
            eprintln!("measuring {name} …");
        }
        chosen
    }
}

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`; a number is the seconds of each measurement, any other word a
    // part of the names of the measurements to take.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let [word, database] = &args[..]
        && word == service::WORD
    {
        return runtime.block_on(service::serve(database));
    }
    let seconds = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(5);
    let words: Vec<String> = args.into_iter().filter(|arg| arg.parse::<u64>().is_err()).collect();
    let everything = words.is_empty();
    let plan = Plan { words, time: Duration::from_secs(seconds) };
    let stand = Stand::open()?;
    let table = runtime.block_on(run(&stand, &plan));
    // The server is stopped outside of the runtime, for stopping blocks.
    drop(runtime);
    drop(stand);
    let table = table?;
    println!("{table}");
    if everything { table.write() } else { Ok(()) }
}

async fn run(stand: &Stand, plan: &Plan) -> anyhow::Result<Table> {
    let mut table = Table::new(stand.describe().await?);
    for spread in [Spread::Uniform, Spread::Hot] {
        if plan.has(&format!("naive {}", spread.name())) {
            let mut best = (0, 0);
            for connections in [8, 32] {
                let rate = naive::measure(stand, spread, connections, plan.time).await?;
                best = best.max((rate, connections));
            }
            let what = format!("naive SQL, {}, {} connections", spread.name(), best.1);
            table.yardstick(Yardstick::Naive(spread), &what, best.0);
        }
        if plan.has(&format!("stock {}", spread.name())) {
            let rate = stock::measure(stand, spread, plan.time).await?;
            let what = format!("cqrs-es + postgres-es, {}, {} tasks", spread.name(), stock::TASKS);
            table.yardstick(Yardstick::Stock(spread), &what, rate);
        }
    }
    if plan.has("ceiling") {
        let rate = ceiling::measure(stand, plan.time).await?;
        table.yardstick(Yardstick::Ceiling, "ceiling: bare insert of our rows", rate);
    }
    engine::rows(stand, plan, &mut table).await?;
    over_http::rows(stand, plan, &mut table).await?;
    scale::rows(stand, plan, &mut table).await?;
    Ok(table)
}
