//! By the keyboard alone: what is reached, in which order, and whether it can be seen.
//!
//! Each step is a key that somebody presses. At every stop of Tab three things must hold: what has
//! the focus looks otherwise than without it, it is in the window, and it comes after the stop
//! before it on the page.

use serde_json::Value;
use thirtyfour::{By, Key};

use super::{
    session::{Browser, browse},
    wallet::on_the_demo,
};
use crate::support::demo::{Demo, PASSWORD};

/// More stops than any page has.
const STOPS_MAX: usize = 120;
/// How everything that can have the focus looks now, but for what has it. The test's own, kept in
/// the page until it is left.
const NOTE: &str = "
    const looks = e => { const s = getComputedStyle(e);
        return (s.outlineStyle === 'none' ? '' : s.outlineStyle + s.outlineWidth + s.outlineColor)
            + '|' + s.boxShadow; };
    window.__unfocused = window.__unfocused || new Map();
    for (const e of document.querySelectorAll('a, button, input, select, textarea, summary')) {
        if (e !== document.activeElement) window.__unfocused.set(e, looks(e));
    }
    window.__last = document.activeElement;";
/// What has the focus after a key: its words, and what is wrong with the stop.
const STOP: &str = "
    const e = document.activeElement, faults = [];
    if (!e || e === document.body) return ['', []];
    const label = e.labels && e.labels[0] ? e.labels[0].innerText : '';
    const words = (e.getAttribute('aria-label') || label || e.innerText || e.value || '').trim();
    const s = getComputedStyle(e);
    const drawn = s.outlineStyle + s.outlineWidth + s.outlineColor;
    const looks = (s.outlineStyle === 'none' ? '' : drawn) + '|' + s.boxShadow;
    const of = e.tagName.toLowerCase() + ' \"' + words.slice(0, 40) + '\"';
    if (window.__unfocused && window.__unfocused.get(e) === looks) {
        faults.push(of + ' looks the same with the focus');
    }
    const box = e.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) faults.push(of + ' is not to be seen');
    if (box.bottom < 0 || box.top > innerHeight) faults.push(of + ' is outside of the window');
    const last = window.__last;
    const order = back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
    if (last && last !== document.body && last !== e && last.isConnected
        && !(last.compareDocumentPosition(e) & order)) {
        faults.push(of + ' comes out of its order');
    }
    return [words, faults];";

impl Browser {
    /// Presses a key.
    async fn key(&self, key: Key) {
        self.driver.action_chain().send_keys(key).perform().await.expect("a key");
    }

    /// Types where the focus is.
    async fn types(&self, text: &str) {
        self.driver.action_chain().send_keys(text).perform().await.expect("keys");
    }

    /// Goes to the next stop; its words, nothing if there is none more on the page.
    async fn tab(&self) -> String {
        self.ask(NOTE).await;
        self.key(Key::Tab).await;
        self.stop(false).await
    }

    /// Goes to the stop before.
    async fn tab_back(&self) -> String {
        self.ask(NOTE).await;
        let chain = self.driver.action_chain().key_down(Key::Shift).send_keys(Key::Tab);
        chain.key_up(Key::Shift).perform().await.expect("a key");
        self.stop(true).await
    }

    /// What has the focus now, which must be in order; `back` if it was gone to backwards.
    async fn stop(&self, back: bool) -> String {
        let said = self.ask(&format!("const back = {back};{STOP}")).await;
        let faults = said[1].as_array().unwrap();
        assert!(faults.is_empty(), "{}: {faults:?}", self.url().await);
        said[0].as_str().unwrap().to_owned()
    }

    /// Goes from stop to stop until one has these words.
    async fn tab_to(&self, words: &str) {
        let mut stops = Vec::new();
        for _ in 0..STOPS_MAX {
            let stop = self.tab().await;
            if stop.contains(words) {
                return;
            }
            stops.push(stop);
        }
        panic!("{}: no way to {words:?} by {stops:?}", self.url().await);
    }

    /// Goes to something and presses Enter on it.
    async fn enter(&self, words: &str) {
        self.tab_to(words).await;
        self.key(Key::Enter).await;
    }

