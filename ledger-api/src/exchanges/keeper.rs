//! Takes exchanges from the queue to the database, and forgets old ones.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::{
    sync::{mpsc, watch},
    time,
};

use super::{
    recorder::{DATABASE, Exchange, Recorder, lost},
    store::Exchanges,
};

/// The most that one statement writes.
const BATCH_MAX: usize = 256;
/// How long it waits for more to come, so that a busy queue writes few and large batches.
const GATHER: Duration = Duration::from_millis(100);
/// How often a batch is tried that the database did not take, and the pause in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);
/// How often it looks for what is old.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// Writes exchanges; cheap to clone.
#[derive(Clone)]
pub struct ExchangeKeeper {
    /// Where they come from.
    pub recorder: Recorder,
    /// Where they go.
    pub exchanges: Exchanges,
    /// How long they stay there.
    pub kept_for: TimeDelta,
}

impl ExchangeKeeper {
    /// Works until `stopping` turns true; what waits then is still written. Of several in a process
    /// one works.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let mut taken = tokio::select! {
            // First: who is told to stop before it began still writes what waits.
            biased;
            taken = self.recorder.taken() => taken,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        let mut forgetting = time::interval(FORGET_EVERY);
        forgetting.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                _ = taken.recv_many(&mut batch, BATCH_MAX) => {}
                _ = forgetting.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => break,
            }
            if batch.is_empty() {
                // It was the hour that has passed.
                self.forget().await;
                continue;
            }
            tokio::select! {
                () = time::sleep(GATHER) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
            more(&mut taken, &mut batch);
            self.write(&batch, &stopping).await;
            batch.clear();
        }
        loop {
            more(&mut taken, &mut batch);
            if batch.is_empty() {
                return;
            }
            self.write(&batch, &stopping).await;
            batch.clear();
        }
    }

    async fn write(&self, batch: &[Exchange], stopping: &watch::Receiver<bool>) {
        for tried in 1..=TRIES {
            let Err(error) = self.exchanges.write(batch).await else { return };
            let error = projections::describe(&error);
            if tried == TRIES || *stopping.borrow() {
                tracing::warn!(error, count = batch.len(), "exchanges with banks are not kept");
                lost(DATABASE, batch.len());
                return;
            }
            tracing::debug!(error, "exchanges with banks wait to be written");
            time::sleep(PAUSE).await;
        }
    }

    async fn forget(&self) {
        match self.exchanges.forget(self.recorder.now(), self.kept_for).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "old exchanges with banks were removed"),
            Err(error) => {
                let error = projections::describe(&error);
                tracing::warn!(error, "old exchanges with banks were not removed; trying again");
            }
        }
    }
}

/// What else waits, up to a whole batch.
fn more(taken: &mut mpsc::Receiver<Exchange>, batch: &mut Vec<Exchange>) {
    while batch.len() < BATCH_MAX
        && let Ok(exchange) = taken.try_recv()
    {
        batch.push(exchange);
    }
}
