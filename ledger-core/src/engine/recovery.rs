//! Getting over a database that is away, and over appends whose answer got lost.

use std::time::Duration;

use tracing::warn;

use super::{
    EngineState, SubmitError,
    link::answered,
    worker::{Trouble, Worker},
};
use crate::log::{
    LogError,
    append::{self, Appended, Batch},
    read,
};

const BACKOFF_FIRST: Duration = Duration::from_millis(20);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

impl Worker {
    /// Finds out whether a batch whose answer got lost is in the log, for good: an empty batch is
    /// appended in its place. Whoever has the place, the other can't follow. Nothing is answered
    /// until then.
    pub(super) async fn fence(&mut self, batch: &Batch) -> Result<bool, Trouble> {
        self.publish(EngineState::Recovering);
        let mut pause = BACKOFF_FIRST;
        loop {
            self.refuse_waiting(SubmitError::Unavailable);
            let now = self.config.clock.now().max(batch.after.recorded_at);
            let fence = append::empty_batch(batch.after, now);
            match self.try_fence(&fence, batch).await {
                Ok(landed) => {
                    // Whatever is there now is read back, our own batch like anybody's.
                    self.wait_for_database().await;
                    return Ok(landed);
                }
                Err(cause) => {
                    warn!(error = %cause, "the fence could not be set yet");
                    self.link.broken();
                }
            }
            if self.closing() {
                return Err(Trouble::Unknown);
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(BACKOFF_MAX);
        }
    }

    async fn try_fence(&mut self, fence: &Batch, batch: &Batch) -> Result<bool, LogError> {
        let key = self.config.batch_key.as_ref();
        let appended = append::append(self.link.get().await?, fence, key);
        let appended = answered(async { Ok::<_, LogError>(appended.await) }).await?;
        match appended {
            Appended::Won { .. } => Ok(false),
            Appended::Lost => {
                let db = self.link.get().await?;
                let there = answered(read::batch(db, batch.head.batch)).await?;
                // A batch without events has no mark of its own: it is decided afresh, and its keys
                // tell whether it was there.
                let has_events = batch.rows.events() > 0;
                Ok(has_events && there.is_some_and(|there| there.hash == batch.head.hash))
            }
            Appended::Refused(error) | Appended::Unstorable(error) | Appended::Unknown(error) => {
                Err(error.into())
            }
            Appended::KeyUsed => Err(LogError::OutOfRange),
        }
    }

    /// Waits until the database can be reached again; what queues meanwhile is refused at once.
    pub(super) async fn wait_for_database(&mut self) {
        self.publish(EngineState::Recovering);
        let mut pause = BACKOFF_FIRST;
        loop {
            self.refuse_waiting(SubmitError::Unavailable);
            match self.catch_up().await {
                Ok(_) => return self.publish(EngineState::Running),
                Err(Trouble::Halted | Trouble::Unknown) => return,
                Err(Trouble::Down) if self.closing() => return,
                Err(Trouble::Down) => {}
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(BACKOFF_MAX);
        }
    }
}
