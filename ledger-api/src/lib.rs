//! The service: HTTP routes, identity, workers; the private PostgreSQL; what the binary `bahi` and
//! the tests stand on.

pub mod banks;
pub mod config;
pub mod db;
pub mod deposits;
mod entry;
pub mod hooks_out;
pub mod house;
pub mod http;
pub mod identity;
pub mod links;
pub mod logins;
pub mod machine;
mod pages;
pub mod payments;
pub mod people;
pub mod post;
pub mod postgres;
mod reports;
pub mod resolutions;
pub mod review;
mod routes;
pub mod service;
pub mod sessions;
pub mod setup;
pub mod shops;
pub mod shutdown;
pub mod statements;
pub mod suspense;
pub mod telemetry;
mod transfers;
mod treasury;
pub mod vault;
pub mod wallet;
pub mod webhooks;
pub mod workers;
