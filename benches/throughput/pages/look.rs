//! People who look at their pages.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use hdrhistogram::Histogram;
use ledger_api::{
    people::PersonId,
    sessions::{Audience, Sessions},
};
use ledger_core::clock::System;
use projections::{ActivityFilter, ReadModels};
use reqwest::{Client, header::COOKIE};
use sqlx::PgPool;

use super::fill::Filled;

/// How many requests come before those that count: caches fill, plans are made.
const WARM_UP: usize = 20;

/// Where the pages of single movements are.
const ONE: &str = "/app/activity/";
/// Pages for those who are not signed in: others are led on from there.
const STRANGERS: [&str; 2] = ["/", "/login"];

/// Somebody who is signed in.
pub(super) struct Looker {
    person: PersonId,
    cookie: String,
}

/// A page, with what is special of the visit.
pub(super) struct Visit {
    what: &'static str,
    path: String,
}

impl fmt::Display for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

/// Everybody who looks.
pub(super) struct Lookers {
    client: Client,
    address: String,
    /// People with a short history.
    pub(super) short: Vec<Looker>,
    /// People with a long one.
    pub(super) long: Vec<Looker>,
}

impl Lookers {
    /// Begins sessions.
    pub(super) async fn sign_in(
        address: &str,
        pool: PgPool,
        filled: &Filled,
    ) -> anyhow::Result<Self> {
        let sessions = Sessions::new(pool, Arc::new(System));
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for (people, lookers) in [(&filled.short, &mut short), (&filled.long, &mut long)] {
            for person in people {
                let (token, _) = sessions.begin(*person, Audience::Wallet, "bench").await?;
                let cookie = format!("__Host-bahi_session={}", token.reveal());
                lookers.push(Looker { person: *person, cookie });
            }
        }
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, address: address.to_owned(), short, long })
    }

    /// Asks for a page for so long, as one after the other of some people.
    pub(super) async fn ask(
        &self,
        visit: &Visit,
        who: &[Looker],
        time: Duration,
    ) -> anyhow::Result<Histogram<u64>> {
        let mut latencies = Histogram::new(3)?;
        // One movement is of one person.
        let who = if visit.path.starts_with(ONE) { &who[..1] } else { who };
        let mut turn = who.iter().cycle();
        for looker in turn.by_ref().take(WARM_UP) {
            self.once(visit, looker).await?;
        }
        let end = Instant::now() + time;
        for looker in turn {
            if Instant::now() >= end {
                break;
            }
            latencies.record(self.once(visit, looker).await?)?;
        }
        Ok(latencies)
    }

    /// How long it took, in microseconds.
    async fn once(&self, visit: &Visit, looker: &Looker) -> anyhow::Result<u64> {
        let address = format!("http://{}{}", self.address, visit.path);
        let mut request = self.client.get(address);
        if !STRANGERS.contains(&visit.path.as_str()) {
            request = request.header(COOKIE, &looker.cookie);
        }
        let sent = Instant::now();
        let answer = request.header("accept", "text/html").send().await?;
        let status = answer.status();
        let text = answer.bytes().await?;
        let took = sent.elapsed();
        anyhow::ensure!(status.is_success() && !text.is_empty(), "{status} of {}", visit.path);
        Ok(u64::try_from(took.as_micros())?)
    }
}

/// All pages; one movement is one of this person's.
pub(super) async fn pages(models: &ReadModels, of: &Looker) -> anyhow::Result<Vec<Visit>> {
    let wallet = of.person.wallet()?;
    let filter = ActivityFilter::default();
    let page = models.activity(&wallet, &filter, None, 1).await?;
    let last = page.rows.first().map(|row| row.object.as_str()).unwrap_or_default();
    let this_month = Utc::now().format("%Y-%m");
    let visit = |what, path: &str| Visit { what, path: path.to_owned() };
    Ok(vec![
        visit("landing", "/"),
        visit("log in", "/login"),
        visit("home", "/app"),
        visit("home, 90 days", "/app?days=90"),
        visit("activity", "/app/activity"),
        visit("activity with balances", "/app/activity?balance=1"),
        visit("activity, nothing matches", "/app/activity?status=failed"),
        visit("activity, no such amount", "/app/activity?min=9999999"),
        visit("activity, an id", "/app/activity?q=HDFC0000000001"),
        visit("one movement", &format!("{ONE}{last}")),
        visit("add money", "/app/move?tab=add"),
        visit("send", "/app/move?tab=send"),
        visit("withdraw", "/app/move?tab=withdraw"),
        visit("receive", "/app/receive"),
        visit("statements", "/app/statements"),
        visit("statement of a month", &format!("/app/statements?month={this_month}")),
        visit("bank accounts", "/app/banks"),
        visit("security", "/app/security"),
        visit("settings", "/app/settings"),
        visit("confirm it is you", "/verify"),
    ])
}