    /// Goes into a field and fills it in.
    async fn type_into(&self, label: &str, text: &str) {
        self.tab_to(label).await;
        self.types(text).await;
    }

    /// The first stop of a page leads past everything that all pages have.
    async fn skips(&self) {
        self.ask("document.activeElement.blur()").await;
        assert_eq!(self.tab().await, "Skip to the page", "{}", self.url().await);
        self.key(Key::Enter).await;
        self.until("focus in the page", async || {
            let at = self.ask("return document.activeElement.id").await;
            (at == "main").then_some(())
        })
        .await;
        let next = self.tab().await;
        let inside = "return !!document.activeElement.closest('main, footer')";
        assert_eq!(self.ask(inside).await, true, "{next}");
    }

    /// Goes once through everything, and out of it at its end.
    async fn goes_through(&self) {
        self.ask("document.activeElement.blur(); scrollTo(0, 0)").await;
        let mut stops: Vec<Value> = Vec::new();
        for _ in 0..STOPS_MAX {
            let words = self.tab().await;
            let gone = "return document.activeElement === document.body
                || document.activeElement.matches('.skip')";
            if !stops.is_empty() && self.ask(gone).await == true {
                return;
            }
            stops.push(Value::from(words));
        }
        panic!("{}: the focus does not leave the page: {stops:?}", self.url().await);
    }

    /// Opens the menu of the account, goes in and out of it, and is left at what opened it.
    async fn opens_the_menu(&self) {
        self.enter("Your account").await;
        let open = "return document.querySelector('details.menu').open";
        self.until("open menu", async || (self.ask(open).await == true).then_some(())).await;
        let inside = self.tab().await;
        let within = "return !!document.activeElement.closest('.menu-in')";
        assert_eq!(self.ask(within).await, true, "{inside}");
        self.key(Key::Escape).await;
        assert_eq!(self.ask(open).await, false, "Escape closes it");
        let on = self.ask("return document.activeElement.tagName").await;
        assert_eq!(on, "SUMMARY", "the focus is where it was opened");
    }

    /// Signs out by the menu.
    async fn signs_out(&self) {
        self.key(Key::Enter).await;
        self.enter("Sign out").await;
    }

    async fn logs_in(&self, login: &str) {
        self.type_into("E-mail or handle", login).await;
        self.type_into("Password", PASSWORD).await;
        self.key(Key::Enter).await;
    }
}

#[tokio::test]
async fn a_person_signs_in_sends_finds_it_and_signs_out_by_the_keyboard_alone() {
    on_the_demo(async |browser, demo| {
        browser.open(&demo.address).await;
        browser.skips().await;
        browser.open(&demo.address).await;
        browser.enter("Log in").await;
        browser.at("/login").await;
        browser.goes_through().await;
        browser.open(&format!("{}/login", demo.address)).await;
        browser.logs_in("meera").await;
        browser.at("/app").await;
        browser.sees("Hello, Meera").await;
        browser.skips().await;
        browser.open(&format!("{}/app", demo.address)).await;
        browser.opens_the_menu().await;
        browser.tab_back().await;

        browser.open(&format!("{}/app", demo.address)).await;
        browser.enter("Move").await;
        browser.at("/app/move").await;
        browser.goes_through().await;
        browser.open(&format!("{}/app/move", demo.address)).await;
        browser.enter("Send").await;
        browser.at("tab=send").await;
        browser.type_into("To", "@ravi").await;
        browser.type_into("Amount", "2.75").await;
        browser.type_into("Note", "by keys").await;
        browser.key(Key::Enter).await;
        browser.sees("Check and send").await;
        browser.enter("Send ₹2.75").await;
        browser.at("/app/activity/").await;
        browser.sees("Ravi Kumar").await;
        browser.goes_through().await;

        browser.open(&format!("{}/app", demo.address)).await;
        browser.enter("Activity").await;
        browser.at("/app/activity").await;
        browser.goes_through().await;
        browser.open(&format!("{}/app/activity", demo.address)).await;
        browser.enter("Ravi Kumar").await;
        browser.at("/app/activity/tr_").await;
        browser.sees("Ravi Kumar").await;
        browser.opens_the_menu().await;
        browser.signs_out().await;
        browser
            .until("nobody signed in", async || {
                (!browser.url().await.contains("/app")).then_some(())
            })
            .await;
        browser.open(&format!("{}/app", demo.address)).await;
        browser.at("/login").await;
    })
    .await;
}

