//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

// Says to the lints that everything in here is test code, the support too.
#![cfg(test)]

mod api_accounts;
mod api_events;
mod api_examples;
mod api_faults;
mod api_holds;
mod api_transactions;
mod audit_engine;
mod corrupt_streams;
mod engine_basics;
mod failover;
mod golden;
mod lost_answers;
mod model;
mod overload;
mod postgres_restarts;
mod postings;
mod several_engines;
mod snapshots;
mod support;
mod tidy;
