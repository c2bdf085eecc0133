//! The pictures of `docs/images`, made of the demonstration: with `BAHI_PICTURES` set they are
//! written, as `make pictures` does. Without, it is seen that each of them is there and small.

use std::{env, fs, path::PathBuf};

use serde_json::json;

use super::{
    session::{Browser, Scheme},
    wallet::on_the_demo,
};
use crate::support::demo::{Demo, PASSWORD};

/// The most bytes of one.
const BYTES_MAX: u64 = 150 * 1024;
const WIDTHS: [(u32, &str); 2] = [(1280, ""), (360, "-narrow")];
const SCHEMES: [(Scheme, &str); 2] = [(Scheme::Light, ""), (Scheme::Dark, "-dark")];
/// What anybody sees.
const PUBLIC: [(&str, &str); 2] = [("landing", "/"), ("login", "/login")];
/// What somebody sees of their own.
const OWN: [(&str, &str); 7] = [
    ("home", "/app"),
    ("add", "/app/move?tab=add"),
    ("send", "/app/move?tab=send"),
    ("withdraw", "/app/move?tab=withdraw"),
    ("activity", "/app/activity"),
    ("statement", "/app/statements"),
    ("security", "/app/security"),
];
/// What they see of one thing.
const THINGS: [(&str, &str); 2] =
    [("unknown", "/app/activity?status=unknown"), ("transfer", "/app/activity?kind=transfer")];
/// What an owner of a shop sees.
const OF_A_SHOP: [(&str, &str); 3] = [
    ("shop-home", "/merchant?days=30"),
    ("shop-accept", "/merchant/accept"),
    ("shop-payments", "/merchant/payments?days=all"),
];
/// These by night as well.
const DARK: [&str; 4] = ["home", "unknown", "activity", "shop-home"];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/images")
}

/// Every picture: its page, its name, how wide, by day or by night.
fn files(page: &str) -> Vec<(u32, Scheme, PathBuf)> {
    let mut files = Vec::new();
    for (width, narrow) in WIDTHS {
        for (scheme, dark) in SCHEMES {
            if dark.is_empty() || DARK.contains(&page) {
                files.push((width, scheme, folder().join(format!("{page}{narrow}{dark}.png"))));
            }
        }
    }
    files
}

impl Browser {
    /// The part of a page that a picture shows; of wide ones smaller, or they would not be small.
    async fn frame(&self, width: u32) {
        let (height, scale, mobile) =
            if width < 640 { (760, 1.0, true) } else { (900, 0.75, false) };
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    async fn pictures(&self, page: &str, url: &str) {
        for (width, scheme, file) in files(page) {
            self.frame(width).await;
            self.scheme(scheme).await;
            self.open(url).await;
            // Fonts come after the page.
            self.ask_patiently("document.fonts.ready.then(() => arguments[0](1))").await;
            fs::write(&file, self.driver.screenshot_as_png().await.unwrap()).unwrap();
        }
    }

    async fn all_pictures(&self, demo: &Demo) {
        let address = &demo.address;
        for (page, path) in PUBLIC {
            self.pictures(page, &format!("{address}{path}")).await;
        }
        self.log_in(demo, "asha", PASSWORD).await;
        for (page, path) in OWN {
            self.pictures(page, &format!("{address}{path}")).await;
        }
        for (page, path) in THINGS {
            self.open(&format!("{address}{path}")).await;
            let first = "return document.querySelector('.rows a[href*=\"/app/activity/\"]').href";
            let url = self.ask(first).await;
            self.pictures(page, url.as_str().unwrap()).await;
        }
        self.open(&format!("{address}/merchant/login")).await;
        self.log_in_here("kamala", PASSWORD).await;
        self.at("/merchant").await;
        for (page, path) in OF_A_SHOP {
            self.pictures(page, &format!("{address}{path}")).await;
        }
    }
}

#[tokio::test]
async fn the_pictures_of_the_documentation_are_there_and_small() {
    if env::var_os("BAHI_PICTURES").is_some() {
        on_the_demo(async |browser, demo| browser.all_pictures(demo).await).await;
    }
    let pages = PUBLIC.iter().chain(&OWN).chain(&THINGS).chain(&OF_A_SHOP);
    for (_, _, file) in pages.flat_map(|(page, _)| files(page)) {
        let size = fs::metadata(&file).map_or(0, |found| found.len());
        assert!((1..=BYTES_MAX).contains(&size), "{}: {size} bytes", file.display());
    }
}
