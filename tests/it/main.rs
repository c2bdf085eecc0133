//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

mod engine_basics;
mod golden;
mod immutability;
mod model;
mod postings;
mod reference;
mod support;
