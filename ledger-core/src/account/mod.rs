//! Account.

mod event;

pub use event::*;
