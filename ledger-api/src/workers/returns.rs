//! Puts money that came back on its wallet as soon as the wallet can take it.
//!
//! A refusal or a return gives money back at once if it can. Where the wallet is frozen, closed or
//! full, it waits in `returns:unapplied`; this looks again, so that nobody has to ask for it. Each
//! look is a question to the ledger that appends nothing, and ever rarer while the answer is no.

use std::{collections::HashMap, time::Duration};

use ledger_core::{
    engine::SubmitError,
    ids::WithdrawalId,
    withdrawal::{ApplyUnapplied, WithdrawalOperation},
};
use projections::{ReadError, ReadModels};
use tokio::{sync::watch, time::Instant};

use super::{
    clerk::{Clerk, Handed},
    lanes::Lane,
    rounds::{self, Rounds},
};

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The first and the longest pause after a wallet could not take it.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// How many wait at most that it knows of; the longest first.
const WAITING_MAX: u32 = 5_000;
/// How many it asks about in one look.
const ASKED_MAX: usize = 100;
/// How long it waits for the read models to see what it did.
const CATCH_UP: Duration = Duration::from_secs(2);

/// The worker.
pub struct Returns {
    clerk: Clerk,
    read_models: ReadModels,
    /// When to ask again, after which pause.
    refused: HashMap<WithdrawalId, (Instant, Duration)>,
}

/// Why a round did not get through. The next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoundError {
    #[error("the read models could not be asked")]
    Read(#[from] ReadError),
    #[error("the ledger took no commands")]
    Submit(#[from] SubmitError),
    #[error("the database could not be asked")]
    Database(#[from] sqlx::Error),
}

impl Rounds for Returns {
    type Error = RoundError;
    const PAUSE: Duration = LOOK_EVERY;
    const WAITS: &'static str = "money that came back waits";

    async fn work(&mut self, lane: &mut Lane) -> Result<(), RoundError> {
        self.round(lane).await
    }
}

impl Returns {
    /// With nothing asked yet.
    pub fn new(clerk: Clerk, read_models: ReadModels) -> Self {
        Self { clerk, read_models, refused: HashMap::new() }
    }

    /// Works until `stopping` turns true, while the lane is its own.
    pub async fn run(self, lane: Lane, stopping: watch::Receiver<bool>) {
        rounds::keep(self, lane, stopping).await;
    }

    async fn round(&mut self, lane: &mut Lane) -> Result<(), RoundError> {
        if !lane.hold().await? {
            return Ok(());
        }
        let waiting = self.read_models.unapplied_withdrawals(WAITING_MAX).await?.value;
        self.refused.retain(|id, _| waiting.iter().any(|row| row.id == *id));
        let now = Instant::now();
        let due = waiting.iter().map(|row| row.id).filter(|id| self.is_due(*id, now));
        let due: Vec<WithdrawalId> = due.take(ASKED_MAX).collect();
        let mut position = 0;
        for withdrawal_id in due {
            let transaction_id = self.clerk.transaction_id();
            let apply = ApplyUnapplied { withdrawal_id, transaction_id };
            let operation = WithdrawalOperation::ApplyUnapplied(apply);
            match self.clerk.would_accept(operation.clone().into()).await {
                Ok(true) => {}
                Ok(false) => {
                    self.refuse(withdrawal_id);
                    continue;
                }
                // Of this one alone: the others do not wait for people to find out.
                Err(SubmitError::Corrupt) => {
                    tracing::error!(withdrawal = %withdrawal_id, "its stream cannot be read");
                    self.refuse(withdrawal_id);
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            match self.clerk.hand_in(operation.into()).await? {
                Handed::Accepted { position: at, .. } => {
                    metrics::counter!("bahi_returns_applied_total").increment(1);
                    tracing::info!(withdrawal = %withdrawal_id, "money that came back is applied");
                    position = position.max(at);
                }
                Handed::Rejected(_) => self.refuse(withdrawal_id),
            }
        }
        // Or the next look would see the same again.
        self.read_models.wait_for(position, CATCH_UP).await?;
        Ok(())
    }

    fn is_due(&self, id: WithdrawalId, now: Instant) -> bool {
        self.refused.get(&id).is_none_or(|(at, _)| *at <= now)
    }

    fn refuse(&mut self, id: WithdrawalId) {
        let before = self.refused.get(&id).map(|(_, pause)| *pause);
        let pause = before.map_or(PAUSE_MIN, |pause| pause.saturating_mul(2).min(PAUSE_MAX));
        let now = Instant::now();
        self.refused.insert(id, (now.checked_add(pause).unwrap_or(now), pause));
    }
}
