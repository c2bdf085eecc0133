//! The service: HTTP routes, identity, workers.

pub mod db;
pub mod http;
pub mod identity;
mod routes;
pub mod workers;
