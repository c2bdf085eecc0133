//! Makes the events of the log into deliveries, in the order of the log.
//!
//! Each endpoint has its place in the log, which moves in the statement that writes its deliveries,
//! and only from where it was seen: two processes that make the same events write them once, and
//! one that is killed in between has written nothing. Endpoints that are at the same place are
//! served by one reading of the log.
//!
//! An endpoint where a thousand messages wait gets no more until some have arrived; so what a dead
//! receiver costs is bounded, and it delays nobody. The log keeps the rest for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ledger_core::{
    clock::{Clock, Ids},
    log::{self, LogError, Position},
};
use projections::ReadModels;
use sqlx::PgPool;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    Deliveries, Endpoint, Endpoints, EventTypes,
    deliveries::PENDING_MAX,
    messages::{Message, MessageError, Messages},
};

/// How often it looks at the end of the log, if nobody tells it.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long it waits after a failure.
const BACK_OFF: Duration = Duration::from_secs(2);
/// Events that are made at once.
const EVENTS_MAX: u32 = 256;

/// Why a round did not get through. The next one tries again, from the same place.
#[derive(Debug, thiserror::Error)]
enum MakeError {
    #[error("the log could not be read")]
    Log(#[from] LogError),
    #[error("an event was not made into a message")]
    Message(#[from] MessageError),
    #[error("the deliveries were not written")]
    Database(#[from] sqlx::Error),
}

/// Makes deliveries.
#[derive(Clone)]
pub struct Maker {
    endpoints: Endpoints,
    deliveries: Deliveries,
    messages: Messages,
    pool: PgPool,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
}

impl Maker {
    /// One that works on a database.
    pub fn new(
        (pool, read_models): (PgPool, ReadModels),
        secret: &[u8; 32],
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Self {
        Self {
            endpoints: Endpoints::new(pool.clone(), secret),
            deliveries: Deliveries::new(pool.clone()),
            messages: Messages { pool: pool.clone(), read_models },
            pool,
            clock,
            ids,
        }
    }

    /// Works until `stopping` turns true; looks at once when `head` moves.
    pub async fn run(
        self,
        mut head: watch::Receiver<Position>,
        mut stopping: watch::Receiver<bool>,
    ) {
        loop {
            let pause = tokio::select! {
                round = self.round() => match round {
                    // There may be more.
                    Ok(true) => Duration::ZERO,
                    Ok(false) => LOOK_EVERY,
                    Err(error) => {
                        metrics::counter!("bahi_hooks_out_failures_total").increment(1);
                        let error = projections::describe(&error);
                        tracing::warn!(error, "webhooks are behind; trying again");
                        BACK_OFF
                    }
                },
                _ = stopping.wait_for(|stop| *stop) => return,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                Ok(()) = head.changed(), if pause == LOOK_EVERY => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// One look at all endpoints; whether any went on.
    async fn round(&self) -> Result<bool, MakeError> {
        let head = log::read::head(&self.pool).await?.position;
        let mut places: BTreeMap<Position, Vec<Endpoint>> = BTreeMap::new();
        for endpoint in self.endpoints.enabled_behind(head).await? {
            if self.deliveries.pending(endpoint.id).await? < PENDING_MAX {
                places.entry(endpoint.position).or_default().push(endpoint);
            }
        }
        let mut went_on = false;
        for (place, endpoints) in places {
            went_on |= self.make(place, head, &endpoints).await?;
        }
        Ok(went_on)
    }

    /// Makes the next events after a place for the endpoints that are there.
    async fn make(
        &self,
        place: Position,
        head: Position,
        endpoints: &[Endpoint],
    ) -> Result<bool, MakeError> {
        let wanted = wanted(endpoints);
        let events = log::read::events(&self.pool, place, head, EVENTS_MAX).await?;
        let (mut upto, mut messages, mut failed) = (place, Vec::new(), None);
        for event in &events {
            match self.messages.of(event, &wanted).await {
                Ok(message) => messages.extend(message),
                // What came before it is told all the same.
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
            upto = event.position;
        }
        for endpoint in endpoints.iter().filter(|_| upto > place) {
            let mine = messages.iter().filter(|message| is_for(endpoint, message));
            let mine: Vec<(Uuid, &Message)> =
                mine.map(|message| (self.ids.fresh(), message)).collect();
            let now = self.clock.now();
            self.deliveries.write(endpoint.id, (place, upto), &mine, now).await?;
        }
        match failed {
            None => Ok(upto > place),
            // The read models will be there in a moment.
            Some(MessageError::Behind(_)) => Ok(false),
            Some(error) => Err(error.into()),
        }
    }
}

/// The types that any of the endpoints wants.
fn wanted(endpoints: &[Endpoint]) -> BTreeSet<&'static str> {
    let names = EventTypes::all().iter().copied();
    names.filter(|name| endpoints.iter().any(|e| e.event_types.want(name))).collect()
}

/// Whether an endpoint gets a message: of the type it wants, and of an account that is its owner's.
fn is_for(endpoint: &Endpoint, message: &Message) -> bool {
    let own = match &endpoint.account_prefix {
        None => true,
        Some(prefix) => message.accounts.iter().any(|a| a.as_str().starts_with(prefix)),
    };
    own && endpoint.event_types.want(message.event_type)
}
