//! The binary `bahi` as a library: what the command line and the tests stand on.

pub mod config;
pub mod postgres;
pub mod setup;
pub mod shutdown;
pub mod telemetry;
