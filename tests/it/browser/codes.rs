//! QR codes as a telephone sees them: drawn by the browser, by day and by night, and read by
//! `zbarimg`, which knows nothing of how they were made.
//!
//! Where there is no `zbarimg` the test is skipped, and says so, as those are that need a browser.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use thirtyfour::By;

use super::{
    session::{Browser, Scheme},
    wallet::on_the_demo,
};
use crate::support::demo::PASSWORD;

/// What a picture says; nothing where there is no reader.
fn read(png: &[u8]) -> Option<String> {
    let mut file = tempfile::Builder::new().suffix(".png").tempfile().unwrap();
    file.write_all(png).unwrap();
    let asked = Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(file.path())
        .stdin(Stdio::null())
        .output();
    let Ok(output) = asked else {
        assert!(std::env::var_os("CI").is_none(), "no zbarimg: tests/setup/browser.sh");
        let said = "NO ZBARIMG: that QR codes can be read was NOT TESTED\n";
        std::io::stderr().write_all(said.as_bytes()).ok();
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "nothing in the picture: {said}");
    Some(String::from_utf8(output.stdout).unwrap().trim_end().to_owned())
}

/// Goes on only if the page's code says this, by day and by night and at both widths.
async fn says(browser: &Browser, expected: &str) {
    for width in [360, 1280] {
        browser.width(width).await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.scheme(scheme).await;
            let code = browser.find(By::Css("figure.qr")).await;
            code.scroll_into_view().await.unwrap();
            let png = code.screenshot_as_png().await.unwrap();
            if let Some(said) = read(&png) {
                assert_eq!(said, expected, "{width} {scheme:?}");
            }
        }
    }
    browser.scheme(Scheme::Light).await;
}

/// Goes on only if the page that is open is printed on one sheet of A5 as it says: 420 by 595
/// points.
async fn is_of_a5(browser: &Browser) {
    let printed = browser.cdp("Page.printToPDF", json!({"preferCSSPageSize": true})).await;
    let pdf = STANDARD.decode(printed["data"].as_str().unwrap()).unwrap();
    let text = String::from_utf8_lossy(&pdf);
    let sheets: Vec<&str> =
        text.split("/MediaBox [").skip(1).map(|rest| rest.split(']').next().unwrap()).collect();
    let [sheet] = sheets.as_slice() else { panic!("sheets: {sheets:?}") };
    let sides: Vec<&str> =
        sheet.split_whitespace().map(|side| side.split('.').next().unwrap()).collect();
    assert!(matches!(sides.as_slice(), ["0", "0", "419" | "420", "594" | "595"]), "{sheet}");
}

#[tokio::test]
async fn the_codes_of_a_shop_say_exactly_what_they_should_to_an_independent_reader() {
    on_the_demo(async |browser, demo| {
        browser.open(&format!("{}/merchant/login", demo.address)).await;
        browser.log_in_here("kamala", PASSWORD).await;
        browser.at("/merchant").await;
        let standing = "upi://pay?pa=chai@bahi&pn=Chai%20Point&mc=5814&cu=INR";
        for page in ["/merchant", "/merchant/accept", "/merchant/poster"] {
            browser.open(&format!("{}{page}", demo.address)).await;
            says(browser, standing).await;
        }
        is_of_a5(browser).await;
        browser.open(&format!("{}/merchant/accept", demo.address)).await;
        browser.fill("Amount", "120").await;
        browser.fill("Order", "QR-17").await;
        browser.press("Show the code").await;
        browser.at("/merchant/accept/pr_").await;
        let url = browser.url().await;
        let request = url.rsplit('/').next().unwrap();
        let with_amount =
            format!("upi://pay?pa=chai@bahi&pn=Chai%20Point&mc=5814&tr={request}&am=120.00&cu=INR");
        says(browser, &with_amount).await;
        browser.press("Take it back").await;
        browser.sees("Not payable any more").await;
    })
    .await;
}
