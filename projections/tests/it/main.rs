//! The read models on a real PostgreSQL, as the application's own role.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that fails says so loudly")]

mod accounts;
mod beside;
mod projector;
mod questions;
mod rebuild;
mod speed;
mod support;
mod transactions;
