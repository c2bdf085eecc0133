//! The intake: takes verified deliveries and answers when they are in the inbox, committed.
//!
//! What arrives while a batch is being stored is the next batch (group commit, no timer), so one
//! connection is enough, and a burst costs little more than a single delivery. The connection is
//! this part's own: what the rest of the service does to its pools does not reach it.
//!
//! It answers soon, whatever the database does. A bank that is told "not now" sends again; one that
//! waits may time out and not know. An answer that comes too late is none: then the delivery may be
//! in the inbox all the same, and the next one is its duplicate.

use std::{sync::Arc, time::Duration};

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    time,
};

use super::store::{self, Incoming, Stored};
use crate::vault::WrappingKey;

/// How long a bank waits for an answer at most.
const ANSWER_WITHIN: Duration = Duration::from_millis(900);
/// How long one batch may take, connecting included.
const BATCH_WITHIN: Duration = Duration::from_millis(700);
/// How many deliveries wait at most; with bodies of the largest size, 64 MiB.
const QUEUE_MAX: usize = 1_024;
/// How many go into one statement.
const BATCH_MAX: usize = 200;

/// Why a delivery was not stored, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too many wait already.
    #[error("too many deliveries wait already")]
    Overloaded,
    /// The database did not confirm it in time.
    #[error("the inbox's database did not answer in time")]
    Unavailable,
}

struct Waiting {
    incoming: Incoming,
    answer: oneshot::Sender<Result<Stored, StoreError>>,
}

/// Where deliveries are handed in; cheap to clone.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
    wrapping: WrappingKey,
}

impl Intake {
    /// An intake, and the one who stores for it. The keys of bodies are wrapped with `wrapping`.
    pub fn new(inbox: PgConnectOptions, wrapping: WrappingKey) -> (Self, Keeper) {
        let (hand_in, handed) = mpsc::channel(QUEUE_MAX);
        // Asserted for the session, because the role's own settings may have been changed: what is
        // acknowledged is on disk.
        let options = inbox
            .application_name("bahi-intake")
            .options([("synchronous_commit", "on"), ("jit", "off")]);
        let keeper = Keeper { queue: Arc::new(Mutex::new(handed)), options };
        (Self { queue: hand_in, wrapping }, keeper)
    }

    /// Stores a delivery. When this returns well, it is committed.
    ///
    /// # Errors
    /// [`StoreError`] if that is not so, or not known, within a second.
    pub async fn store(&self, incoming: Incoming) -> Result<Stored, StoreError> {
        // Before it waits: what is stored is sealed, and so is what is not stored yet.
        let Some(incoming) = incoming.sealed(&self.wrapping) else {
            return Err(StoreError::Unavailable);
        };
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Waiting { incoming, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable,
        })?;
        match time::timeout(ANSWER_WITHIN, answered).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(_)) | Err(_) => Err(StoreError::Unavailable),
        }
    }
}

/// Stores what is handed in. Runs until the last [`Intake`] is gone; one at a time, and another
/// one in its place if a defect ended it.
#[derive(Clone)]
pub struct Keeper {
    queue: Arc<Mutex<mpsc::Receiver<Waiting>>>,
    options: PgConnectOptions,
}

impl Keeper {
    /// Works.
    pub async fn run(self) {
        let mut queue = self.queue.lock().await;
        let mut connection = None;
        let mut failing = false;
        let mut waiting = Vec::with_capacity(BATCH_MAX);
        while queue.recv_many(&mut waiting, BATCH_MAX).await > 0 {
            // Who was told "not now" already sends again.
            let still: Vec<Waiting> =
                waiting.drain(..).filter(|one| !one.answer.is_closed()).collect();
            let (batch, answers): (Vec<_>, Vec<_>) =
                still.into_iter().map(|one| (one.incoming, one.answer)).unzip();
            if batch.is_empty() {
                continue;
            }
            let stored = time::timeout(BATCH_WITHIN, self.store(&mut connection, &batch)).await;
            let stored = stored.unwrap_or_else(|_| Err(sqlx::Error::PoolTimedOut));
            if let Err(error) = &stored {
                // Its state is not known any more.
                connection = None;
                if !failing {
                    let error = projections::describe(error);
                    tracing::warn!(%error, "webhooks can't be stored; banks are told to repeat");
                }
            } else if failing {
                tracing::info!("webhooks are stored again");
            }
            failing = stored.is_err();
            tell(answers, stored);
        }
        if let Some(connection) = connection {
            // The server forgets it anyway when the process ends.
            connection.close().await.ok();
        }
    }

    async fn store(
        &self,
        connection: &mut Option<PgConnection>,
        batch: &[Incoming],
    ) -> sqlx::Result<Vec<Stored>> {
        let db = match connection {
            Some(db) => db,
            None => connection.insert(PgConnection::connect_with(&self.options).await?),
        };
        store::store(db, batch).await
    }
}

/// Nobody may listen any more: then nobody is told.
fn tell(
    answers: Vec<oneshot::Sender<Result<Stored, StoreError>>>,
    stored: sqlx::Result<Vec<Stored>>,
) {
    match stored {
        Ok(stored) => {
            for (answer, stored) in answers.into_iter().zip(stored) {
                answer.send(Ok(stored)).ok();
            }
        }
        Err(_) => {
            for answer in answers {
                answer.send(Err(StoreError::Unavailable)).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::*;

    fn nowhere() -> (Intake, Keeper) {
        let options = PgConnectOptions::new().host("/nonexistent");
        Intake::new(options, WrappingKey::derive(&[1; 32]))
    }

    fn incoming() -> Incoming {
        Incoming::new("hdfc", "msg_01", 1_795_356_135, Bytes::from_static(b"{}"))
    }

    #[tokio::test]
    async fn without_a_database_the_answer_is_no_and_soon() {
        let (intake, keeper) = nowhere();
        let running = tokio::spawn(keeper.run());
        let began = Instant::now();
        assert_eq!(intake.store(incoming()).await, Err(StoreError::Unavailable));
        assert!(began.elapsed() < Duration::from_secs(1));
        drop(intake);
        running.await.unwrap();
    }

    #[tokio::test]
    async fn without_a_keeper_too_few_wait_to_matter_and_none_for_long() {
        let (intake, keeper) = nowhere();
        let one = tokio::spawn({
            let intake = intake.clone();
            async move { intake.store(incoming()).await }
        });
        tokio::task::yield_now().await;
        for _ in 1..QUEUE_MAX {
            let (answer, _) = oneshot::channel();
            intake.queue.try_send(Waiting { incoming: incoming(), answer }).ok().unwrap();
        }
        assert_eq!(intake.store(incoming()).await, Err(StoreError::Overloaded));
        assert_eq!(one.await.unwrap(), Err(StoreError::Unavailable));
        drop(keeper);
        assert_eq!(intake.store(incoming()).await, Err(StoreError::Unavailable));
    }
}
