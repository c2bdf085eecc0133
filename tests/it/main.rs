//! The integration tests: one binary, a file per subject, on a real PostgreSQL.

mod engine_basics;
mod support;
mod tidy;
