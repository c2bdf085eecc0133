//! Reversal.

mod event;

pub use event::*;
