//! What a stranger does with the wallet, from signing up to taking the money out.

use serde_json::Value;
use thirtyfour::By;

use super::session::{Browser, browse};
use crate::support::demo::Demo;

/// A password of somebody new.
pub(super) const PASSWORD: &str = "a sentence of four words";

impl Browser {
    /// Signs up and proves everything; who it is has `number` in all that tells people apart.
    pub(super) async fn sign_up(&self, demo: &Demo, handle: &str, number: u32) {
        let email = format!("{handle}@strangers.example");
        let phone = format!("+91988{number:07}");
        self.open(&format!("{}/signup", demo.address)).await;
        self.fill("Your name", "Some Stranger").await;
        self.fill("Handle", handle).await;
        self.fill("E-mail", &email).await;
        self.fill("Phone", &phone).await;
        self.fill("Password", PASSWORD).await;
        self.press("Open wallet").await;
        self.at("/verify").await;
        self.sees("Your codes are on their way").await;
        for (kind, to) in [("email", email.as_str()), ("phone", phone.as_str())] {
            let code = self.until("code", async || code_for(demo, to).await).await;
            let field = self.find(By::Css(format!("#code-{kind}"))).await;
            field.send_keys(code).await.unwrap();
            self.click(By::Css(format!("form:has(#code-{kind}) button"))).await;
            let gone = format!("no #code-{kind}");
            let css = format!("#code-{kind}");
            self.until(&gone, async || {
                self.driver.find_all(By::Css(css.as_str())).await.ok()?.is_empty().then_some(())
            })
            .await;
        }
        self.press("Say that my papers were seen").await;
        self.sees("All done").await;
    }

    /// Logs in with a password.
    pub(super) async fn log_in(&self, demo: &Demo, login: &str, password: &str) {
        self.open(&format!("{}/login", demo.address)).await;
        self.log_in_here(login, password).await;
        self.at("/app").await;
    }

    /// The same, on the page that is there.
    pub(super) async fn log_in_here(&self, login: &str, password: &str) {
        self.fill("E-mail or handle", login).await;
        self.fill("Password", password).await;
        self.click(By::Css("form.stack button.btn")).await;
    }

    /// Asks to put money in, up to the page that leads to the bank's.
    pub(super) async fn add(&self, demo: &Demo, rupees: &str, words: &str) {
        self.open(&format!("{}/app/move?tab=add", demo.address)).await;
        self.fill("Amount", rupees).await;
        self.press("Continue").await;
        self.press(&format!("Add {words}")).await;
        self.at("/app/activity/").await;
    }

    /// Pays at the bank's page, and comes back.
    pub(super) async fn pay(&self) {
        self.press("Continue to your bank").await;
        self.press("Approve").await;
        self.at("/app").await;
    }

    /// Fills the form of sending in, up to the sheet with the button that sends.
    pub(super) async fn prepare_to_send(&self, demo: &Demo, to: &str, rupees: &str, note: &str) {
        self.open(&format!("{}/app/move?tab=send", demo.address)).await;
        self.fill("To", to).await;
        self.fill("Amount", rupees).await;
        self.fill("Note", note).await;
        self.press("Continue").await;
    }

    /// Adds a bank account whose name the bank knows.
    pub(super) async fn add_bank_account(&self, demo: &Demo) {
        self.open(&format!("{}/app/banks", demo.address)).await;
        self.fill("IFSC", "TEST0000001").await;
        self.fill("Account number", "400200000011").await;
        self.fill("Account number again", "400200000011").await;
        self.fill("Name on the account", "Some Stranger").await;
        self.press("Add and check the name").await;
        self.sees("••0011").await;
    }

    /// Waits until the one that is looked at is done: by itself, or where no script runs by
    /// loading it again.
    pub(super) async fn is_done(&self, scripts: bool) {
        self.until("end of it", async || {
            let status = self.try_text(".one-head .chip").await?;
            if !scripts && status != "Done" {
                self.driver.refresh().await.ok()?;
            }
            (status == "Done").then_some(())
        })
        .await;
    }

    /// How many things are on the list of what happened.
    pub(super) async fn activity(&self, demo: &Demo) -> Value {
        self.open(&format!("{}/app/activity", demo.address)).await;
        let links = "document.querySelectorAll('a[href*=\"/app/activity/\"]')";
        self.ask(&format!("return new Set([...{links}].map(a => a.href)).size")).await
    }
}

/// The newest code that was sent to somebody.
async fn code_for(demo: &Demo, to: &str) -> Option<String> {
    let url = format!("{}/dev/outbox.json", demo.address);
    let sent: Vec<Value> = reqwest::get(url).await.ok()?.json().await.ok()?;
    let text = sent.iter().find(|one| one["to"] == to)?["text"].as_str()?.to_owned();
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.into_iter().find(|digits| digits.len() == 6).map(str::to_owned)
}

/// Runs something in a browser on the demonstration; its banks are inside.
pub(super) async fn on_the_demo(test: impl AsyncFnOnce(&Browser, &Demo)) {
    let demo = Demo::shared().await;
    browse(&[&demo.address, &demo.banks], async |browser| test(browser, &demo).await).await;
}
