//! PostgreSQL is killed under full load and started again: how long until transfers are accepted.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    ACCOUNTS, Plan, Spread, books,
    callers::Load,
    pulse::{Calling, Pulse},
    report::{Table, millis},
    stand::{self, Stand},
};

const CALLERS: u64 = 1_024;
/// How many times as long as another measurement the log is filled before.
const FILLED_TIMES: u32 = 6;
/// Transfers that show that it goes on.
const ENOUGH: u64 = 10_000;
/// After which nobody waits any longer.
const PATIENCE: Duration = Duration::from_secs(600);
const LOOK: Duration = Duration::from_millis(5);

/// Takes the note.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("crash") {
        return Ok(());
    }
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let projecting = stand::project(database.clone(), &load.engine).await?;
    load.drive(Spread::Uniform, CALLERS, plan.time * FILLED_TIMES).await?;
    let end = Instant::now() + PATIENCE;
    let calling = Calling::start(&load, Spread::Uniform, CALLERS, end);
    let pulse = Arc::clone(&calling.pulse);
    reaches(&pulse, ENOUGH).await?;
    let events = load.engine.status().borrow().head.position;

    let killed = Instant::now();
    stand.kill()?;
    while stand.is_up() {
        tokio::time::sleep(LOOK).await;
    }
    stand.bring_back()?;
    let up = killed.elapsed();
    reaches(&pulse, pulse.answers() + ENOUGH).await?;
    calling.stop();
    let pulse = calling.ended().await?;
    load.engine.shutdown().await;
    projecting.stop(load.engine.status().borrow().head.position).await?;
    let report = books::verified(database).await?;
    table.note(format!(
        "crash: PostgreSQL killed under full load, {events} events in the log, and started again \
         at once: it was up after {} ms, the longest time without a transfer was {} ms; {} calls \
         came to nothing meanwhile; {} events verified, no finding",
        up.as_millis(),
        millis(pulse.longest_us()),
        pulse.errors(),
        report.events,
    ));
    Ok(())
}

/// Waits until there were so many answers.
async fn reaches(pulse: &Pulse, answers: u64) -> anyhow::Result<()> {
    let began = Instant::now();
    while pulse.answers() < answers {
        anyhow::ensure!(began.elapsed() < PATIENCE, "transfers are not accepted any more");
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
