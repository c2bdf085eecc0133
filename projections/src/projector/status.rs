//! What a projector says about itself.

use std::time::Duration;

use ledger_core::log::Position;
use serde::Serialize;
use tokio::sync::watch;

use super::chunk::Reach;

/// How far a projector is and how it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectorStatus {
    /// Everything up to here is in the read models.
    pub position: Position,
    /// Where the log ended when the projector last looked.
    pub head: Position,
    /// How many events are not in the read models yet.
    pub lag_events: u64,
    /// For how long the oldest of them has been in the log.
    pub lag_ms: u64,
    /// How it goes.
    #[serde(flatten)]
    pub state: ProjectorState,
}

/// How it goes with a projector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProjectorState {
    /// It follows the log.
    Following,
    /// It does nothing, and why: just started, another process projects, or no database.
    Waiting {
        /// In words.
        reason: String,
    },
    /// It met an event that it cannot fold, and stands before it until somebody acts.
    Stopped {
        /// The event.
        position: Position,
        /// In words.
        reason: String,
    },
}

impl ProjectorStatus {
    pub(super) fn starting() -> Self {
        Self {
            position: 0,
            head: 0,
            lag_events: 0,
            lag_ms: 0,
            state: ProjectorState::Waiting { reason: "starting".to_owned() },
        }
    }

    pub(super) fn at(reach: Reach, state: ProjectorState) -> Self {
        Self {
            position: reach.position,
            head: reach.head,
            lag_events: reach.head.saturating_sub(reach.position),
            lag_ms: reach.lag_ms,
            state,
        }
    }

    /// Whether it follows the log.
    pub fn is_following(&self) -> bool {
        self.state == ProjectorState::Following
    }
}

/// Waits until a projector of this process has folded everything up to `position`; whether it did
/// within `timeout`.
pub async fn wait_for(
    status: &watch::Receiver<ProjectorStatus>,
    position: Position,
    timeout: Duration,
) -> bool {
    let mut status = status.clone();
    let reached = status.wait_for(|status| status.position >= position);
    matches!(tokio::time::timeout(timeout, reached).await, Ok(Ok(_)))
}
