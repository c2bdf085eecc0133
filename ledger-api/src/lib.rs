//! The binary `bahi` as a library: what the command line and the tests stand on.

pub mod db;
pub mod http;
pub mod identity;
pub mod postgres;
mod routes;
pub mod workers;
