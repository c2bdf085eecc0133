//! What a rebuild of all read models costs the traffic beside it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use projections::RebuildReport;
use sqlx::{PgPool, postgres::PgConnectOptions};

use crate::{
    ACCOUNTS, Plan, Spread,
    callers::Load,
    report::{Table, Yardstick, ratio},
    stand::{self, Stand},
};

const CALLERS: u64 = 1_024;

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("rebuild") {
        return Ok(());
    }
    let naive = [Yardstick::Naive(Spread::Uniform)];
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let projecting = stand::project(database.clone(), &load.engine).await?;
    let alone = load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    let what = "rebuild: engine, uniform, 1024 callers, before it";
    table.row(what, alone.rate, &naive, Some(alone.latencies));

    let enough = Arc::new(AtomicBool::new(false));
    let rebuilding = tokio::spawn(again_and_again(database, Arc::clone(&enough)));
    let beside = load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    enough.store(true, Ordering::Relaxed);
    let done = rebuilding.await??;
    load.engine.shutdown().await;
    projecting.stop(load.engine.status().borrow().head.position).await?;
    let part = ratio(beside.rate, alone.rate);
    let what = format!("rebuild: engine, uniform, 1024 callers, beside it ({part} of before)");
    table.row(&what, beside.rate, &naive, Some(beside.latencies));
    let took: Duration = done.iter().map(|report| report.elapsed).sum();
    let events: u64 = done.iter().map(|report| report.position).sum();
    table.note(format!(
        "rebuild: {} of all read models beside that load, {events} events in {} ms in all",
        done.len(),
        took.as_millis(),
    ));
    Ok(())
}

/// One rebuild after another, so that the load is never without one; the last ends when it ends.
async fn again_and_again(
    database: PgConnectOptions,
    enough: Arc<AtomicBool>,
) -> anyhow::Result<Vec<RebuildReport>> {
    let pool = PgPool::connect_with(database).await?;
    let mut done = Vec::new();
    while !enough.load(Ordering::Relaxed) {
        done.push(projections::rebuild(&pool, None, |_, _| ()).await?);
    }
    pool.close().await;
    Ok(done)
}
