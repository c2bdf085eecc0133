//! Book.

mod event;

pub use event::*;
