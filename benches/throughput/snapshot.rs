//! What it costs if somebody (a backup) holds a snapshot of the whole database for long.

use sqlx::{Connection, PgConnection};

use crate::{
    ACCOUNTS, Plan, Spread,
    callers::Load,
    report::{Table, Yardstick, ratio},
    stand::{self, Stand},
};

const CALLERS: u64 = 1_024;
/// For how many times as long as another measurement it is held: two minutes, if those take ten
/// seconds.
const HELD_TIMES: u32 = 12;

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("snapshot") {
        return Ok(());
    }
    let naive = [Yardstick::Naive(Spread::Uniform)];
    let database = stand.ledger().await?;
    let load = Load::start(database.clone(), ACCOUNTS, true).await?;
    load.open().await?;
    let projecting = stand::project(database.clone(), &load.engine).await?;
    let before = load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    table.row("snapshot: before it is taken", before.rate, &naive, Some(before.latencies));

    let mut holder = PgConnection::connect_with(&database).await?;
    sqlx::query("begin transaction isolation level repeatable read").execute(&mut holder).await?;
    sqlx::query("select 1 from events limit 1").execute(&mut holder).await?;
    load.drive(Spread::Uniform, CALLERS, plan.time * (HELD_TIMES - 1)).await?;
    let held = load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    sqlx::query("commit").execute(&mut holder).await?;
    holder.close().await?;
    let seconds = (plan.time * HELD_TIMES).as_secs();
    let part = ratio(held.rate, before.rate);
    let what = format!("snapshot: held for {seconds} s, the end of it ({part} of before)");
    table.row(&what, held.rate, &naive, Some(held.latencies));

    // The log has grown meanwhile: what that costs without the snapshot.
    let after = load.drive(Spread::Uniform, CALLERS, plan.time).await?;
    let part = ratio(after.rate, before.rate);
    let what = format!("snapshot: after it was let go ({part} of before)");
    table.row(&what, after.rate, &naive, Some(after.latencies));
    load.engine.shutdown().await;
    projecting.stop(load.engine.status().borrow().head.position).await?;
    Ok(())
}
