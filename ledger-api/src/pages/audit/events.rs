//! `/audit/events`: the log as it is, newest first, with the document of one event beside it.

use askama::Template;
use axum::{extract::Query, response::Response};
use ledger_core::log::{self, Position, RecordedEvent, read::EventFilter};
use serde::Deserialize;

use super::{as_of, visitor::Auditor};
use crate::{
    http::Problem,
    pages::{
        Layout, respond,
        ui::{Cell, Pair, Pairs, When},
    },
};

const SHOWN_MAX: u32 = 50;
/// How far back one page looks for what a filter takes.
const LOOKED_AT: u64 = 50_000;
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
    let filter = EventFilter {
        aggregate_type: given(&query.stream),
        aggregate_id: given(&query.id),
        event_type: given(&query.event_type),
    };
    let after = at.saturating_sub(LOOKED_AT);
    let found = log::read::newest(&auditor.reads.pool, (after, at), filter, SHOWN_MAX).await?;
    let full = found.len() >= usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    // A full page goes on below its last event; another one below what it looked at.
    let reached = match found.last() {
        Some(last) if full => last.position.saturating_sub(1),
        _ => after,
    };
    let older = if reached == 0 { String::new() } else { query.href(&reached.to_string(), "") };
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
    let rows = found.iter().map(row).collect();
    let document = match shown {
        Some(position) => document(&auditor, position).await?,
        None => None,
    };
    Ok(respond::page(&EventsView {
        layout: auditor.layout("Events", "events"),
        streams: STREAMS.map(|stream| (stream, stream == query.stream)).to_vec(),
        head,
        at,
        rows,
        older,
        document,
        query,
    }))
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

async fn document(auditor: &Auditor, position: Position) -> Result<Option<Document>, Problem> {
    // With the one before it, whose hash this one's is made from.
    let after = position.saturating_sub(2);
    let found = log::read::events(&auditor.reads.pool, after, position, 2).await?;
    let Some(event) = found.iter().find(|event| event.position == position) else {
        return Ok(None);
    };
    let before = found.iter().find(|other| other.position < position);
    let before = before.map_or_else(|| "0".repeat(64), |event| hex::encode(event.hash));
    let payload: serde_json::Value =
        serde_json::from_slice(&event.payload).unwrap_or(serde_json::Value::Null);
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
        Pair::new("Hash before", before),
        Pair::new("Hash", hex::encode(event.hash)),
    ];
    if let Some(id) = payload.get("transaction_id").and_then(serde_json::Value::as_str) {
        let link = Cell::Link(id.to_owned(), format!("/audit/transactions/{id}"));
        pairs.push(Pair::new("Transaction", link));
    }
    if event.aggregate_type == "account" {
        let href = format!("/audit/accounts/{}", event.aggregate_id);
        pairs.push(Pair::new("Account", Cell::Link(event.aggregate_id.clone(), href)));
    }
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
