//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

mod cancellation;
mod engine_basics;
mod engine_rules;
mod golden;
mod immutability;
mod model;
mod postings;
mod reference;
mod snapshots;
mod support;
