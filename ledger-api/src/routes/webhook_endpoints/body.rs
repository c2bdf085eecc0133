//! Webhook endpoints and deliveries on the wire.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use crate::{
    hooks_out::{Attempted, Delivery, DeliveryState, Endpoint, EndpointStatus, Opened},
    http::Problem,
};

/// An endpoint to make.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointInput)]
pub(crate) struct EndpointIn {
    /// Where to: HTTPS, a public address.
    #[schema(example = "https://shop.example/bahi", max_length = 2000)]
    pub(crate) url: String,
    /// What you call it; at most 200 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub(crate) description: String,
    /// What is to be sent; everything if left out or empty, also types that are still to come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50, example = json!(["withdrawal.completed", "withdrawal.failed"]))]
    pub(crate) event_types: Vec<String>,
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointChange)]
pub(super) struct EndpointChange {
    /// Where to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub(super) url: Option<String>,
    /// What you call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub(super) description: Option<String>,
    /// What is to be sent; everything if empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 50)]
    pub(super) event_types: Option<Vec<String>>,
    /// Whether anything is sent. What happens while it is disabled is sent when it is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<Wanted>,
}

/// Whether anything is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookEndpointSwitch)]
pub(super) enum Wanted {
    /// It is.
    Enabled,
    /// It is not.
    Disabled,
}

/// Where webhooks go.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub(super) struct EndpointOut {
    /// Its id.
    #[schema(example = "we_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `webhook_endpoint`.
    #[schema(example = "webhook_endpoint")]
    object: &'static str,
    /// Where to.
    url: String,
    /// What you call it.
    description: String,
    /// What is sent; everything if empty.
    event_types: Vec<String>,
    /// `enabled`, `disabled` or `deleted`.
    #[schema(example = "enabled")]
    status: &'static str,
    /// Why it is disabled: `owner` (you said so), `gone` (it answered 410) or `failing` (a message
    /// did not arrive in all its tries).
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<&'static str>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<DateTime<Utc>>,
    /// The key that `v1a` signatures verify with; it may be known to anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whpk_pGz4nOU0hIbLxbZQ1yNWlLy2RCeHRYzBU7JvQmV9vQ4=")]
    public_key: Option<String>,
    /// The secret that `v1` signatures verify with; only in the answer that makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD5vS8s2g2m2M=")]
    secret: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl EndpointOut {
    /// With the secret, if it is the answer that makes it.
    pub(super) fn of(endpoint: Endpoint, secret: Option<&Opened>) -> Self {
        let why = match endpoint.status {
            EndpointStatus::Disabled(why) => Some(why.as_str()),
            EndpointStatus::Enabled | EndpointStatus::Deleted => None,
        };
        Self {
            id: endpoint.id.to_string(),
            object: "webhook_endpoint",
            url: endpoint.url,
            description: endpoint.description,
            event_types: endpoint.event_types.names().to_vec(),
            status: endpoint.status.as_str(),
            disabled_reason: why,
            disabled_at: endpoint.disabled_at,
            public_key: endpoint.public_key,
            secret: secret.map(|opened| opened.secret.reveal().to_owned()),
            created_at: endpoint.created_at,
        }
    }
}

/// A message on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub(super) struct DeliveryOut {
    /// Its id.
    #[schema(example = "whd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `webhook_delivery`.
    #[schema(example = "webhook_delivery")]
    object: &'static str,
    /// Where to.
    #[schema(example = "we_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    endpoint: String,
    /// The header `webhook-id`: the same whenever it is sent.
    #[schema(example = "msg_6f0e4ee1c2a94d3b8f00a1b2c3d4e5f6")]
    message_id: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "withdrawal.completed")]
    event_type: String,
    /// What it is about; nothing of a test.
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
    /// Where in the object's life.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<i64>,
    /// Where in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<i64>,
    /// `pending`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    status: &'static str,
    /// When it is sent next, if it is pending and nothing of the same object stands before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// The body that is sent.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
    /// Each time it was sent, the first first.
    attempts: Vec<AttemptOut>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it arrived or was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<DateTime<Utc>>,
}

/// One time that it was sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub(super) struct AttemptOut {
    /// Which, from 1.
    number: i32,
    /// When.
    at: DateTime<Utc>,
    /// How long it took.
    duration_ms: i32,
    /// The status that was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i16>,
    /// Why nothing was: `address_refused`, `timeout`, `tls_failed` or `unreachable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// The headers that were sent, by name.
    #[schema(value_type = Object)]
    request_headers: Value,
    /// The headers of the answer, by name: the first thirty, each cut to 200 characters.
    #[schema(value_type = Object)]
    response_headers: Value,
    /// The first 4 kB of the answer.
    response_body: String,
}

impl DeliveryOut {
    pub(super) fn of(delivery: Delivery, attempts: Vec<Attempted>) -> Result<Self, Problem> {
        let body = serde_json::from_slice(&delivery.body);
        let pending = delivery.state == DeliveryState::Pending;
        Ok(Self {
            id: delivery.id.to_string(),
            object: "webhook_delivery",
            endpoint: delivery.endpoint.to_string(),
            message_id: delivery.message_id,
            event_type: delivery.event_type,
            object_id: delivery.object_id,
            seq: delivery.seq,
            position: delivery.position,
            status: delivery.state.as_str(),
            next_attempt_at: pending.then_some(delivery.next_at),
            body: body.map_err(|error| Problem::internal(&error))?,
            attempts: attempts.into_iter().map(AttemptOut::of).collect(),
            created_at: delivery.created_at,
            ended_at: delivery.ended_at,
        })
    }
}

impl AttemptOut {
    fn of(attempted: Attempted) -> Self {
        Self {
            number: attempted.number,
            at: attempted.at,
            duration_ms: attempted.duration_ms,
            status: attempted.status,
            error: attempted.error,
            request_headers: named(attempted.request_headers),
            response_headers: named(attempted.response_headers),
            response_body: attempted.response_body,
        }
    }
}

/// Headers by name; of those that come several times, all values with a comma between.
fn named(headers: Vec<(String, String)>) -> Value {
    let mut named = serde_json::Map::new();
    for (name, value) in headers {
        let text = match named.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value,
        };
        named.insert(name, Value::String(text));
    }
    Value::Object(named)
}
