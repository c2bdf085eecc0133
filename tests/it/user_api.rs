//! The API as people use it: with a session, for what is theirs.

pub(crate) mod examples;
mod forgery;
mod live;
mod own;
pub(crate) mod person;
mod proofs;
mod reach;
mod statements;
