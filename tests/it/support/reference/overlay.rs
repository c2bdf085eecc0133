//! A repository of cqrs-es that lays the events of one command over what postgres-es reads, and
//! keeps them back until the command as a whole has been accepted.

use std::sync::{Arc, Mutex};

use cqrs_es::{
    Aggregate,
    persist::{
        PersistedEventRepository, PersistenceError, ReplayStream, SerializedEvent,
        SerializedSnapshot,
    },
};
use ledger_core::log::{self, Metadata};
use postgres_es::PostgresEventRepository;
use serde_json::Value;
use sqlx::PgPool;

/// An event that was decided, with its bytes as the log takes them.
#[derive(Debug, Clone)]
pub(super) struct Buffered {
    pub(super) event: SerializedEvent,
    pub(super) payload: Vec<u8>,
    pub(super) metadata: Vec<u8>,
}

/// Cheap to clone; all clones share the events.
#[derive(Clone)]
pub(super) struct Overlay {
    below: Arc<PostgresEventRepository>,
    buffer: Arc<Mutex<Vec<Buffered>>>,
}

impl Overlay {
    pub(super) fn new(pool: PgPool) -> Self {
        let below = PostgresEventRepository::new(pool).with_tables("events_json", "snapshots");
        Self { below: Arc::new(below), buffer: Arc::default() }
    }

    /// The events of the command, which are forgotten here.
    pub(super) fn drain(&self) -> Vec<Buffered> {
        std::mem::take(&mut *self.buffer.lock().unwrap())
    }

    fn own<A: Aggregate>(&self, id: &str, after: usize) -> Vec<SerializedEvent> {
        let buffer = self.buffer.lock().unwrap();
        let own = buffer.iter().map(|buffered| &buffered.event).filter(|event| {
            event.aggregate_type == A::TYPE && event.aggregate_id == id && event.sequence > after
        });
        own.cloned().collect()
    }
}

fn unused() -> PersistenceError {
    PersistenceError::UnknownError("the reference needs no stream of events".into())
}

impl PersistedEventRepository for Overlay {
    async fn get_events<A: Aggregate>(
        &self,
        id: &str,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let mut events = self.below.get_events::<A>(id).await?;
        events.extend(self.own::<A>(id, 0));
        Ok(events)
    }

    async fn get_last_events<A: Aggregate>(
        &self,
        id: &str,
        after: usize,
    ) -> Result<Vec<SerializedEvent>, PersistenceError> {
        let mut events = self.below.get_last_events::<A>(id, after).await?;
        events.extend(self.own::<A>(id, after));
        Ok(events)
    }

    async fn get_snapshot<A: Aggregate>(
        &self,
        _id: &str,
    ) -> Result<Option<SerializedSnapshot>, PersistenceError> {
        Ok(None)
    }

    /// Through the types again, because loose JSON has lost the order of fields.
    async fn persist<A: Aggregate>(
        &self,
        events: &[SerializedEvent],
        snapshot: Option<(String, Value, usize)>,
    ) -> Result<(), PersistenceError> {
        assert!(snapshot.is_none(), "events are the only truth here");
        for event in events {
            let typed: A::Event = serde_json::from_value(event.payload.clone())?;
            let metadata: Metadata = serde_json::from_value(event.metadata.clone())?;
            let buffered = Buffered {
                event: event.clone(),
                payload: log::encode(&typed)?,
                metadata: serde_json::to_vec(&metadata)?,
            };
            self.buffer.lock().unwrap().push(buffered);
        }
        Ok(())
    }

    async fn stream_events<A: Aggregate>(
        &self,
        _id: &str,
    ) -> Result<ReplayStream, PersistenceError> {
        Err(unused())
    }

    async fn stream_all_events<A: Aggregate>(&self) -> Result<ReplayStream, PersistenceError> {
        Err(unused())
    }
}
