//! The log: append-only events in PostgreSQL, chained by hashes.

pub(crate) mod append;
mod codec;
mod column;
mod error;
pub mod hash;
pub(crate) mod load;
mod mac;
pub mod read;
mod record;
mod rows;
mod tail;

pub(crate) use codec::event_names;
pub use codec::{CodecError, EVENT_VERSION, Metadata, decode, encode};
pub use error::LogError;
pub use mac::BatchKey;
pub use record::{Head, Position, RecordedEvent};
pub(crate) use rows::Rows;
pub use tail::{AppendedEvent, Run, Tail};

/// The numbered migrations of `migrations/`, built in.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");
