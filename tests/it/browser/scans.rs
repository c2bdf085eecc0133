//! A picture of a QR code, chosen as people choose files, with and without scripts.

use std::io::Write as _;

use tempfile::NamedTempFile;
use thirtyfour::By;

use super::{session::Browser, wallet::on_the_demo};
use crate::support::{
    demo::{Demo, PASSWORD},
    qr::{jpeg, png, two},
};

impl Browser {
    /// Chooses a picture on a page, and has it read.
    async fn shows(&self, demo: &Demo, page: &str, picture: &[u8], kind: &str) {
        let mut file: NamedTempFile = tempfile::Builder::new().suffix(kind).tempfile().unwrap();
        file.write_all(picture).unwrap();
        self.open(&format!("{}{page}", demo.address)).await;
        let field = self.find(By::Css("#picture")).await;
        field.send_keys(file.path().to_str().unwrap()).await.unwrap();
        self.press("Read the code").await;
        self.until("answer", async || {
            let busy = self.try_text("form[data-scan] button").await;
            busy.is_none_or(|words| words == "Read the code").then_some(())
        })
        .await;
    }
}

async fn pictures_lead_on(scripts: bool) {
    on_the_demo(async |browser, demo| {
        if !scripts {
            browser.without_scripts().await;
        }
        browser.log_in(demo, "asha", PASSWORD).await;
        // A shop's code from the form of sending leads to paying it, as pasting it does.
        let standing = "upi://pay?pa=chai@bahi&pn=Chai%20Point&mc=5814&cu=INR";
        browser.shows(demo, "/app/move?tab=send", &jpeg(standing), ".jpg").await;
        browser.at("/app/pay?link=").await;
        browser.sees("Pay Chai Point").await;
        browser.fill("Amount", "12").await;
        browser.press("Continue").await;
        browser.sees("Check and pay").await;
        // A person's code from the form of paying leads to sending, with their name.
        browser.shows(demo, "/app/pay", &png("bahi:pay?to=@ravi"), ".png").await;
        browser.sees("Ravi Kumar").await;
        browser.sees("Say how much").await;
        browser.check().await;
        browser.fill("Amount", "3").await;
        browser.press("Continue").await;
        browser.sees("Check and send").await;
        browser.shows(demo, "/app/scan", &png("bahi:pay?to=@ravi&am=4.50"), ".png").await;
        browser.sees("Send ₹4.50").await;
    })
    .await;
}

#[tokio::test]
async fn pictures_of_codes_lead_to_paying_and_sending() {
    pictures_lead_on(true).await;
}

#[tokio::test]
async fn pictures_of_codes_lead_to_paying_and_sending_without_any_script() {
    pictures_lead_on(false).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_picture_is_said_where_it_was_chosen() {
    on_the_demo(async |browser, demo| {
        browser.log_in(demo, "asha", PASSWORD).await;
        for (picture, kind, words) in [
            (two(), ".png", "more than one QR code"),
            (b"no picture at all".to_vec(), ".png", "no picture that can be read here"),
            (png("https://example.org/menu"), ".png", "leads to another page"),
        ] {
            browser.shows(demo, "/app/move?tab=send", &picture, kind).await;
            browser.at("/app/scan").await;
            browser.sees(words).await;
            let focused = "return document.activeElement.matches('[data-focus]')";
            assert_eq!(browser.ask(focused).await, true, "{words}");
        }
        // What is refused is answered by 422, which the browser notes as an error.
        let faults = browser.faults_of_loading().await;
        assert!(faults.iter().all(|fault| fault.contains("422")), "{faults:?}");
    })
    .await;
}
