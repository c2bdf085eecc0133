//! The sweeper: ends holds whose time has come, and transfers that nobody claimed
//! (`super::transfers`).
//!
//! It moves no money and nothing rests on it: a capture at or after `expires_at` is refused whether
//! the sweeper was there or not. It only gives back what is reserved, and says so in the log. Any
//! number may run; a hold that somebody else has ended is refused, which is as good.

use std::{sync::Arc, time::Duration};

use ledger_core::{
    chart::Authority,
    clock::{Clock, Ids},
    command::{Command, Operation, Outcome},
    engine::SubmitError,
    ids::{HoldId, Principal, RequestId},
};
use projections::ReadModels;
use tokio::sync::watch;

use crate::http::Ledger;

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many holds it ends before it looks again.
pub(super) const HOLDS_MAX: u32 = 200;
/// How long it waits for the read models to see what it has ended, before it looks again.
pub(super) const CATCH_UP: Duration = Duration::from_secs(2);

/// What the sweeper works with.
pub struct Sweeper {
    /// The engine.
    pub ledger: Arc<dyn Ledger>,
    /// Which holds are open.
    pub read_models: ReadModels,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where fresh ids come from.
    pub ids: Arc<dyn Ids>,
}

/// Why a round did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum SweepError {
    #[error("the open holds could not be read")]
    Read(#[from] projections::ReadError),
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
}

impl Sweeper {
    /// Works until `stopping` turns true. A failed round is told and tried again: it never ends
    /// by itself.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        let Ok(principal) = "ledger:sweeper".parse::<Principal>() else {
            return;
        };
        let mut tick = tokio::time::interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            loop {
                match self.round(&principal).await {
                    // A full round: there may be more.
                    Ok(seen) if seen == usize::try_from(HOLDS_MAX).unwrap_or(usize::MAX) => {
                        if *stopping.borrow() {
                            return;
                        }
                    }
                    Ok(_) => break,
                    Err(error) => {
                        let error = projections::describe(&error);
                        tracing::warn!(error, "what has run out could not be ended; trying again");
                        break;
                    }
                }
            }
        }
    }

    /// Ends what has run out, each kind up to a bound; how many it saw of the most.
    async fn round(&self, principal: &Principal) -> Result<usize, SweepError> {
        let holds = self.sweep(principal).await?;
        Ok(holds.max(self.sweep_transfers(principal).await?))
    }

    /// Ends the holds whose time has come, up to a bound; how many it saw.
    async fn sweep(&self, principal: &Principal) -> Result<usize, SweepError> {
        let due = self.read_models.expired_holds(self.clock.now(), HOLDS_MAX).await?.value;
        if due.is_empty() {
            return Ok(0);
        }
        let commands = due.iter().map(|hold| self.expire(principal.clone(), hold.id)).collect();
        let mut position = 0;
        for (hold, answer) in due.iter().zip(self.ledger.submit_all(commands).await?) {
            let answer = answer?;
            position = answer.position.max(position);
            match answer.outcome {
                Outcome::Accepted(_) => {
                    metrics::counter!("bahi_holds_expired_total").increment(1);
                    tracing::info!(hold = %hold.id, "a hold expired");
                }
                // Captured or released since the read models saw it, or ended by another sweeper.
                Outcome::Rejected(rejection) => {
                    tracing::debug!(hold = %hold.id, code = rejection.code, "not expired");
                }
            }
        }
        // Or the next look would see the same holds again.
        self.read_models.wait_for(position, CATCH_UP).await?;
        Ok(due.len())
    }

    fn expire(&self, principal: Principal, hold_id: HoldId) -> Command {
        Command {
            principal,
            // A hold ends once by its nature.
            idempotency: None,
            request: RequestId::from_uuid(self.ids.fresh()),
            authority: Authority::NONE,
            approval: None,
            operation: Operation::ExpireHold { hold_id },
        }
    }
}
