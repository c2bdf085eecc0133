//! A browser of one test, and the verbs of whoever sits before it.
//!
//! Everything waits for what it needs: an element, a text, an address. Nothing sleeps for a fixed
//! time, so a test is as fast as the pages are, and fails only when something does not come.

use std::{cell::Cell, panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt as _;
use serde_json::{Value, json};
use thirtyfour::{
    By, ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, WebDriver, WebElement,
};
use tokio::time::{Instant, sleep};

use super::driver::{Leave, leave};
use crate::support::bahi::PATIENCE;

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// So that nothing of the browser's own asks for anything, and nothing outside is found.
const ARGUMENTS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// Light or dark, as the system would say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Light,
    Dark,
}

/// A browser of one test.
pub(super) struct Browser {
    pub(super) driver: WebDriver,
    /// Where pages may ask for things; everywhere else is outside.
    pub(super) inside: Vec<String>,
    scripts: Cell<bool>,
    _leave: Leave,
}

/// Runs a test in a browser of its own, which is ended whatever comes of it; not at all where
/// there is no browser.
pub(super) async fn browse(inside: &[&str], test: impl AsyncFnOnce(&Browser)) {
    let Some(leave) = leave().await else { return };
    let browser = Browser::start(inside, leave).await;
    let done = AssertUnwindSafe(test(&browser)).catch_unwind().await;
    if done.is_err() {
        browser.say_where().await;
    }
    browser.driver.quit().await.ok();
    if let Err(panic) = done {
        std::panic::resume_unwind(panic);
    }
}

impl Browser {
    async fn start(inside: &[&str], leave: Leave) -> Self {
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(leave.driver.browser.to_str().unwrap()).unwrap();
        for argument in ARGUMENTS {
            wanted.add_arg(argument).unwrap();
        }
        wanted.set_logging_prefs("browser", LoggingPrefsLogLevel::All).unwrap();
        wanted.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
        let driver = WebDriver::new(&leave.driver.url, wanted).await.expect("a browser");
        let inside = inside.iter().map(|&origin| origin.to_owned()).collect();
        let browser = Self { driver, inside, scripts: Cell::new(true), _leave: leave };
        browser.width(1280).await;
        browser
    }

    /// Says on which page a test failed.
    async fn say_where(&self) {
        let url = self.url().await;
        let text = self.try_text("body").await.unwrap_or_default();
        eprintln!("the browser was at {url}, which says:\n{text}");
    }

    /// Calls the browser's own protocol.
    pub(super) async fn cdp(&self, method: &str, parameters: Value) -> Value {
        self.driver.cdp().send_raw(method, parameters).await.expect(method)
    }

    /// Makes the window so wide; below 640 it is a telephone's.
    pub(super) async fn width(&self, width: u32) {
        let metrics = json!({
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 640,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Prefers light or dark.
    pub(super) async fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let feature = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.cdp("Emulation.setEmulatedMedia", feature).await;
    }

    /// Runs no script of any page from now on.
    pub(super) async fn without_scripts(&self) {
        self.scripts.set(false);
        self.run_scripts(false).await;
    }

    async fn run_scripts(&self, run: bool) {
        let disabled = json!({"value": !run});
        self.cdp("Emulation.setScriptExecutionDisabled", disabled).await;
    }

    /// Runs a script of the test's own that takes its time; its answer. The page's stay as they
    /// are: one that was not run when its page came is not run later.
    pub(super) async fn ask_patiently(&self, script: &str) -> Value {
        if !self.scripts.get() {
            self.run_scripts(true).await;
        }
        let answer = self.driver.execute_async(script, Vec::new()).await.expect("a script");
        if !self.scripts.get() {
            self.run_scripts(false).await;
        }
        answer.json().clone()
    }

    /// Goes to an address.
    pub(super) async fn open(&self, url: &str) {
        self.driver.goto(url).await.expect(url);
    }

    /// Where it is.
    pub(super) async fn url(&self) -> String {
        self.driver.current_url().await.map(String::from).unwrap_or_default()
    }

    /// Waits until something comes of looking.
    pub(super) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < deadline, "no {what}, at {}", self.url().await);
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until its address holds this.
    pub(super) async fn at(&self, part: &str) {
        self.until(&format!("address with {part}"), async || {
            self.url().await.contains(part).then_some(())
        })
        .await;
    }

    /// An element, as soon as it is there and shown.
    pub(super) async fn find(&self, by: By) -> WebElement {
        self.until(&format!("{by:?}"), async || {
            for element in self.driver.find_all(by.clone()).await.ok()? {
                if element.is_displayed().await.unwrap_or_default() {
                    return Some(element);
                }
            }
            None
        })
        .await
    }

    /// Clicks on the button or link that says this, wherever in its words.
    pub(super) async fn press(&self, words: &str) {
        let says = format!("contains(normalize-space(.), \"{words}\")");
        let path = format!("//button[{says}] | //a[{says}] | //summary[{says}]");
        self.click(By::XPath(path)).await;
    }

    /// Clicks on an element; what is in its way may be about to go.
    pub(super) async fn click(&self, by: By) {
        self.until(&format!("way to click on {by:?}"), async || {
            let element = self.find(by.clone()).await;
            element.click().await.ok()
        })
        .await;
    }

    /// Writes into the field with this label, in the place of what is there.
    pub(super) async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.expect(label);
        field.send_keys(text).await.expect(label);
    }

    /// The field with this label.
    pub(super) async fn field(&self, label: &str) -> WebElement {
        let labels = format!("//label[contains(normalize-space(.), \"{label}\")]");
        let path = format!(
            "//*[self::input or self::textarea or self::select][@id = {labels}/@for]
             | {labels}//*[self::input or self::textarea or self::select]"
        );
        self.find(By::XPath(path)).await
    }

    /// The words of an element, if it is there.
    pub(super) async fn try_text(&self, css: &str) -> Option<String> {
        self.driver.find(By::Css(css)).await.ok()?.text().await.ok()
    }

    /// Waits until the page says this.
    pub(super) async fn sees(&self, words: &str) {
        self.until(&format!("\"{words}\" on the page"), async || {
            self.try_text("body").await?.contains(words).then_some(())
        })
        .await;
    }

    /// Runs a script of the test's own; its answer.
    pub(super) async fn ask(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.expect("a script").json().clone()
    }
}
