//! The live tail of the log, as server-sent events.
//!
//! A message's id is its event's position, so whoever comes back with the last id goes on without
//! a gap. The tail pulls: it reads the next events when the client has taken the ones before, so
//! a slow client costs one small buffer and no connection to the database. It ends when the
//! service stops, when its key is revoked, and when the log cannot be read; the client comes back.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    http::HeaderMap,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use ledger_core::log::{self, Position, RecordedEvent};
use tokio::sync::watch;

use super::body::EventOut;
use crate::http::{Problem, codes, reader::Reader};

/// Events that are read at once.
const READ_EVENTS: u32 = 256;
/// How often the connection shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often it is looked whether the key is still in force.
const KEY_CHECK: Duration = Duration::from_secs(5);

/// The position that a client names in `Last-Event-ID`.
pub(in crate::routes) fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let position = value.to_str().ok().and_then(|text| text.parse().ok());
    position.map(Some).ok_or_else(|| {
        let detail = "The header Last-Event-ID must be a position.";
        Problem::new(codes::INVALID, detail)
    })
}

struct Tail {
    reader: Reader,
    head: watch::Receiver<Position>,
    stopping: watch::Receiver<bool>,
    /// The position of the last event in the buffer, or of the last one sent.
    after: Position,
    buffer: VecDeque<RecordedEvent>,
}

/// Opens a tail of the events after `after`.
pub(super) fn open(reader: Reader, after: Position) -> Result<Response, Problem> {
    let Ok(permit) = std::sync::Arc::clone(&reader.state.tails).try_acquire_owned() else {
        let detail = "This process serves as many live tails as it can.";
        return Err(Problem::new(codes::OVERLOADED, detail).retry_after(5));
    };
    let (head, stopping) = (reader.state.head.clone(), reader.state.stopping.clone());
    let tail = Tail { reader, head, stopping, after, buffer: VecDeque::new() };
    let messages = messages(tail, permit);
    Ok(Sse::new(messages).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

fn messages(
    tail: Tail,
    permit: tokio::sync::OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((tail, permit), async |(mut tail, permit)| {
        let event = tail.next().await?;
        let message = message(event)?;
        Some((Ok(message), (tail, permit)))
    })
}

fn message(event: RecordedEvent) -> Option<Event> {
    // A failure is in the log already; the tail ends, and the client comes back to the same event.
    let event = EventOut::of(event).ok()?;
    Event::default()
        .id(event.position.to_string())
        .event(event.event_type.clone())
        .json_data(event)
        .ok()
}

impl Tail {
    /// The next event; nothing when the tail ends.
    async fn next(&mut self) -> Option<RecordedEvent> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if let Some(event) = self.buffer.pop_front() {
                return Some(event);
            }
            if !self.reader.is_still_allowed().await {
                return None;
            }
            let head = *self.head.borrow_and_update();
            if self.after < head {
                self.read(head).await?;
            } else {
                self.wait().await?;
            }
        }
    }

    async fn read(&mut self, head: Position) -> Option<()> {
        let pool = &self.reader.state.reads;
        match log::read::events(pool, self.after, head, READ_EVENTS).await {
            Ok(events) => {
                // A server that lags behind does not have them yet: the tail ends.
                self.after = events.last()?.position;
                self.buffer.extend(events);
                Some(())
            }
            Err(error) => {
                tracing::warn!(error = %projections::describe(&error), "a live tail ended");
                None
            }
        }
    }

    /// Waits for news, the stop, or the time to look at the key again.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            changed = self.head.changed() => changed.ok(),
            changed = self.stopping.changed() => changed.ok(),
            () = tokio::time::sleep(KEY_CHECK) => Some(()),
        }
    }
}
