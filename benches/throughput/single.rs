//! One caller: how long it waits for a transfer, beside a bare durable insert of the same rows.

use crate::{
    ACCOUNTS, Plan, Spread,
    callers::Load,
    ceiling,
    report::{Table, percentiles, ratio},
    stand::{self, Stand},
};

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("single") {
        return Ok(());
    }
    let bare = ceiling::measure(stand, 1, plan.time).await?;
    let latencies = percentiles(&bare.latencies);
    table.row("single: bare insert of one transfer's rows", bare.rate, &[], Some(latencies));

    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let projecting = stand::project(database, &load.engine).await?;
    let driven = load.drive(Spread::Uniform, 1, plan.time).await?;
    load.engine.shutdown().await;
    projecting.stop(load.engine.status().borrow().head.position).await?;
    let times = ratio(driven.latencies[0], latencies[0]);
    let what = format!("single: engine, 1 caller, projector on (p50 {times} of the bare insert's)");
    table.row(&what, driven.rate, &[], Some(driven.latencies));
    Ok(())
}
