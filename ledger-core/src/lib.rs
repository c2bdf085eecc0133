//! The rules of money, and the log that remembers them.
//!
//! A **command** ([`command`]) asks for something. **Planning** ([`planning`]) takes it apart into
//! what each aggregate is asked: an [`account`], a [`hold`], a [`reversal`], a [`withdrawal`],
//! a [`deposit`], a [`transfer`], a [`payment`], a [`payment_request`], a [`bank_line`], the
//! [`book`]. Each aggregate decides alone, purely, by its own events. If all accept, their events
//! are appended to the **log** ([`log`]) in one statement, chained by hashes; if one refuses,
//! nothing happens.
//!
//! The **engine** ([`engine`]) does this for many commands at a time, keeps aggregates in memory,
//! and answers each command once its batch is in the log.
//!
//! Money ([`money`]) is exact, time and ids ([`clock`], [`ids`]) come in with the command, and the
//! modules above the log know no database, no network and no clock.

#![deny(clippy::arithmetic_side_effects)]

pub mod account;
pub mod bank_line;
pub mod book;
pub mod chart;
pub mod clock;
pub mod command;
pub mod deposit;
pub mod engine;
pub mod fee;
pub mod hold;
pub mod ids;
pub mod log;
pub mod money;
pub mod payment;
pub mod payment_request;
pub mod planning;
pub mod posting;
pub mod reversal;
pub mod tier;
pub mod transfer;
pub mod withdrawal;
pub mod words;

#[cfg(test)]
mod testing;
