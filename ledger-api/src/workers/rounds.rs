//! Work in rounds, while a lane is held: a round that fails is told, once for each reason, and the
//! next one tries again.

use std::{error::Error, future::Future, time::Duration};

use tokio::{sync::watch, time};

use super::lanes::Lane;

/// A worker that works in rounds.
pub(super) trait Rounds {
    /// Why a round did not get through.
    type Error: Error;
    /// How long it pauses before each.
    const PAUSE: Duration;
    /// What waits when one fails, in words.
    const WAITS: &'static str;

    /// One round. It takes or renews the lane before it does anything.
    fn work(&mut self, lane: &mut Lane) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Makes rounds until `stopping` turns true, then lets the next one have the lane.
pub(super) async fn keep<W: Rounds>(
    mut worker: W,
    mut lane: Lane,
    mut stopping: watch::Receiver<bool>,
) {
    let mut said = String::new();
    loop {
        tokio::select! {
            () = time::sleep(W::PAUSE) => {}
            _ = stopping.wait_for(|stop| *stop) => break,
        }
        match worker.work(&mut lane).await {
            Ok(()) => said.clear(),
            Err(error) => {
                let error = projections::describe(&error);
                if error != said {
                    tracing::warn!(error, "{}; trying again", W::WAITS);
                    said = error;
                }
            }
        }
    }
    if let Err(error) = lane.leave().await {
        tracing::debug!(%error, "the lane ends by itself");
    }
}
