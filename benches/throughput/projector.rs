//! The projector alone: how fast it folds a log that was written while it was away.

use std::time::Instant;

use crate::{
    ACCOUNTS, Plan, Spread,
    callers::Load,
    naive::per_second,
    report::{Table, ratio},
    stand::{self, Stand},
};

const CALLERS: u64 = 1_024;

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("fold") {
        return Ok(());
    }
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let before = load.engine.status().borrow().head.position;
    let began = Instant::now();
    load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    let elapsed = began.elapsed();
    load.engine.shutdown().await;
    let head = load.engine.status().borrow().head.position;
    let appended = per_second(head - before, elapsed);

    let began = Instant::now();
    let projecting = stand::project(database, &load.engine).await?;
    projecting.stop(head).await?;
    let folded = per_second(head, began.elapsed());
    table.row("fold: events appended, 1024 callers, projector off", appended, &[], None);
    let part = ratio(folded, appended);
    let what = format!("fold: events folded by the projector alone ({part} of those appended)");
    table.row(&what, folded, &[], None);
    Ok(())
}
