//! The rows over HTTP.

use std::sync::Arc;

use crate::{
    Plan, Spread, books,
    busy::Spending,
    load::{self, Ask, Asked, Loop},
    report::{Table, Yardstick, percentiles},
    service::Service,
    stand::Stand,
};

/// Takes them, and has the books verified at the end.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("http") {
        return Ok(());
    }
    let (service, database) = Service::on_fresh_ledger(stand).await?;
    let naive = Yardstick::Naive(Spread::Uniform);
    let length = load::answer_length(&service).await?;

    let nothing = Ask::Nothing(length);
    let spending = of(stand, &service).await?;
    let noop = load::measure(&service, nothing, Loop::Closed, 64, plan.time).await?;
    let what = "noop over HTTP, 64 connections";
    table.yardstick(Yardstick::Noop, what, noop.rate);
    table.note(format!("{what}: {}", spending.each(noop.rate).await?));
    let mut most = 0;
    for connections in [64, 256, 1_024] {
        let spending = of(stand, &service).await?;
        let load = load::measure(&service, Ask::Transfer, Loop::Closed, connections, plan.time);
        let load = load.await?;
        most = most.max(load.rate);
        let what = format!("Bahi over HTTP, {connections} connections");
        add(table, &what, &load, &[naive, Yardstick::Noop]);
        table.note(format!("{what}: {}", spending.each(load.rate).await?));
    }
    let half = most / 2;
    let spending = of(stand, &service).await?;
    let load = load::measure(&service, Ask::Transfer, Loop::Open(half), 256, plan.time).await?;
    let what = format!("Bahi over HTTP, open loop at {half} a second");
    add(table, &what, &load, &[naive]);
    table.note(format!("{what}: {}", spending.each(load.rate).await?));
    let spending = of(stand, &service).await?;
    let load = load::measure(&service, Ask::Bulk(100), Loop::Closed, 16, plan.time).await?;
    let what = "Bahi over HTTP, bulk of 100, 16 connections";
    add(table, what, &load, &[naive]);
    table.note(format!("{what}: {}", spending.each(load.rate).await?));

    // The service ends, its projector having seen everything.
    drop(service);
    let report = books::verified(database).await?;
    table.note(format!(
        "After the load over HTTP: {} events and {} transactions verified, no finding",
        report.events, report.transactions
    ));
    Ok(())
}

/// What database, service and load generator spend.
async fn of<'s>(stand: &'s Stand, service: &Arc<Service>) -> anyhow::Result<Spending<'s>> {
    Spending::start(stand, &[("service", service.pid()), ("load", std::process::id())]).await
}

fn add(table: &mut Table, what: &str, load: &Asked, against: &[Yardstick]) {
    table.row(what, load.rate, against, Some(percentiles(&load.latencies)));
}
