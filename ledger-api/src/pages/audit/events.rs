//! `/audit/events`: the log as it is, newest first, with the document of one event beside it.

use askama::Template;
use axum::{extract::Query, response::Response};
use ledger_core::log::{Position, RecordedEvent};
use serde::Deserialize;

use super::{as_of, checkpoints, visitor::Auditor};
use crate::{
    auditing::{EventsWanted, event_at},
    http::Problem,
    pages::{
        Layout, respond,
        ui::{Cell, Pair, Pairs, When},
    },
};

const SHOWN_MAX: u32 = 50;
/// The types of streams that can be chosen.
const STREAMS: [&str; 10] = [
    "account",
    "hold",
    "deposit",
    "withdrawal",
    "transfer",
    "payment",
    "payment_request",
    "bank_line",
    "reversal",
    "book",
];

/// What is looked for; everything is a text first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct EventsQuery {
    as_of: String,
    stream: String,
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    show: String,
}

impl EventsQuery {
    fn restricts(&self) -> bool {
        [&self.as_of, &self.stream, &self.id, &self.event_type].iter().any(|text| !text.is_empty())
    }

    /// The address of the same list, from another place and with another event beside it.
    fn href(&self, as_of: &str, show: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("as_of", as_of),
            ("stream", &self.stream),
            ("id", &self.id),
            ("type", &self.event_type),
            ("show", show),
        ];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        format!("/audit/events?{}", query.finish())
    }
}

#[derive(Template)]
#[template(path = "audit/events.html")]
struct EventsView {
    layout: Layout,
    query: EventsQuery,
    streams: Vec<(&'static str, bool)>,
    head: Position,
    signed: String,
    at: Position,
    rows: Vec<EventRow>,
    older: String,
    document: Option<Document>,
}

struct EventRow {
    position: Position,
    href: String,
    current: bool,
    event_type: String,
    stream: String,
    at: When,
}

/// One event, as it is stored.
struct Document {
    title: String,
    pairs: Pairs,
    payload: String,
    metadata: String,
}

/// The page.
pub(super) async fn page(
    auditor: Auditor,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Problem> {
    let head = auditor.head().await?;
    let at = as_of::position(&auditor, &query.as_of).await?.unwrap_or(head);
    let wanted = EventsWanted {
        stream_type: given(&query.stream),
        stream_id: given(&query.id),
        event_type: given(&query.event_type),
    };
    let found = wanted.page(&auditor.reads.pool, (0, at), SHOWN_MAX).await?;
    let older = found.next.map_or_else(String::new, |next| query.href(&next.to_string(), ""));
    let shown = query.show.parse::<Position>().ok();
    let as_written = query.as_of.clone();
    let row = |event: &RecordedEvent| EventRow {
        position: event.position,
        href: query.href(&as_written, &event.position.to_string()),
        current: Some(event.position) == shown,
        event_type: event.event_type.clone(),
        stream: format!("{} {}", event.aggregate_type, event.aggregate_id),
        at: auditor.when(event.recorded_at),
    };
    let rows = found.events.iter().map(row).collect();
    let document = match shown {
        Some(position) => document(&auditor, position).await?,
        None => None,
    };
    Ok(respond::page(&EventsView {
        layout: auditor.layout("Events", "events"),
        streams: STREAMS.map(|stream| (stream, stream == query.stream)).to_vec(),
        signed: checkpoints::signed_words(&auditor, head).await?,
        head,
        at,
        rows,
        older,
        document,
        query,
    }))
}

/// The whole log as a file, with the last line that says what it holds.
pub(super) async fn export(auditor: Auditor) -> Result<Response, Problem> {
    auditor.reads.export(&auditor.staff.person.to_string(), "from the page of the log").await
}

fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

async fn document(auditor: &Auditor, position: Position) -> Result<Option<Document>, Problem> {
    let Some((event, before)) = event_at(&auditor.reads.pool, position).await? else {
        return Ok(None);
    };
    let read = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(serde_json::Value::Null);
    let (payload, metadata) = (read(&event.payload), read(&event.metadata));
    let word = |of: &serde_json::Value, name: &str| {
        of.get(name).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let mut pairs = vec![
        Pair::new("Recorded", auditor.when(event.recorded_at)),
        Pair::new(
            "Stream",
            Cell::Link(
                format!("{} {}", event.aggregate_type, event.aggregate_id),
                stream_href(&event.aggregate_type, &event.aggregate_id),
            ),
        ),
        Pair::new("Sequence", event.sequence.to_string()),
        Pair::new("Version", event.event_version.clone()),
        Pair::new("Hash before", hex::encode(before)),
        Pair::new("Hash", hex::encode(event.hash)),
    ];
    // Who did it stands on the first event of what was done together.
    for (label, name) in [("Done by", "actor"), ("Approved by", "approver"), ("Request", "request")]
    {
        pairs.extend(word(&metadata, name).map(|value| Pair::new(label, value)));
    }
    pairs.extend(word(&payload, "cause").map(|cause| Pair::new("Caused by", cause)));
    if let Some(id) = word(&payload, "transaction_id") {
        let href = format!("/audit/transactions/{id}");
        pairs.push(Pair::new("Transaction", Cell::Link(id, href)));
    }
    if event.aggregate_type == "account" {
        let href = format!("/audit/accounts/{}", event.aggregate_id);
        pairs.push(Pair::new("Account", Cell::Link(event.aggregate_id.clone(), href)));
    }
    let proof = format!("/audit/proofs?position={position}");
    pairs.push(Pair::new("Proof", Cell::Link("that it is in the signed log".to_owned(), proof)));
    Ok(Some(Document {
        title: format!("#{position} {}", event.event_type),
        pairs: Pairs::new(pairs),
        payload: pretty(&event.payload),
        metadata: pretty(&event.metadata),
    }))
}

/// The address of a stream's events.
pub(super) fn stream_href(aggregate_type: &str, id: &str) -> String {
    let stream = aggregate_type.to_owned();
    EventsQuery { stream, id: id.to_owned(), ..EventsQuery::default() }.href("", "")
}

/// Stored bytes for reading; what is no JSON as it is.
fn pretty(bytes: &[u8]) -> String {
    let value: Result<serde_json::Value, _> = serde_json::from_slice(bytes);
    let text = value.and_then(|value| serde_json::to_string_pretty(&value));
    text.unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned())
}
