//! The log as auditors look at it: the newest events first, up to some place, by stream and type.
//! For a page and for programs alike.

use ledger_core::log::{self, LogError, Position, RecordedEvent, read::EventFilter};
use sqlx::PgPool;

/// How far back one page looks for what a filter takes.
const LOOKED_AT: u64 = 50_000;

/// Which events are wanted; what is not set does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventsWanted {
    /// Of streams of this type.
    pub stream_type: Option<String>,
    /// Of the stream of this id.
    pub stream_id: Option<String>,
    /// Of this type.
    pub event_type: Option<String>,
}

/// Some of the log, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsPage {
    /// The events.
    pub events: Vec<RecordedEvent>,
    /// Up to which position the next page goes; nothing if there is none. A page can be short, even
    /// empty, and not the last: a filter that takes little is not looked for without bound.
    pub next: Option<Position>,
}

impl EventsWanted {
    /// A text of which no database has heard takes nothing.
    fn is_possible(&self) -> bool {
        let texts = [&self.stream_type, &self.stream_id, &self.event_type];
        !texts.into_iter().flatten().any(|text| text.contains('\0'))
    }

    /// A page of what is above `after` and at most at `upto`.
    ///
    /// # Errors
    /// What the log says.
    pub async fn page(
        &self,
        pool: &PgPool,
        (after, upto): (Position, Position),
        limit: u32,
    ) -> Result<EventsPage, LogError> {
        if !self.is_possible() || upto <= after {
            return Ok(EventsPage { events: Vec::new(), next: None });
        }
        let floor = after.max(upto.saturating_sub(LOOKED_AT));
        let filter = EventFilter {
            aggregate_type: self.stream_type.as_deref(),
            aggregate_id: self.stream_id.as_deref(),
            event_type: self.event_type.as_deref(),
        };
        let events = log::read::newest(pool, (floor, upto), filter, limit).await?;
        let is_full = u32::try_from(events.len()).is_ok_and(|found| found >= limit);
        // A full page goes on below its last event; another one below what it looked at.
        let reached = match events.last() {
            Some(last) if is_full => last.position.saturating_sub(1),
            Some(_) | None => floor,
        };
        Ok(EventsPage { events, next: Some(reached).filter(|reached| *reached > after) })
    }
}

/// An event, and the hash that its own is made from.
///
/// # Errors
/// What the log says.
pub async fn event_at(
    pool: &PgPool,
    position: Position,
) -> Result<Option<(RecordedEvent, [u8; 32])>, LogError> {
    // With the one before it.
    let after = position.saturating_sub(2);
    let mut before = [0; 32];
    for event in log::read::events(pool, after, position, 2).await? {
        if event.position == position {
            return Ok(Some((event, before)));
        }
        before = event.hash;
    }
    Ok(None)
}
