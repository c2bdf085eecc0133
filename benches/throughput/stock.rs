//! The yardstick of the stack as it comes: cqrs-es and postgres-es, an account as aggregate, a
//! transfer as two commands (debit, then credit) that are not one transaction.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use cqrs_es::{Aggregate, AggregateError, DomainEvent, event_sink::EventSink};
use postgres_es::{PostgresCqrs, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;

use crate::{
    Spread,
    naive::{pair, per_second},
    stand::Stand,
};

/// Tasks at once, each with a connection.
pub(crate) const TASKS: u64 = 16;

/// The table that postgres-es asks for.
const SCHEMA: &str = "create table events (
    aggregate_type text not null, aggregate_id text not null,
    sequence bigint check (sequence >= 0) not null, event_type text not null,
    event_version text not null, payload json not null, metadata json not null,
    primary key (aggregate_type, aggregate_id, sequence))";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[derive(Debug)]
enum Command {
    Debit(i64),
    Credit(i64),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Event {
    Debited { amount: i64 },
    Credited { amount: i64 },
}

#[derive(Debug, thiserror::Error)]
#[error("never: the accounts have a credit line")]
struct Refused;

impl DomainEvent for Event {
    fn event_type(&self) -> String {
        match self {
            Self::Debited { .. } => "debited".to_owned(),
            Self::Credited { .. } => "credited".to_owned(),
        }
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Account {
    const TYPE: &'static str = "account";
    type Command = Command;
    type Event = Event;
    type Error = Refused;
    type Services = ();

    async fn handle(
        &mut self,
        command: Command,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), Refused> {
        let event = match command {
            Command::Debit(amount) => Event::Debited { amount },
            Command::Credit(amount) => Event::Credited { amount },
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: Event) {
        self.balance = match event {
            Event::Debited { amount } => self.balance.saturating_sub(amount),
            Event::Credited { amount } => self.balance.saturating_add(amount),
        };
    }
}

/// Transfers a second.
pub(crate) async fn measure(stand: &Stand, spread: Spread, time: Duration) -> anyhow::Result<u64> {
    let connections = u32::try_from(TASKS)?;
    let pool = PgPoolOptions::new().max_connections(connections);
    let pool = pool.connect_with(stand.empty().await?).await?;
    sqlx::query(SCHEMA).execute(&pool).await?;
    let framework = Arc::new(postgres_cqrs::<Account>(pool.clone(), Vec::new(), ()));
    let done = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let end = started + time;
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        let (framework, done) = (Arc::clone(&framework), Arc::clone(&done));
        tasks.push(tokio::spawn(run(framework, spread, task, end, done)));
    }
    for task in tasks {
        task.await??;
    }
    let rate = per_second(done.load(Ordering::Relaxed), started.elapsed());
    pool.close().await;
    Ok(rate)
}

async fn run(
    framework: Arc<PostgresCqrs<Account>>,
    spread: Spread,
    task: u64,
    end: Instant,
    done: Arc<AtomicU64>,
) -> anyhow::Result<()> {
    let mut state = task + 1;
    while Instant::now() < end {
        let (from, to) = pair(spread, &mut state);
        until_accepted(&framework, from, || Command::Debit(1)).await?;
        until_accepted(&framework, to, || Command::Credit(1)).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Sends a command again for as long as it loses to another one.
async fn until_accepted(
    framework: &PostgresCqrs<Account>,
    account: u64,
    command: impl Fn() -> Command,
) -> anyhow::Result<()> {
    let id = format!("wallet:w{account}:INR");
    loop {
        match framework.execute(&id, command()).await {
            Err(AggregateError::AggregateConflict) => {}
            other => return Ok(other?),
        }
    }
}
