//! At the operators' desk: an unknown withdrawal, resolved with evidence and a colleague's word.

use thirtyfour::By;

use super::{session::Browser, wallet::on_the_demo};
use crate::support::demo::{Demo, PASSWORD};

const EVIDENCE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

impl Browser {
    /// Somebody comes to the desk with a fresh browser.
    async fn at_the_desk(&self, demo: &Demo, login: &str) {
        self.open(&format!("{}/ops/login", demo.address)).await;
        self.driver.delete_all_cookies().await.unwrap();
        self.open(&format!("{}/ops/login", demo.address)).await;
        self.log_in_here(login, PASSWORD).await;
        self.at("/ops").await;
        self.sees("Next deadline").await;
    }

    /// Says in the form with this button what is to be said.
    async fn fill_beside(&self, button: &str, name: &str, text: &str) {
        let path = format!("//form[.//button[contains(., \"{button}\")]]//input[@name=\"{name}\"]");
        self.find(By::XPath(path)).await.send_keys(text).await.unwrap();
    }
}

#[tokio::test]
async fn an_operator_resolves_an_unknown_withdrawal_with_a_colleagues_approval() {
    on_the_demo(async |browser, demo| {
        browser.log_in(demo, "lakshmi", PASSWORD).await;
        browser.open(&format!("{}/app/move?tab=withdraw", demo.address)).await;
        browser.fill("Amount", "5000.14").await;
        browser.press("Continue").await;
        browser.press("Withdraw ₹5,000.14").await;
        browser.at("/app/activity/").await;
        let url = browser.url().await;
        let id = url.rsplit('/').next().unwrap().to_owned();
        browser.sees("Bank hasn’t confirmed").await;

        browser.at_the_desk(demo, "omar").await;
        browser.open(&format!("{}/ops/withdrawals?tab=unknown", demo.address)).await;
        // The keys go through the rows, and Enter opens one.
        browser.find(By::Css("body")).await.send_keys("j").await.unwrap();
        browser.sees(&id).await;
        browser.open(&format!("{}/ops/withdrawals/{id}", demo.address)).await;
        let retry = "return [...document.querySelectorAll('main button')]
            .filter(b => /again|retry|resend/i.test(b.textContent)).length";
        assert_eq!(browser.ask(retry).await, 0, "nobody can send it again");
        for (name, text) in [
            ("bank_reference", "LETTER-7"),
            ("reason", "Letter of the bank"),
            ("evidence_sha256", EVIDENCE),
        ] {
            browser.fill_beside("Propose: paid", name, text).await;
        }
        browser.press("Propose: paid").await;
        browser.sees("You said so; somebody else has to approve it.").await;
        browser.check().await;

        browser.at_the_desk(demo, "tara").await;
        browser.open(&format!("{}/ops/approvals", demo.address)).await;
        browser.click(By::PartialLinkText(&id)).await;
        browser.at("/ops/withdrawals/wd_").await;
        browser.press("Approve").await;
        browser.sees("LETTER-7").await;
        browser.sees("Done").await;
        browser.check().await;
    })
    .await;
}