#[tokio::test]
async fn an_error_takes_the_focus_and_a_switch_is_turned_by_the_space_bar() {
    on_the_demo(async |browser, demo| {
        browser.log_in(demo, "meera", PASSWORD).await;
        browser.open(&format!("{}/app/move?tab=add", demo.address)).await;
        browser.type_into("Amount", "nothing").await;
        browser.key(Key::Enter).await;
        browser.sees("Please look at this again").await;
        let focused = "return document.activeElement.matches('[data-focus]')";
        browser
            .until("focus on the summary", async || {
                (browser.ask(focused).await == true).then_some(())
            })
            .await;
        browser.enter("Enter an amount").await;
        browser
            .until("focus in the field", async || {
                let at = browser.ask("return document.activeElement.id").await;
                (at == "amount").then_some(())
            })
            .await;
        browser.tab_to("Dark").await;
        browser.key(Key::Space).await;
        browser
            .until("dark page", async || {
                let theme = browser.ask("return document.documentElement.dataset.theme").await;
                (theme == "dark").then_some(())
            })
            .await;
    })
    .await;
}

/// A shop gives a part of a payment back.
async fn refunds(browser: &Browser, demo: &Demo) {
    browser.open(&format!("{}/merchant", demo.address)).await;
    browser.skips().await;
    browser.open(&format!("{}/merchant", demo.address)).await;
    browser.enter("Payments").await;
    browser.at("/merchant/payments").await;
    browser.goes_through().await;
    browser.open(&format!("{}/merchant/payments", demo.address)).await;
    let first = browser.find(By::Css("main td a[href*='/merchant/payments/pay_']")).await;
    let words = first.text().await.unwrap();
    let shown = words.split_whitespace().next().unwrap_or_default().to_owned();
    browser.enter(&shown).await;
    browser.at("/merchant/payments/pay_").await;
    browser.goes_through().await;
    browser.open(&browser.url().await).await;
    browser.type_into("Amount", "1.25").await;
    browser.key(Key::Enter).await;
    browser.sees("₹1.25").await;
}

#[tokio::test]
async fn a_shop_signs_in_and_refunds_by_the_keyboard_alone() {
    on_the_demo(async |browser, demo| {
        browser.open(&format!("{}/merchant/login", demo.address)).await;
        browser.goes_through().await;
        browser.open(&format!("{}/merchant/login", demo.address)).await;
        browser.logs_in("kamala").await;
        browser.at("/merchant").await;
        browser.sees("Chai Point").await;
        refunds(browser, demo).await;
        browser.open(&format!("{}/merchant", demo.address)).await;
        browser.opens_the_menu().await;
        browser.signs_out().await;
        browser.sees("Log in").await;
    })
    .await;
}

/// A page whose only stop looks the same with the focus.
const FAULTY: &str = "<!doctype html><html lang=en><title>Keys</title><style>
    .same:focus { outline: none }
    </style><body><main><button class=same>Same</button></main>";

#[tokio::test]
async fn a_stop_that_cannot_be_seen_is_found() {
    use axum::{Router, response::Html, routing::get};
    let router = Router::new()
        .route("/", get(async || Html(FAULTY)))
        .route("/favicon.ico", get(async || ""));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    browse(&[&address], async |browser| {
        browser.open(&address).await;
        browser.ask(NOTE).await;
        browser.key(Key::Tab).await;
        let said = browser.ask(&format!("const back = false;{STOP}")).await;
        assert_eq!(said[0], "Same");
        let faults = said[1].to_string();
        assert!(faults.contains("looks the same with the focus"), "{faults}");
    })
    .await;
}
