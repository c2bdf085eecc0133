//! Hold.

mod event;

pub use event::*;
