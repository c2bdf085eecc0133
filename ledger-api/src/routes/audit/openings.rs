//! What is masked, opened with a reason: the line in the access log comes first.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::key::AuditKey;
use crate::{
    auditing::{Because, Masked, Opened, bytes, reason, said},
    exchanges::{Body, KeptExchange},
    http::{Problem, json::Payload, reply::Reply},
    webhooks::Delivery,
};

/// What to open, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpeningInput)]
pub(super) struct OpeningIn {
    /// What kind of thing.
    kind: Masked,
    /// Which: a person's or a shop's id, a transaction's id, a message's number, an exchange's id.
    subject: String,
    /// Why, in five characters or more: it is written down with who asks.
    reason: String,
}

/// What was opened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Opening)]
pub(super) struct OpeningOut {
    /// Always `opening`.
    #[schema(example = "opening")]
    object: &'static str,
    /// What kind of thing.
    kind: Masked,
    /// Which.
    subject: String,
    /// Why, as it was written down.
    reason: String,
    /// Whether there is nothing left to read: it was erased, or there never was anything.
    is_empty: bool,
    /// A person's name; of a shop the one on its papers.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// A person's handle.
    #[serde(skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// The name over a shop's door.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// The words on a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// A bank's message.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageOpened>,
    /// What was said to a bank.
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: Option<ExchangeOpened>,
}

/// A bank's message with its bytes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenedMessage)]
struct MessageOpened {
    /// The bank.
    bank: String,
    /// The bank's id of the event.
    event_id: String,
    /// When it came.
    received_at: DateTime<Utc>,
    /// When the bank sent it, as it says.
    sent_at: DateTime<Utc>,
    /// SHA-256 of its bytes.
    body_sha256: String,
    /// The bytes as text, or in hexadecimal if they are none.
    body: String,
}

impl From<&Delivery> for MessageOpened {
    fn from(delivery: &Delivery) -> Self {
        Self {
            bank: delivery.bank.clone(),
            event_id: delivery.event_id.clone(),
            received_at: delivery.received_at,
            sent_at: delivery.sent_at,
            body_sha256: hex::encode(&delivery.body_sha256),
            body: bytes(delivery),
        }
    }
}

/// What was said to a bank about a transfer, and what it answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenedExchange)]
struct ExchangeOpened {
    /// The bank.
    bank: String,
    /// What the bank knows the transfer by.
    reference: String,
    /// `submit` or `enquiry`.
    kind: String,
    /// When it began.
    started_at: DateTime<Utc>,
    /// How many milliseconds it took.
    took_ms: i32,
    /// The status of the answer.
    http_status: Option<i32>,
    /// Why there is no whole answer.
    failure: Option<String>,
    /// What was sent, as text, or in hexadecimal if it is none; of much the beginning.
    request: String,
    /// What came, likewise.
    answer: String,
}

impl From<KeptExchange> for ExchangeOpened {
    fn from(kept: KeptExchange) -> Self {
        Self {
            request: said(&kept.request, kept.request_bytes),
            answer: said(&kept.answer, kept.answer_bytes),
            bank: kept.bank,
            reference: kept.reference,
            kind: kept.kind,
            started_at: kept.started_at,
            took_ms: kept.took_ms,
            http_status: kept.http_status,
            failure: kept.failure,
        }
    }
}

/// Open what is masked
///
/// A name, the words on a transaction, the bytes of a bank's message, or what was said to a bank.
/// Who asks, what for and why is written into the access log before anything is shown; each time
/// again. No `Idempotency-Key`: nothing else is changed by it.
#[utoipa::path(
    post,
    path = "/v1/audit/openings",
    tag = "Audit",
    request_body(content = OpeningIn, example = json!({
        "kind": "note",
        "subject": "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
        "reason": "Case 42 of the yearly audit",
    })),
    responses((status = 200, description = "What it says.", body = OpeningOut)),
)]
pub(super) async fn open(key: AuditKey, payload: Payload) -> Result<Reply<OpeningOut>, Problem> {
    let OpeningIn { kind, subject, reason: why } = payload.parse()?;
    let reason = reason(&why)?;
    let because = Because { who: key.who(), reason: &reason };
    let opened = key.reads.open(kind, &subject, because).await?;
    let mut out = OpeningOut {
        object: "opening",
        kind,
        subject,
        reason,
        is_empty: matches!(opened, Opened::Erased | Opened::Note(None)),
        name: None,
        handle: None,
        display_name: None,
        note: None,
        message: None,
        exchange: None,
    };
    match opened {
        Opened::Person { name, handle } => {
            (out.name, out.handle) = (Some(name), Some(handle));
        }
        Opened::Shop { display_name, legal_name } => {
            (out.name, out.display_name) = (Some(legal_name), Some(display_name));
        }
        Opened::Note(note) => out.note = note,
        Opened::Message(delivery) => {
            out.is_empty = delivery.body.is_none();
            out.message = Some((&*delivery).into());
        }
        Opened::Exchange(kept) => {
            out.is_empty = !matches!(kept.request, Body::Bytes(_));
            out.exchange = Some((*kept).into());
        }
        Opened::Erased => {}
    }
    Ok(Reply::ok(out))
}
