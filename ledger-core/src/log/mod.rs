//! The log: append-only events in PostgreSQL, chained by hashes.

mod codec;
pub mod hash;
mod record;

pub(crate) use codec::event_names;
pub use codec::{CodecError, EVENT_VERSION, Metadata, decode, encode};
pub use record::{Head, Position, RecordedEvent};
