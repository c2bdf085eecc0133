//! The binary `bahi` as a library: what the command line and the tests stand on.

pub mod postgres;
