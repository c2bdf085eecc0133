//! The way of an auditor: what caused a transaction, a name opened with a reason, a replay.

use thirtyfour::By;

use super::{session::Browser, wallet::on_the_demo};
use crate::support::demo::{Demo, PASSWORD};

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
