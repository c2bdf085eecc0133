//! The way of an auditor: what caused a transaction, a name opened with a reason, a replay, and all
//! tables made anew.

use thirtyfour::By;

use super::{session::Browser, wallet::on_the_demo};
use crate::support::demo::{Demo, PASSWORD};

/// Counts the rebuilds on the page that found no difference.
const SAME: &str = "return [...document.querySelectorAll('section.run')].filter(run =>
    run.querySelector('h2').textContent.startsWith('Rebuild')
    && run.querySelector('.chip.done') && /^0 of [1-9]/.test(run.querySelector('strong').innerText)
).length";

impl Browser {
    /// Logs in at the auditors' desk, as the demo's auditor.
    pub(super) async fn audits(&self, demo: &Demo) {
        self.open(&format!("{}/audit/login", demo.address)).await;
        self.log_in_here("usha", PASSWORD).await;
        self.at("/audit").await;
    }

    /// Has the whole log replayed, and waits for what comes of it.
    pub(super) async fn replays(&self, demo: &Demo) {
        self.open(&format!("{}/audit/replay", demo.address)).await;
        let before = self.ended_replays().await.expect("the page of the replays");
        let asked = self.replays_asked().await.expect("the page of the replays");
        self.press("Replay from zero").await;
        // Loading the page again before the form has come through would call it back.
        self.until("the replay that was asked for", async || {
            (self.replays_asked().await? > asked).then_some(())
        })
        .await;
        self.until("the end of the replay", async || {
            self.driver.refresh().await.ok()?;
            (self.ended_replays().await? > before).then_some(())
        })
        .await;
    }

    /// How many replays the page shows.
    async fn replays_asked(&self) -> Option<usize> {
        Some(self.driver.source().await.ok()?.matches("Asked for by").count())
    }

    /// How many replays the page shows that found no difference.
    async fn ended_replays(&self) -> Option<usize> {
        Some(self.driver.source().await.ok()?.matches("<strong>0 of ").count())
    }

    /// How many rebuilds the page shows that found no difference; nothing between two pages.
    async fn same_rebuilds(&self) -> Option<u64> {
        self.driver.execute(SAME, Vec::new()).await.ok()?.json().as_u64()
    }
}

#[tokio::test]
async fn an_auditor_finds_the_cause_opens_a_name_with_a_reason_and_replays() {
    on_the_demo(async |browser, demo| {
        browser.without_scripts().await;
        browser.audits(demo).await;
        browser.sees("The books balance").await;
        browser.open(&format!("{}/audit/accounts?branch=wallet", demo.address)).await;
        browser.click(By::Css("#accounts td a")).await;
        browser.sees("a person ••••").await;
        browser.click(By::Css("a[href*='/audit/transactions/']")).await;
        browser.sees("What caused it").await;
        browser.sees("What banks told of it").await;
        browser.driver.back().await.unwrap();
        browser.sees("a person ••••").await;
        browser.click(By::Css(".opening summary")).await;
        browser.fill("Why", "Case 42 of the yearly audit").await;
        browser.click(By::Css(".opening form button")).await;
        browser.sees("Opened for this page alone").await;
        browser.check().await;
        browser.open(&format!("{}/audit/access", demo.address)).await;
        browser.sees("Case 42 of the yearly audit").await;
        browser.replays(demo).await;
        for closed in ["/app", "/ops/login", "/merchant/team"] {
            browser.open(&format!("{}{closed}", demo.address)).await;
            browser.sees("Log in").await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_auditor_has_all_tables_made_anew_and_watches_it_to_its_end() {
    on_the_demo(async |browser, demo| {
        browser.audits(demo).await;
        browser.open(&format!("{}/audit/replay", demo.address)).await;
        let before = browser.same_rebuilds().await.expect("the page of the replays");
        browser.press("Rebuild and compare").await;
        // The page is not loaded again by anybody: it follows the check itself.
        browser
            .until("the end of the rebuild", async || {
                (browser.same_rebuilds().await? > before).then_some(())
            })
            .await;
        browser.sees("rows differ").await;
        browser.sees("the same").await;
        let tables = "return [...document.querySelectorAll('section.run table tbody tr')].length";
        assert!(browser.ask(tables).await.as_u64().expect("a number") > 10, "table by table");
        browser.check().await;
        // It is named on the page of who looked at what, as every check that is asked for.
        browser.open(&format!("{}/audit/access", demo.address)).await;
        browser.sees("rebuild").await;
    })
    .await;
}
