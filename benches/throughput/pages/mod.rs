//! How long the service takes for each page of the wallet, among many people with a long log behind
//! them: people with a handful of movements, and people with tens of thousands.
//!
//! The database is filled by the real ways, in this process: people by their store, wallets by what
//! opens them at a sign-up, money by the engine, in batches and with the clock of ninety days. No
//! row of the log and none of the read models is copied in. Only hashing passwords is left out:
//! these people log in elsewhere.
//!
//! The pages are asked of a service in a process of its own, over one connection, one after the
//! other. What is counted is from the sending of a request until its last byte is here, so it is
//! the server's time and a little more.

mod fill;
mod look;
pub(crate) mod statement;

pub(crate) use fill::{SECRET, until_folded};

use anyhow::Context;
use projections::ReadModels;

use crate::{
    plan::Plan,
    report::{Table, percentiles},
    service::Service,
    stand::Stand,
};

/// The word that takes these.
pub(crate) const WORD: &str = "pages";
/// How many people there are, unless the word says how many (`pages:1000`).
const PEOPLE: u64 = 100_000;
/// How many events there are for each of them.
const EVENTS_EACH: u64 = 50;

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    let Some(people) = plan.scaled(WORD, PEOPLE) else { return Ok(()) };
    let (url, database) = stand.ledger_url().await?;
    let filled = fill::fill(&database, people, people * EVENTS_EACH).await?;
    // The child's projector folds what nobody has folded yet; its answers wait for that.
    let service = Service::start(&url).await?;
    let reads = ledger_api::db::read_pool(database.clone(), 4);
    let models = ReadModels::new(reads.clone());
    fill::until_folded(&models, filled.head).await?;
    stand.settle().await?;
    let lookers = look::Lookers::sign_in(&service.address, reads, &filled).await?;
    for (what, who) in [("short", &lookers.short), ("long", &lookers.long)] {
        let visits = look::pages(&models, who.first().context("nobody")?).await?;
        for visit in visits {
            let latencies = lookers.ask(&visit, who, plan.time).await?;
            let rate = latencies.len() / plan.time.as_secs().max(1);
            let what = format!("pages: {visit}, {what} history");
            table.row(&what, rate, &[], Some(percentiles(&latencies)));
        }
    }
    table.note(format!(
        "pages: {people} people, {} events; a long history has {} movements, a short one about {}",
        filled.head, filled.longest, filled.shortest
    ));
    Ok(())
}
