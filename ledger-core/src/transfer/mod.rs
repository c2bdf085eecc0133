//! The transfer that waits to be claimed: money for a phone number that nobody has proved yet.
//!
//! It knows where it is in its life and what it was promised to cost; nothing of accounts, of the
//! clock, or of numbers (it keeps a keyed hash of one). The money stays the sender's, in a hold
//! without an end of its own: when the transfer ends, the same append ends the hold. A transfer to
//! somebody who is known is a transaction like any other and has no stream.
//!
//! The law: exactly one of claim, cancellation and expiry wins, and the first to be appended is it.
//! A claim at or after `expires_at` is refused whether or not the expiry was appended. A claim that
//! the receiver's account cannot take waits in review, and the seven days go on meanwhile: money
//! that nobody could take goes back. What is known already changes nothing when it comes again.
//!
//! Its transaction and its hold have the transfer's own UUID, so that what is said of the one (a
//! note) is found by the other from the beginning.

mod command;
mod decide;
mod error;
mod event;
pub mod movement;
mod state;

use std::sync::Arc;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use command::{
    ClaimTransfer, DecideClaim, HoldTransfer, TransferCommand, TransferOperation, TransferStanding,
};
pub use error::TransferError;
pub use event::{Cancelled, ClaimInReview, Completed, Held, TransferEvent};
pub use state::TransferStatus;

use crate::{
    command::Receipt,
    ids::{AccountId, HoldId, Reference, TransactionId, TransferId},
};

/// The reason of a review that the receiver can end: a claim that finds room passes.
pub const ACCOUNT_CANNOT_TAKE: &str = "account_cannot_take";

impl TransferId {
    /// The transaction that pays it out.
    pub const fn transaction_id(self) -> TransactionId {
        TransactionId::from_uuid(self.uuid())
    }

    /// The hold that keeps its money.
    pub const fn hold_id(self) -> HoldId {
        HoldId::from_uuid(self.uuid())
    }
}

/// A transfer as its events made it. Cheap enough to clone: a decision is made on a clone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Transfer {
    held: Option<Arc<Held>>,
    status: Option<TransferStatus>,
    /// Who has it, or wants it while it is in review.
    receiver: Option<AccountId>,
    /// Why it is in review, or why a claim was refused.
    reason: Option<Reference>,
}

impl Transfer {
    /// The transfer that these events made.
    pub fn of(events: impl IntoIterator<Item = TransferEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::after)
    }

    /// The transfer after one more event.
    pub fn after(mut self, event: TransferEvent) -> Self {
        self.apply(event);
        self
    }

    /// Its fixed properties, once it exists.
    pub fn properties(&self) -> Option<&Held> {
        self.held.as_deref()
    }

    /// Where it is in its life; nothing before it exists.
    pub const fn status(&self) -> Option<TransferStatus> {
        self.status
    }

    /// The account that has the money, or that it is claimed for while the claim is in review.
    pub const fn receiver(&self) -> Option<&AccountId> {
        self.receiver.as_ref()
    }

    /// Why a claim is in review, or was refused.
    pub const fn reason(&self) -> Option<&Reference> {
        self.reason.as_ref()
    }

    /// What is answered to whoever changed it.
    pub fn receipt(&self, transfer_id: TransferId) -> Option<Receipt> {
        let held = self.properties()?;
        Some(Receipt::Transfer {
            transfer_id,
            status: self.status?,
            account: held.account.clone(),
            amount: held.amount,
            fee: held.fee,
            to: self.receiver.clone(),
            expires_at: held.expires_at,
        })
    }
}

impl Aggregate for Transfer {
    const TYPE: &'static str = "transfer";
    type Command = TransferCommand;
    type Event = TransferEvent;
    type Error = TransferError;
    type Services = ();

    async fn handle(
        &mut self,
        command: TransferCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TransferError> {
        for event in self.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: TransferEvent) {
        match event {
            TransferEvent::Held(held) => {
                self.held = Some(Arc::new(held));
                self.status = Some(TransferStatus::PendingClaim);
            }
            TransferEvent::ClaimInReview(claim) => {
                self.status = Some(TransferStatus::ClaimInReview);
                self.receiver = Some(claim.account);
                self.reason = Some(claim.reason);
            }
            TransferEvent::Completed(completed) => {
                self.status = Some(TransferStatus::Completed);
                self.receiver = Some(completed.account);
                self.reason = None;
            }
            TransferEvent::Cancelled(cancelled) => {
                self.status = Some(TransferStatus::Cancelled);
                self.receiver = None;
                self.reason = cancelled.reason;
            }
            TransferEvent::Expired {} => {
                self.status = Some(TransferStatus::Expired);
                self.receiver = None;
                self.reason = None;
            }
        }
    }
}

#[cfg(test)]
mod tests;
