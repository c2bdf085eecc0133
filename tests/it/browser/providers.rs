//! Logging in by another provider, and somebody who tries to come in that way unasked.

use thirtyfour::By;

use super::session::{Browser, Scheme, browse};
use crate::support::demo::Demo;

/// The page that is there, at each width and in each scheme: only its own way leads to it.
async fn looked_at(browser: &Browser) {
    // What went wrong on the way there, at the provider's and with the forged answer, is not its.
    browser.faults_of_loading().await;
    browser.driver.refresh().await.unwrap();
    for width in [360, 1280] {
        browser.width(width).await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.scheme(scheme).await;
            browser.check().await;
        }
    }
}

#[tokio::test]
async fn both_providers_let_somebody_in_and_a_forged_answer_does_not() {
    let demo = Demo::shared().await;
    browse(&[&demo.address], async |browser| {
        for (provider, who, handle) in
            [("google", "Meera Das", "meera_das"), ("github", "Kabir Khan", "kabir_khan")]
        {
            // Nobody began this: the answer is not believed, and nobody is signed in.
            let forged = "code=somebody-elses&state=made-up";
            browser.open(&format!("{}/login/{provider}/callback?{forged}", demo.address)).await;
            browser.open(&format!("{}/app", demo.address)).await;
            browser.at("/login").await;
            browser.open(&format!("{}/login/{provider}", demo.address)).await;
            browser.press(&format!("Go on as {who}")).await;
            browser.at("/login/finish").await;
            looked_at(browser).await;
            browser.fill("Your handle", handle).await;
            browser.press("Open my wallet").await;
            browser
                .until("way out of the last step", async || {
                    (!browser.url().await.contains("/login/")).then_some(())
                })
                .await;
            browser.open(&format!("{}/app/move", demo.address)).await;
            browser.sees("You have ₹0.00 available").await;
            browser.driver.delete_all_cookies().await.unwrap();
            // The second time they are known.
            browser.open(&format!("{}/login/{provider}", demo.address)).await;
            browser.click(By::XPath(format!("//button[contains(., \"Go on as {who}\")]"))).await;
            browser.at("/app").await;
            browser.driver.delete_all_cookies().await.unwrap();
        }
    })
    .await;
}
