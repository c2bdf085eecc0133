//! The reversal: that a transaction was undone, which can happen once.

mod event;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use event::{ReversalEvent, Reversed};

use crate::ids::TransactionId;

/// Whether a transaction was reversed, and by which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reversal {
    by: Option<TransactionId>,
}

impl Reversal {
    /// The transaction that undid it.
    pub const fn by(&self) -> Option<TransactionId> {
        self.by
    }
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalCommand {
    /// Note that it is undone.
    Reverse {
        /// By which transaction.
        by: TransactionId,
    },
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReversalError {
    /// It was undone before.
    #[error("the transaction was reversed already, by {by}")]
    AlreadyReversed {
        /// By which transaction.
        by: TransactionId,
    },
}

impl ReversalError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AlreadyReversed { .. } => "already_reversed",
        }
    }
}

impl Aggregate for Reversal {
    const TYPE: &'static str = "reversal";
    type Command = ReversalCommand;
    type Event = ReversalEvent;
    type Error = ReversalError;
    type Services = ();

    async fn handle(
        &mut self,
        command: ReversalCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), ReversalError> {
        let ReversalCommand::Reverse { by } = command;
        if let Some(by) = self.by {
            return Err(ReversalError::AlreadyReversed { by });
        }
        // After this point the command succeeds.
        sink.write(ReversalEvent::Reversed(Reversed { by }), self).await;
        Ok(())
    }

    fn apply(&mut self, event: ReversalEvent) {
        let ReversalEvent::Reversed(reversed) = event;
        self.by = Some(reversed.by);
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::test::TestFramework;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_transaction_is_reversed_once() {
        let by = TransactionId::from_uuid(Uuid::from_u128(1));
        let other = TransactionId::from_uuid(Uuid::from_u128(2));
        let reversed = ReversalEvent::Reversed(Reversed { by });
        TestFramework::<Reversal>::with(())
            .given_no_previous_events()
            .when(ReversalCommand::Reverse { by })
            .then_expect_events(vec![reversed.clone()]);
        TestFramework::<Reversal>::with(())
            .given(vec![reversed])
            .when(ReversalCommand::Reverse { by: other })
            .then_expect_error(ReversalError::AlreadyReversed { by });
    }
}
