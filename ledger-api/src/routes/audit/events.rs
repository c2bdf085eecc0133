//! The log as auditors read it: the newest events first, up to any place, by stream and type; one
//! event with the hash that its own is made from; all of it as a file.

use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use ledger_core::log::Position;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::key::AuditKey;
use crate::{
    auditing::{EventsWanted, event_at},
    http::{
        Problem,
        path::Id,
        query::{NoParams, Params, moment, not_a_filter},
        reach::nothing,
        reader::{Listed, limit},
        reply::{Reply, set_position},
    },
    routes::events::EventOut,
};

/// As what the log is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum LogForm {
    /// A page, the newest first.
    #[default]
    Json,
    /// All of it as a file, as `bahi audit export` writes it.
    Ndjson,
}

/// Which events.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// The events after this position; from the first one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    after_position: Option<u64>,
    /// The events up to this position; to the last one if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of_position: Option<u64>,
    /// The events that were recorded at or before this moment.
    #[serde(default, deserialize_with = "moment", skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    as_of_time: Option<DateTime<Utc>>,
    /// Of streams of this type: `account`, `withdrawal`, `book` …
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_type: Option<String>,
    /// Of the stream of this id.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<String>,
    /// Of this type: `debited`, `hold_placed` …
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    #[serde(default)]
    #[param(inline)]
    format: LogForm,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "not_a_filter")]
    cursor: Option<String>,
}

impl EventsQuery {
    fn restricts(&self) -> bool {
        let numbers = [self.after_position, self.as_of_position, self.limit.map(u64::from)];
        let texts = [&self.stream_type, &self.stream_id, &self.event_type, &self.cursor];
        numbers.iter().any(Option::is_some)
            || texts.into_iter().any(Option::is_some)
            || self.as_of_time.is_some()
    }
}

/// Look through the log
///
/// The newest events first. A page can be short, even empty, and not the last: what few events
/// match is looked for in a part of the log at a time. With `format=ndjson` the whole log,
/// streamed, as `bahi audit export` writes it: its last line counts what it holds, and a file
/// without it is cut. `GET /v1/events` reads the log forwards and follows it.
#[utoipa::path(
    get,
    path = "/v1/audit/events",
    tag = "Audit",
    params(EventsQuery),
    responses((status = 200, description = "Events.", content(
        (Listed<EventOut> = "application/json"),
        (String = "application/x-ndjson"),
    ))),
)]
pub(super) async fn list(
    key: AuditKey,
    Params(query): Params<EventsQuery>,
) -> Result<Response, Problem> {
    if query.format == LogForm::Ndjson {
        if query.restricts() {
            let detail = "The file is the whole log: leave the other parameters out.";
            return Err(Problem::parameter("format", detail));
        }
        return key.reads.export(key.who(), "by the API").await;
    }
    let limit = limit(query.limit)?;
    let list = key.list("audit_events", &query);
    let resumed: Option<Position> = list.resume(query.cursor.as_deref())?;
    let upto = match key.place(query.as_of_position, query.as_of_time).await? {
        Some(place) => place,
        None => key.head().await?,
    };
    let wanted = EventsWanted {
        stream_type: query.stream_type.clone(),
        stream_id: query.stream_id.clone(),
        event_type: query.event_type.clone(),
    };
    let span = (query.after_position.unwrap_or(0), resumed.unwrap_or(upto));
    let found = wanted.page(&key.reads.pool, span, limit).await?;
    let data = found.events.into_iter().map(EventOut::of).collect::<Result<Vec<_>, _>>()?;
    Ok(key.page(&list, data, found.next, upto)?.into_response())
}

/// An event, and the one before it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainedEvent)]
pub(super) struct ChainedOut {
    #[serde(flatten)]
    event: EventOut,
    /// The hash of the event before it, which its own is made from; zeros before the first.
    hash_before: String,
}

/// Get an event of the log
///
/// As it is stored, with the hash that its own is made from. `GET /v1/audit/proofs/{position}`
/// proves that it is in the signed log.
#[utoipa::path(
    get,
    path = "/v1/audit/events/{position}",
    tag = "Audit",
    params(("position" = u64, Path, description = "The event's position.")),
    responses((status = 200, description = "The event.", body = ChainedOut)),
)]
pub(super) async fn one(
    key: AuditKey,
    Id(position): Id<u64>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Response, Problem> {
    let found = event_at(&key.reads.pool, position).await?;
    let (event, before) = found.ok_or_else(nothing)?;
    let out = ChainedOut { event: EventOut::of(event)?, hash_before: hex::encode(before) };
    let mut response = Reply::ok(out).into_response();
    set_position(response.headers_mut(), position);
    Ok(response)
}
