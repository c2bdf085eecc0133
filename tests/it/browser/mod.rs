//! The pages, in a real browser: what is seen, clicked, and sent by whoever uses them.
//!
//! A headless Chromium is driven by its chromedriver, of which there is one per run, with a fresh
//! session for each test. Everything that a page asks for is looked at, so a page that calls
//! anything outside the service, or that logs an error, fails its test wherever that happens.
//!
//! Where there is no browser the tests are skipped, and say so; where `CI` or
//! `BAHI_BROWSER=required` is set they fail. `make test` installs one if it can.

mod audit;
mod check;
mod codes;
mod desk;
mod driver;
mod harness;
mod journeys;
mod keyboard;
mod pages;
mod pictures;
mod providers;
mod routes;
mod scans;
mod session;
mod shop_day;
mod tree;
mod wallet;
