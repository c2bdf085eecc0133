//! Sessions of people: who is signed in, with which browser.
//!
//! A session is an opaque token in a cookie and a row with the token's hash. Every request looks at
//! the row, so a session that was ended is dead at once in every process; nothing is remembered
//! here. It ends by itself a quarter of an hour after it was last used, and twelve hours after the
//! login whatever happens; one of staff after eight. The token is another one after each proof of
//! who it is.

mod audience;
pub mod csrf;
mod store;
mod token;

pub use audience::Audience;
pub use store::{Session, SessionId, Sessions};
pub use token::Token;

use chrono::TimeDelta;

/// How long a session lasts unused.
pub const IDLE: TimeDelta = TimeDelta::minutes(15);
/// How long a session lasts.
pub const ABSOLUTE: TimeDelta = TimeDelta::hours(12);
/// How long one of staff lasts: a working day.
pub const ABSOLUTE_STAFF: TimeDelta = TimeDelta::hours(8);
/// How long a proof of who it is counts as recent.
pub const RECENT: TimeDelta = TimeDelta::minutes(10);
