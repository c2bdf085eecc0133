//! Events on the wire: payload and metadata exactly as they are stored, which is what is hashed.

use chrono::{DateTime, Utc};
use ledger_core::log::RecordedEvent;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::http::Problem;

/// An event of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(in crate::routes) struct EventOut {
    /// Its place in the log: global, without gaps, from 1.
    pub(super) position: u64,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "debited")]
    pub(super) event_type: String,
    /// The version of its shape.
    #[schema(example = "1.0")]
    pub(super) version: String,
    /// The stream that it belongs to.
    pub(super) stream: StreamOut,
    /// When it was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// What happened; docs/events.md has the shape of every type.
    #[schema(value_type = Object)]
    pub(super) payload: Box<RawValue>,
    /// Who did it and by which request; on the first leg of a transaction.
    #[schema(value_type = Object)]
    pub(super) metadata: Box<RawValue>,
    /// Its link of the hash chain: SHA-256 in hexadecimal.
    pub(super) hash: String,
}

/// The stream of an event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stream)]
pub(in crate::routes) struct StreamOut {
    /// `account`, `hold`, `reversal` or `book`.
    #[serde(rename = "type")]
    #[schema(example = "account")]
    aggregate_type: String,
    /// Which one.
    #[schema(example = "wallet:asha:INR")]
    id: String,
    /// The event's place in the stream, from 1.
    sequence: u64,
}

impl EventOut {
    pub(in crate::routes) fn of(event: RecordedEvent) -> Result<Self, Problem> {
        let raw = |bytes: &[u8]| -> Result<Box<RawValue>, Problem> {
            let text = if bytes.is_empty() { b"{}" } else { bytes };
            serde_json::from_slice(text).map_err(|error| Problem::internal(&error))
        };
        Ok(Self {
            payload: raw(&event.payload)?,
            metadata: raw(&event.metadata)?,
            position: event.position,
            event_type: event.event_type,
            version: event.event_version,
            stream: StreamOut {
                aggregate_type: event.aggregate_type,
                id: event.aggregate_id,
                sequence: event.sequence,
            },
            recorded_at: event.recorded_at,
            hash: hex::encode(event.hash),
        })
    }
}
