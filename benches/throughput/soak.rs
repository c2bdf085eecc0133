//! A long run at seven tenths of the maximum: does it stay as fast, and as small?

use crate::{
    Plan, Spread, books,
    load::{self, Ask, Loop},
    memory::Memory,
    report::{Table, Yardstick, millis, percentiles},
    service::Service,
    stand::Stand,
};

/// How many parts it has, after each of which the memory is looked at, and how many times as long
/// as another measurement each of them is: ten minutes in all, if those take ten seconds.
const PARTS: u32 = 10;
const PART_TIMES: u32 = 6;

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    if !plan.has("soak") {
        return Ok(());
    }
    let naive = [Yardstick::Naive(Spread::Uniform)];
    let (service, database) = Service::on_fresh_ledger(stand).await?;
    let most = load::measure(&service, Ask::Transfer, Loop::Closed, 256, plan.time).await?;
    let latencies = Some(percentiles(&most.latencies));
    table.row("soak: maximum over HTTP, 256 connections", most.rate, &naive, latencies);
    let rate = most.rate * 7 / 10;
    // The load takes a fifth of this on top to warm up.
    let part = plan.time * PART_TIMES * 5 / 6;
    let mut memory = vec![Memory::of(service.pid()).to_string()];
    let mut slowest = Vec::new();
    for number in 1..=PARTS {
        let load = load::measure(&service, Ask::Transfer, Loop::Open(rate), 256, part).await?;
        memory.push(Memory::of(service.pid()).to_string());
        let latencies = percentiles(&load.latencies);
        slowest.push(millis(latencies[1]));
        if number == 1 || number == PARTS {
            let what = format!("soak: open loop at {rate} a second, part {number} of {PARTS}");
            table.row(&what, load.rate, &naive, Some(latencies));
        }
    }
    drop(service);
    let report = books::verified(database).await?;
    table.note(format!(
        "soak: {PARTS} parts of {} s each. Memory of the service before and after each: {}; p99 \
         in each, in ms: {}; {} events verified, no finding",
        (part * 6 / 5).as_secs(),
        memory.join(", "),
        slowest.join(", "),
        report.events,
    ));
    Ok(())
}
