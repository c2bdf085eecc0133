//! Posting.

mod kind;

pub use kind::Kind;
