//! The tests that stand on all crates together: one binary, one file per subject.

mod tidy;
