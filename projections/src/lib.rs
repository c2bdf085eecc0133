//! Everything that is folded from the log.

pub mod audit;
