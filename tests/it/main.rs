//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

mod audit_engine;
mod corrupt_streams;
mod engine_basics;
mod lost_answers;
mod overload;
mod several_engines;
mod snapshots;
mod golden;
mod postings;
mod support;
mod tidy;
