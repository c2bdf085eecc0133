//! What must hold of every page, whatever is on it.
//!
//! No error on the console, no request that fails or goes outside, nothing wider than the window,
//! one heading of the first level, and nothing that axe-core finds: a program that reads a page as
//! somebody does who can't see it, or can't see it well.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::session::{Browser, Scheme};

/// The rules of WCAG 2.2, A and AA, and what axe holds to be good practice.
const AXE: &str = include_str!("../../fixtures/axe/axe.min.js");
const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']}).then(
        found => done(found.violations.map(fault => fault.id + ': ' + fault.help + ': '
            + fault.nodes.slice(0, 3).map(node => node.target.join(' ') + ' ['
                + node.any.concat(node.all, node.none).map(why => why.message).join('; ')
                + ']').join(' | '))),
        error => done(['axe failed: ' + error]));";
const AT_REST: &str = "
    for (const moving of document.getAnimations()) {
        if (moving.effect.getComputedTiming().endTime !== Infinity) moving.finish();
    }";
/// How much wider than the window the page is, and what of it sticks out.
const WIDER: &str = "
    const by = document.documentElement.scrollWidth - window.innerWidth;
    if (by <= 0) return [];
    const out = [...document.body.querySelectorAll('*')]
        .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1).slice(0, 4)
        .map(e => e.tagName.toLowerCase() + (e.className.toString && '.' + e.className));
    return ['wider than the window by ' + by + ' pixels: ' + out.join(', ')];";

/// A line of the browser's performance log.
#[derive(Deserialize)]
struct Logged {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    method: String,
    params: Value,
}

impl Browser {
    /// Looks at a page in both schemes, at one width; what is wrong with it.
    pub(super) async fn faults_of(&self, url: &str, width: u32) -> Vec<String> {
        self.width(width).await;
        self.scheme(Scheme::Light).await;
        self.open(url).await;
        let mut faults = self.faults_of_loading().await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            self.scheme(scheme).await;
            let found = self.faults_seen().await;
            faults.extend(found.into_iter().map(|fault| format!("{width} {scheme:?}: {fault}")));
        }
        faults
    }

    /// Makes the window of the page that is there so wide, one after the other; what then sticks
    /// out, and what a script has to say of it.
    pub(super) async fn faults_at(&self, widths: &[u32]) -> Vec<String> {
        let mut faults = Vec::new();
        for width in widths {
            self.width(*width).await;
            let found = texts(&self.ask(WIDER).await);
            faults.extend(found.into_iter().map(|fault| format!("{width}: {fault}")));
        }
        faults.extend(self.faults_of_loading().await);
        faults
    }

    /// The same for a page that is there already, after whatever was done on it.
    pub(super) async fn check(&self) {
        let mut faults = self.faults_of_loading().await;
        faults.extend(self.faults_seen().await);
        assert!(faults.is_empty(), "{}:\n{}", self.url().await, faults.join("\n"));
    }

    /// What is wrong with the page as it stands.
    async fn faults_seen(&self) -> Vec<String> {
        // What moves is looked at where it comes to rest.
        self.ask(AT_REST).await;
        let mut faults = texts(&self.ask(WIDER).await);
        let headings = self.ask("return document.querySelectorAll('h1').length").await;
        if headings != 1 {
            faults.push(format!("{headings} headings of the first level"));
        }
        // The page's own policy forbids it nothing: this is the driver's, not the page's.
        if self.ask("return typeof axe === 'undefined'").await == true {
            self.cdp("Runtime.evaluate", json!({"expression": AXE})).await;
        }
        faults.extend(texts(&self.ask_patiently(RUN_AXE).await));
        faults
    }

    /// What went wrong since it was last asked: on the console, and with what was asked for.
    pub(super) async fn faults_of_loading(&self) -> Vec<String> {
        let console = self.driver.browser_log().await.expect("the console's log");
        let mut faults: Vec<String> = console
            .into_iter()
            .filter(|line| line.level == "SEVERE")
            .map(|line| format!("console: {}", line.message))
            .collect();
        let log = self.driver.get_log("performance").await.expect("the performance log");
        let mut asked = BTreeMap::new();
        for line in log {
            let Ok(Logged { message }) = serde_json::from_str(&line.message) else { continue };
            faults.extend(self.fault_of_request(&message, &mut asked));
        }
        // A browser asks for it by itself, of pages without one too; the bank's has none.
        faults.retain(|fault| !fault.contains("/favicon.ico"));
        faults
    }

    fn fault_of_request(
        &self,
        message: &Message,
        asked: &mut BTreeMap<String, String>,
    ) -> Option<String> {
        let text = |pointer: &str| message.params.pointer(pointer)?.as_str().map(str::to_owned);
        let id = text("/requestId")?;
        match message.method.as_str() {
            "Network.requestWillBeSent" => {
                let url = text("/request/url")?;
                asked.insert(id, url.clone());
                let own = url.starts_with("data:")
                    || url.starts_with("blob:")
                    || self.inside.iter().any(|origin| {
                        url.strip_prefix(origin.as_str())
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
                    });
                (!own).then(|| format!("asks outside: {url}"))
            }
            "Network.responseReceived" => {
                let status = message.params.pointer("/response/status")?.as_u64()?;
                // What the browser asks for by itself is in the log by its answer alone.
                let url = text("/response/url")?;
                (status >= 400).then(|| format!("{status} of {url}"))
            }
            "Network.loadingFailed" => {
                // A page that is left lets go of what it was asking for.
                let left = message.params["canceled"] == true
                    || text("/errorText").is_some_and(|text| text == "net::ERR_ABORTED");
                (!left).then(|| format!("failed: {:?} {:?}", asked.get(&id), text("/errorText")))
            }
            _ => None,
        }
    }
}

fn texts(found: &Value) -> Vec<String> {
    found.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
