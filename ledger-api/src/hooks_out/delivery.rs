//! A delivery, and each time that it was sent.

use chrono::{DateTime, Utc};

use super::{DeliveryId, EndpointId};

/// A message on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Where to.
    pub endpoint: EndpointId,
    /// What the receiver knows the message by.
    pub message_id: String,
    /// Its type.
    pub event_type: String,
    /// What it is about.
    pub object_id: Option<String>,
    /// Where in the object's life.
    pub seq: Option<i64>,
    /// Where in the log.
    pub position: Option<i64>,
    /// The bytes that are signed.
    pub body: Vec<u8>,
    /// Whether it has arrived.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: i32,
    /// When it is sent next, if it is pending.
    pub next_at: DateTime<Utc>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it arrived or was given up.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Whether a delivery has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not yet.
    Pending,
    /// It was answered with a 2xx.
    Delivered,
    /// It was given up, and its endpoint disabled with it.
    Failed,
}

impl DeliveryState {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// One time that it was sent, with what was said both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// Which, from 1.
    pub number: i32,
    /// When.
    pub at: DateTime<Utc>,
    /// How long it took.
    pub duration_ms: i32,
    /// What was answered.
    pub status: Option<i16>,
    /// Why nothing was.
    pub error: Option<String>,
    /// The headers that were sent.
    pub request_headers: Vec<(String, String)>,
    /// The headers of the answer.
    pub response_headers: Vec<(String, String)>,
    /// The beginning of the answer.
    pub response_body: String,
}
