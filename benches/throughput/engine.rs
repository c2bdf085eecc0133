//! The engine in process: so many callers in a closed loop, each with one transfer under way.
//! Every transfer has a key; limits, hashes and everything else are on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use ledger_core::{
    chart::{AccountType, Authority, Direction, PostingClass},
    clock::{Ids, System},
    command::{Command, Idempotency, OpenAccount, Operation, Outcome},
    engine::{Engine, EngineConfig},
    ids::{AccountId, RequestId, TransactionId},
    money::{Currency, Money},
    posting::{Posting, PostingLeg},
};

use crate::{
    ACCOUNTS, Plan, Spread,
    naive::{pair, per_second},
    report::{Latencies, Table, Yardstick},
    stand::Stand,
    storage::{self, Storage},
};

/// What a run came to.
struct Figure {
    /// Transfers a second.
    rate: u64,
    latencies: Latencies,
    /// How long the projector, if it ran, needed to see the last event, in milliseconds.
    lag_ms: Option<u64>,
    storage: Storage,
}

/// How a run is made.
#[derive(Clone, Copy)]
struct Run {
    spread: Spread,
    callers: u64,
    projector: bool,
    /// Whether the callers' keys come in order (UUIDv7) or at random (v4).
    ordered: bool,
}

impl Run {
    fn name(self) -> String {
        let Self { spread, callers, projector, ordered } = self;
        let projector = if projector { "on" } else { "off" };
        let keys = if ordered { "" } else { ", random keys" };
        format!("engine, {}, {callers} callers, projector {projector}{keys}", spread.name())
    }
}

struct Load {
    engine: Engine,
    accounts: Vec<AccountId>,
    currency: Currency,
    ordered: bool,
}

/// The currency of all accounts.
pub(crate) fn currency() -> anyhow::Result<Currency> {
    Ok(Currency { code: "INR".parse()?, scale: 2 })
}

/// Takes the rows of the engine in process.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    for spread in [Spread::Uniform, Spread::Hot] {
        let run = |callers, projector| Run { spread, callers, projector, ordered: true };
        let mut runs = vec![run(1_024, true), run(1_024, false), run(64, true), run(1, true)];
        if spread == Spread::Uniform {
            runs.push(Run { ordered: false, ..run(1_024, false) });
        }
        for run in runs {
            let name = run.name();
            if !plan.has(&name) {
                continue;
            }
            let figure = measure(stand, run, plan.time).await?;
            let lag = figure.lag_ms.map_or_else(String::new, |ms| format!(" (lag {ms} ms)"));
            let against = [Yardstick::Naive(spread), Yardstick::Stock(spread), Yardstick::Ceiling];
            table.row(&format!("{name}{lag}"), figure.rate, &against, Some(figure.latencies));
            if !run.projector {
                table.note(format!("{name}: {}", figure.storage));
            }
        }
    }
    Ok(())
}

async fn measure(stand: &Stand, run: Run, time: Duration) -> anyhow::Result<Figure> {
    let Run { spread, callers, projector, ordered } = run;
    let database = stand.ledger().await?;
    let engine = Engine::start(EngineConfig::new(database.clone())).await?;
    let currency = currency()?;
    let accounts = open(&engine, currency).await?;
    let load = Arc::new(Load { engine, accounts, currency, ordered });
    let before = storage::sizes(&database).await?;
    let projecting = if projector {
        Some(crate::stand::project(database.clone(), &load.engine).await?)
    } else {
        None
    };
    let started = Instant::now();
    let end = started + time;
    let mut tasks = Vec::new();
    for caller in 0..callers {
        tasks.push(tokio::spawn(call(Arc::clone(&load), spread, caller, end)));
    }
    let mut latencies = Histogram::<u64>::new(3)?;
    let mut count = 0;
    for task in tasks {
        for latency in task.await?? {
            latencies.record(latency)?;
            count += 1;
        }
    }
    let rate = per_second(count, started.elapsed());
    load.engine.shutdown().await;
    let head = load.engine.status().borrow().head.position;
    let lag_ms = match projecting {
        Some(projecting) => Some(u64::try_from(projecting.stop(head).await?.as_millis())?),
        None => None,
    };
    let storage = Storage::between(&before, &storage::sizes(&database).await?, count)?;
    let at = |percentile: f64| latencies.value_at_quantile(percentile);
    Ok(Figure { rate, latencies: [at(0.5), at(0.99), at(0.999)], lag_ms, storage })
}

/// Opens the accounts of a load.
pub(crate) async fn open(engine: &Engine, currency: Currency) -> anyhow::Result<Vec<AccountId>> {
    let mut accounts = Vec::new();
    for n in 0..ACCOUNTS {
        accounts.push(format!("wallet:w{n}:INR").parse()?);
    }
    for part in accounts.chunks(1_000) {
        let commands = part.iter().map(|account: &AccountId| {
            let operation = Operation::OpenAccount(OpenAccount {
                account: account.clone(),
                currency,
                owner: "bench".parse().expect("well-formed"),
                account_type: AccountType::Liability,
                class: PostingClass::Open,
                itemised: false,
                // A credit line that no run exhausts: refusals are cheaper than transfers.
                floor: Some(rust_decimal::Decimal::new(-1_000_000_000_000, 2)),
                ceiling: None,
                metadata: std::collections::BTreeMap::new(),
            });
            command(operation, true)
        });
        for answer in engine.submit_all(commands.collect()).await? {
            anyhow::ensure!(matches!(answer?.outcome, Outcome::Accepted(_)));
        }
    }
    Ok(accounts)
}

fn command(operation: Operation, ordered: bool) -> Command {
    let key = if ordered { System.fresh() } else { uuid::Uuid::new_v4() };
    Command {
        principal: "bench".parse().expect("well-formed"),
        idempotency: Some(Idempotency {
            key: key.to_string().parse().expect("well-formed"),
            fingerprint: [7; 32],
        }),
        request: RequestId::from_uuid(System.fresh()),
        authority: Authority::of(&[PostingClass::Open]),
        approval: None,
        operation,
    }
}

/// The latencies of one caller's transfers, in microseconds.
async fn call(
    load: Arc<Load>,
    spread: Spread,
    caller: u64,
    end: Instant,
) -> anyhow::Result<Vec<u64>> {
    let mut state = caller + 1;
    let mut latencies = Vec::new();
    let amount = Money::parse("1.00", load.currency)?;
    while Instant::now() < end {
        let (from, to) = pair(spread, &mut state);
        let leg = |direction, account: u64| -> anyhow::Result<PostingLeg> {
            let account = load.accounts[usize::try_from(account)?].clone();
            Ok(PostingLeg { account, direction, amount, item: None })
        };
        let posting = Posting {
            transaction_id: TransactionId::from_uuid(System.fresh()),
            kind: "transfer".parse()?,
            legs: vec![leg(Direction::Debit, from)?, leg(Direction::Credit, to)?],
            effective_on: None,
            value_date: None,
            conditions: Vec::new(),
            note: None,
        };
        let sent = Instant::now();
        let answer =
            load.engine.submit(command(Operation::Post(vec![posting]), load.ordered)).await?;
        anyhow::ensure!(matches!(answer.outcome, Outcome::Accepted(_)), "a transfer was refused");
        latencies.push(u64::try_from(sent.elapsed().as_micros())?);
    }
    Ok(latencies)
}
