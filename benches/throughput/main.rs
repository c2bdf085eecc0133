//! `make bench`: transfers a second, ours beside the yardsticks, all in one run on one durable
//! PostgreSQL. Ratios of one run are what counts; absolute figures depend on the machine.
//!
//! *naive* is the classic SQL transfer: lock both balance rows in order, update them, insert a
//! transfer and two entries, commit. *stock* is cqrs-es with postgres-es as they come. *ceiling*
//! is the bare insert of the rows that Bahi writes. *noop* is the same HTTP server, envelope and
//! key, doing nothing.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a bench prints its table")]

mod banking;
mod books;
mod busy;
mod callers;
mod ceiling;
mod cores;
mod crash;
mod engine;
mod hot_shop;
mod instant_bank;
mod load;
mod memory;
mod naive;
mod over_http;
mod pages;
mod pair;
mod peer;
mod plan;
mod projector;
mod pulse;
mod rebuild;
mod report;
mod scale;
mod service;
mod single;
mod snapshot;
mod soak;
mod stand;
mod stock;
mod storage;
mod storm;
mod verifier;
mod wal;
mod whole;

use plan::Plan;
use report::{Table, Yardstick};
use stand::Stand;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The least seconds of a measurement that are worth half a minute of preparing the server.
const SEGMENTS_FROM: std::time::Duration = std::time::Duration::from_secs(5);

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

fn main() -> anyhow::Result<()> {
    // `cargo bench` passes `--bench`.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // What runs in processes of its own is this program again, with a word that nobody types.
    match &args[..] {
        [word, database] if word == service::WORD => {
            return runtime.block_on(service::serve(database));
        }
        [word, database] if word == whole::WORD => {
            return runtime.block_on(whole::serve(database));
        }
        [word, database, spread, millis] if word == peer::WORD => {
            return runtime.block_on(peer::drive(database, spread, millis));
        }
        [word, database] if word == verifier::WORD => {
            return runtime.block_on(verifier::verify(database));
        }
        _ => {}
    }
    let plan = Plan::new(&args);
    let stand = Stand::open()?;
    let table = runtime.block_on(run(&stand, &plan));
    // The server is stopped outside of the runtime, for stopping blocks.
    drop(runtime);
    drop(stand);
    let table = table?;
    println!("{table}");
    plan.place().map_or(Ok(()), |place| table.write(place))
}

async fn run(stand: &Stand, plan: &Plan) -> anyhow::Result<Table> {
    cores::undivide(&stand.pids().await?);
    if plan.time >= SEGMENTS_FROM {
        stand.make_segments().await?;
    }
    let mut table = Table::new(stand.describe().await?);
    yardsticks(stand, plan, &mut table).await?;
    single::rows(stand, plan, &mut table).await?;
    engine::rows(stand, plan, &mut table).await?;
    hot_shop::rows(stand, plan, &mut table).await?;
    projector::rows(stand, plan, &mut table).await?;
    rebuild::rows(stand, plan, &mut table).await?;
    verifier::rows(stand, plan, &mut table).await?;
    pair::rows(stand, plan, &mut table).await?;
    over_http::rows(stand, plan, &mut table).await?;
    banking::rows(stand, plan, &mut table).await?;
    storm::rows(stand, plan, &mut table).await?;
    scale::rows(stand, plan, &mut table).await?;
    // The long ones, which run only when they are named.
    soak::rows(stand, plan, &mut table).await?;
    snapshot::rows(stand, plan, &mut table).await?;
    crash::rows(stand, plan, &mut table).await?;
    pages::rows(stand, plan, &mut table).await?;
    pages::statement::rows(stand, plan, &mut table).await?;
    Ok(table)
}

async fn yardsticks(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
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
        let rate = ceiling::measure(stand, ceiling::BATCH, plan.time).await?.rate;
        table.yardstick(Yardstick::Ceiling, "ceiling: bare insert of our rows", rate);
    }
    Ok(())
}
