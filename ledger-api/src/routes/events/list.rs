//! Reading the log by pages, and the choice of the form.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use ledger_core::log::{self, Position};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{body::EventOut, tail};
use crate::{
    http::{
        Problem, codes,
        query::Params,
        reader::Reader,
        reply::{Reply, set_position},
    },
    identity::Scope,
};

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;
const NDJSON: &str = "application/x-ndjson";
const EVENT_STREAM: &str = "text/event-stream";

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// The events after this position; from the first one if left out.
    after_position: Option<u64>,
    /// How many at most; 1 to 1,000, 100 if left out. Not for a live tail.
    limit: Option<u32>,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    /// The events, in the order of their positions.
    data: Vec<EventOut>,
    /// Whether the log goes on.
    has_more: bool,
    /// What to send as `after_position` for the next page: also where to go on later, when
    /// `has_more` is false.
    next_after_position: u64,
}

/// The form in which the events are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Lines,
    Tail,
}

/// Read the log
///
/// By position. With `Accept: application/x-ndjson` one event per line. With
/// `Accept: text/event-stream` a live tail: the id of each message is the event's position, and a
/// client that comes back with `Last-Event-ID` (or `after_position`) misses nothing and gets
/// nothing twice. A comment every 15 seconds keeps the connection alive.
#[utoipa::path(
    get,
    path = "/v1/events",
    tag = "Log",
    params(EventsQuery,
        ("Last-Event-ID" = Option<String>, Header,
         description = "Where a live tail goes on: the position of the last event that came.")),
    responses((status = 200, description = "Events.", content(
        (EventPage = "application/json"),
        (EventOut = "application/x-ndjson"),
        (EventOut = "text/event-stream"),
    ))),
)]
pub(super) async fn list(
    reader: Reader,
    headers: HeaderMap,
    Params(query): Params<EventsQuery>,
) -> Result<Response, Problem> {
    reader.admit(&[Scope::EventsRead], None).await?;
    let form = form(&headers)?;
    let after = query.after_position.unwrap_or(0);
    if form == Form::Tail {
        let after = tail::last_event_id(&headers)?.unwrap_or(after);
        return tail::open(reader, after);
    }
    let limit = match query.limit {
        None => LIMIT_DEFAULT,
        Some(limit) if (1..=LIMIT_MAX).contains(&limit) => limit,
        Some(_) => return Err(Problem::parameter("limit", format!("1 to {LIMIT_MAX}."))),
    };
    let pool = &reader.state.reads;
    let head = log::read::head(pool).await?.position;
    let events = log::read::events(pool, after, head, limit).await?;
    let last = events.last().map_or(after, |event| event.position);
    let data = events.into_iter().map(EventOut::of).collect::<Result<Vec<_>, _>>()?;
    let has_more = last < head && !data.is_empty();
    let link = has_more.then(|| format!("/v1/events?after_position={last}&limit={limit}"));
    if form == Form::Lines {
        return lines(&data, last);
    }
    let page = EventPage { data, has_more, next_after_position: last };
    Ok(Reply::ok(page).at(last).next_link(link.as_deref()).into_response())
}

fn lines(events: &[EventOut], last: Position) -> Result<Response, Problem> {
    let mut text = Vec::new();
    for event in events {
        serde_json::to_writer(&mut text, event).map_err(|error| Problem::internal(&error))?;
        text.push(b'\n');
    }
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON));
    set_position(headers, last);
    Ok(response)
}

/// The first form in `Accept` that we have; JSON if anything goes.
fn form(headers: &HeaderMap) -> Result<Form, Problem> {
    let mut accepted = headers.get_all(header::ACCEPT).iter().peekable();
    if accepted.peek().is_none() {
        return Ok(Form::Page);
    }
    let texts = accepted.filter_map(|value| value.to_str().ok());
    let ranges = texts.flat_map(|text| text.split(','));
    let names = ranges.filter_map(|range| range.split(';').next()).map(str::trim);
    names
        .into_iter()
        .find_map(|name| match name {
            EVENT_STREAM => Some(Form::Tail),
            NDJSON => Some(Form::Lines),
            "application/json" | "application/*" | "*/*" => Some(Form::Page),
            _ => None,
        })
        .ok_or_else(|| {
            let detail = "Events come as application/json, application/x-ndjson or \
                          text/event-stream.";
            Problem::new(codes::NOT_ACCEPTABLE, detail)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_follows_accept() {
        let form_of = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            form(&headers).ok()
        };
        assert_eq!(form_of("text/event-stream"), Some(Form::Tail));
        assert_eq!(form_of("application/x-ndjson; q=1, */*"), Some(Form::Lines));
        assert_eq!(form_of("text/html, */*;q=0.1"), Some(Form::Page));
        assert_eq!(form_of("text/html"), None);
        assert_eq!(form(&HeaderMap::new()).ok(), Some(Form::Page));
    }
}
