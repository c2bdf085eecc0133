//! A bank to try Bahi with and to test it against: books, rails, webhooks, statements, failures.
//!
//! It speaks the protocol of docs/banks.md, so that Bahi can't tell it from an adapter to a real
//! bank, and it knows nothing of Bahi: no type is shared, and money is parsed by a parser of its
//! own, so that no mistake is shared either. Read it in the order in which money goes through it:
//!
//! - [`accounts`]: the bank's books, by double entry, which must always balance;
//! - `transfers`, `payments`: money out; `credits`, `receipts`: money in;
//!   `lumps`: a day's credits as one line; `adjustments`: what the bank books by itself;
//!   `statements`: what the customer reads of all;
//! - `webhooks`: what it tells by itself; [`faults`], `dice`: what goes wrong, on purpose;
//! - `bank`: one bank made of these. It does no I/O; each call says when it happens;
//! - [`sandbox`]: all banks, with a [`clock`] that can be moved and a journal that survives a kill;
//! - [`http`], `sender`: the world outside; [`control`]: a client of the sandbox's own switches;
//! - [`conformance`]: the protocol as a list of checks, for any adapter. It uses none of the above.

pub mod accounts;
mod adjustments;
mod bank;
pub mod clock;
pub mod conformance;
mod contract;
pub mod control;
mod credits;
mod dice;
pub mod faults;
pub mod http;
mod journal;
mod lumps;
pub mod money;
mod payments;
mod receipts;
pub mod sandbox;
mod sender;
mod statements;
mod transfers;
mod webhooks;
pub mod wire;

#[cfg(test)]
mod tests;

pub use bank::BankSetup;
pub use contract::{BankCode, Rail, Refusal};
pub use journal::JournalError;
pub use receipts::Decision;
pub use sandbox::{Command, Sandbox, SandboxError, Setup};
pub use sender::Hook;
pub use webhooks::{SecretError, WebhookSecret};
