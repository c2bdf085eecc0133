//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

mod api_accounts;
mod api_events;
mod api_examples;
mod api_faults;
mod api_holds;
mod api_transactions;
mod engine_basics;
mod support;
mod tidy;
