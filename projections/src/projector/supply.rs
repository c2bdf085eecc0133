//! Where the events of a step come from: the engine of this process, if it appended all of them and
//! has them still; what was read ahead while the step before was written; or the log.
//!
//! It is what the log has in either case, so losing all of it costs time and nothing else. How far
//! a step reaches is asked of the database alone.

use ledger_core::log::{AppendedEvent, EVENT_VERSION, Position, Run, Tail};
use sqlx::{PgConnection, PgPool, postgres::PgRow};

use super::connect;
use crate::{
    error::ProjectionError,
    models::{EventRow, read_events},
};

/// Where the events come from.
#[derive(Debug, Default)]
pub(crate) struct Supply {
    tail: Option<Tail>,
    ahead: Option<ReadAhead>,
}

/// Reads the next step's events while this one's changes are written.
#[derive(Debug)]
struct ReadAhead {
    pool: PgPool,
    /// Its connection, while there is much to catch up with.
    db: Option<PgConnection>,
    read: Option<(Position, Position, Vec<PgRow>)>,
}

/// The events of a step.
pub(crate) enum Events {
    Appended(Run),
    Read(Vec<PgRow>),
}

impl Supply {
    /// From the engine if it has them, else from the log, ahead where that pays.
    pub(super) fn new(pool: PgPool, tail: Option<Tail>) -> Self {
        Self { tail, ahead: Some(ReadAhead { pool, db: None, read: None }) }
    }

    /// The events of positions `> after` and `<= upto`, where batches end.
    pub(crate) async fn events(
        &mut self,
        db: &mut PgConnection,
        after: Position,
        upto: Position,
    ) -> Result<Events, ProjectionError> {
        if let Some(run) = self.tail.as_ref().and_then(|tail| tail.run(after, upto)) {
            return Ok(Events::Appended(run));
        }
        let ahead = self.ahead.as_mut().and_then(|ahead| ahead.read.take());
        match ahead {
            Some((from, to, rows)) if (from, to) == (after, upto) => Ok(Events::Read(rows)),
            _ => Ok(Events::Read(read_events(db, after, upto).await?)),
        }
    }

    /// Reads what follows `after` and ends at `upto`, unless the engine has it. What goes wrong is
    /// met again by the step itself.
    pub(crate) async fn read_ahead(&mut self, after: Position, upto: Position) {
        let at_hand = self.tail.as_ref().is_some_and(|tail| tail.follows(after));
        let Some(ahead) = self.ahead.as_mut().filter(|_| !at_hand) else { return };
        if let Err(error) = ahead.read(after, upto).await {
            tracing::debug!(%error, "nothing was read ahead");
            ahead.db = None;
        }
    }

    /// Everything up to `position` is folded; `behind` says whether much is left.
    pub(crate) fn folded(&mut self, position: Position, behind: bool) {
        if let Some(tail) = &self.tail {
            tail.forget(position);
        }
        if let Some(ahead) = self.ahead.as_mut().filter(|_| !behind) {
            (ahead.db, ahead.read) = (None, None);
        }
    }
}

impl ReadAhead {
    async fn read(&mut self, after: Position, upto: Position) -> Result<(), ProjectionError> {
        let db = match &mut self.db {
            Some(db) => db,
            none => none.insert(connect(&self.pool).await?),
        };
        self.read = Some((after, upto, read_events(db, after, upto).await?));
        Ok(())
    }
}

impl Events {
    /// In their order.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = sqlx::Result<EventRow<'_>>> + Send + '_> {
        match self {
            Self::Appended(run) => Box::new(run.events().map(|event| Ok(appended(event)))),
            Self::Read(rows) => Box::new(rows.iter().map(EventRow::of)),
        }
    }
}

const fn appended(event: AppendedEvent<'_>) -> EventRow<'_> {
    let AppendedEvent { position, aggregate_type, aggregate_id, sequence, .. } = event;
    let AppendedEvent { event_type, payload, recorded_at, .. } = event;
    EventRow {
        position,
        aggregate_type,
        aggregate_id,
        sequence,
        event_type,
        event_version: EVENT_VERSION,
        payload,
        recorded_at,
    }
}
