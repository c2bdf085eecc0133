//! The rules of money, and the log that remembers them.

pub mod account;
pub mod book;
pub mod chart;
pub mod clock;
pub mod command;
pub mod engine;
pub mod hold;
pub mod ids;
pub mod log;
pub mod money;
pub mod posting;
pub mod reversal;
