//! What it takes to prepare a statement of as many lines as there may be: somebody's wallet with so
//! many movements, asked for as a program asks, of a service in a process of its own. What is
//! counted is from the asking until it can be had, and the most memory that the service has
//! meanwhile.

use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{TimeDelta, Utc};
use hdrhistogram::Histogram;
use ledger_api::sessions::{Audience, Sessions};
use ledger_core::clock::System;
use projections::ReadModels;
use reqwest::{Client, RequestBuilder, header};
use serde_json::{Value, json};

use super::fill;
use crate::{
    memory::{Memory, Watch},
    plan::Plan,
    report::{Table, percentiles},
    service::Service,
    stand::Stand,
};

/// The word that takes these.
pub(crate) const WORD: &str = "statement";
/// How many lines it has, as many as there may be, unless the word says (`statement:1000`).
const LINES: u64 = 50_000;
/// How often it is made in each form: by turns, for the same again is the same file.
const TIMES: usize = 3;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long one may take.
const MADE_WITHIN: Duration = Duration::from_secs(300);

/// Takes the rows.
pub(crate) async fn rows(stand: &Stand, plan: &Plan, table: &mut Table) -> anyhow::Result<()> {
    let Some(lines) = plan.scaled(WORD, LINES) else { return Ok(()) };
    let (url, database) = stand.ledger_url().await?;
    let (person, head) = fill::one_long(&database, lines).await?;
    let service = Service::start(&url).await?;
    let reads = ledger_api::db::read_pool(database, 4);
    fill::until_folded(&ReadModels::new(reads.clone()), head).await?;
    stand.settle().await?;
    let sessions = Sessions::new(reads, std::sync::Arc::new(System));
    let (token, _) = sessions.begin(person, Audience::Wallet, "bench").await?;
    let asker = Asker::of(&service.address, &token.reveal()).await?;
    let before = Memory::of(service.pid());
    let forms = ["csv", "pdf"];
    let mut made = forms.map(|form| (form, Vec::new()));
    for _ in 0..TIMES {
        for (form, takes) in &mut made {
            let watch = Watch::start(service.pid());
            let (took, bytes) = asker.prepare(form, lines).await?;
            takes.push((took, bytes, watch.most().await?));
        }
    }
    for (form, takes) in made {
        let mut latencies = Histogram::<u64>::new(3)?;
        for (took, _, _) in &takes {
            latencies.record(u64::try_from(took.as_micros())?)?;
        }
        let mean = takes.iter().map(|(took, _, _)| took.as_micros()).sum::<u128>()
            / u128::try_from(takes.len())?;
        let rate = u128::from(lines) * 1_000_000 / mean.max(1);
        let what = format!("statement: {lines} lines as {form}, prepared; lines a second");
        table.row(&what, u64::try_from(rate)?, &[], Some(percentiles(&latencies)));
        let most = takes.iter().map(|(_, _, most)| *most).max().context("none was made")?;
        let bytes = takes.first().context("none was made")?.1;
        table.note(format!(
            "statement: as {form} a file of {} kB; the service has {before} before and {most} at \
             most",
            bytes / 1_024
        ));
    }
    Ok(())
}

/// Somebody who is signed in, as their browser's scripts ask.
struct Asker {
    client: Client,
    address: String,
    cookie: String,
    csrf: String,
}

impl Asker {
    async fn of(address: &str, token: &str) -> anyhow::Result<Self> {
        let mut asker = Self {
            client: Client::builder().no_proxy().build()?,
            address: format!("http://{address}"),
            cookie: format!("__Host-bahi_session={token}"),
            csrf: String::new(),
        };
        let session = asker.get("/v1/sessions/current").send().await?.error_for_status()?;
        let session: Value = session.json().await?;
        let csrf = session["session"]["csrf_token"].as_str().context("a token")?;
        csrf.clone_into(&mut asker.csrf);
        Ok(asker)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.address)).header(header::COOKIE, &self.cookie)
    }

    /// How long it took until the file could be had, and how long the file is.
    async fn prepare(&self, form: &str, lines: u64) -> anyhow::Result<(Duration, usize)> {
        let today = Utc::now().date_naive();
        let from = today - TimeDelta::days(fill::LONG_DAYS + 2);
        let body = json!({"from": from, "to": today + TimeDelta::days(1), "format": form});
        let started = Instant::now();
        let asked = self.client.post(format!("{}/v1/statement-files", self.address));
        let asked = asked.header(header::COOKIE, &self.cookie).header("x-csrf-token", &self.csrf);
        let asked = asked.header(header::ORIGIN, &self.address).json(&body).send().await?;
        let said: Value = asked.json().await?;
        let id = said["id"].as_str().with_context(|| said.to_string())?.to_owned();
        loop {
            let file = self.get(&format!("/v1/statement-files/{id}")).send().await?;
            let file: Value = file.error_for_status()?.json().await?;
            match file["state"].as_str() {
                Some("ready") => {
                    anyhow::ensure!(file["lines_of"] == lines, "{file}");
                    break;
                }
                Some("waiting" | "making") if started.elapsed() < MADE_WITHIN => {}
                _ => anyhow::bail!("not made: {file}"),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let took = started.elapsed();
        let content = self.get(&format!("/v1/statement-files/{id}/content")).send().await?;
        Ok((took, content.error_for_status()?.bytes().await?.len()))
    }
}
