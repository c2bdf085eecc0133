//! The wallet as people see it: one place for what the API and the pages both do, so that a page
//! and a program of the same person can never be told different things.
//!
//! Knows whose wallet it is about and nothing of how its owner proved who they are. Reads from the
//! read models and writes by the same commands as everybody; no rule about money stands here.

mod ways;

pub(crate) use ways::{Way, bank_or_usual};
