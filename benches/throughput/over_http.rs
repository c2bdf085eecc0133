//! The rows over HTTP.

use crate::{
    Plan, Spread, books,
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
    let noop = load::measure(&service, nothing, Loop::Closed, 64, plan.time).await?;
    table.yardstick(Yardstick::Noop, "noop over HTTP, 64 connections", noop.rate);
    let mut most = 0;
    for connections in [64, 256] {
        let load = load::measure(&service, Ask::Transfer, Loop::Closed, connections, plan.time);
        let load = load.await?;
        most = most.max(load.rate);
        let what = format!("Bahi over HTTP, {connections} connections");
        add(table, &what, &load, &[naive, Yardstick::Noop]);
    }
    let half = most / 2;
    let load = load::measure(&service, Ask::Transfer, Loop::Open(half), 256, plan.time).await?;
    add(table, &format!("Bahi over HTTP, open loop at {half} a second"), &load, &[naive]);
    let load = load::measure(&service, Ask::Bulk(100), Loop::Closed, 16, plan.time).await?;
    add(table, "Bahi over HTTP, bulk of 100, 16 connections", &load, &[naive]);

    // The service ends, its projector having seen everything.
    drop(service);
    let report = books::verified(database).await?;
    table.note(format!(
        "After the load over HTTP: {} events and {} transactions verified, no finding",
        report.events, report.transactions
    ));
    Ok(())
}

fn add(table: &mut Table, what: &str, load: &Asked, against: &[Yardstick]) {
    table.row(what, load.rate, against, Some(percentiles(&load.latencies)));
}
