//! The payment: money from a wallet to a shop, with all that may follow: when the shop can dispose
//! of it, what the shop gives back, and a dispute about it.
//!
//! It knows what was paid and what became of each part of it; nothing of accounts, of the clock, or
//! of the bank's holidays. What the shop's and the payer's accounts could give and take comes in
//! with each command.
//!
//! The laws: refunds that are done or wait, and a dispute that is open or won by the payer, are
//! together never more than was paid. What is left of a payment is settled once, by one settlement.
//! The shop gives back out of this payment's own unsettled part first, then out of what it can
//! dispose of, then on credit up to what is agreed; else the refund waits and nothing moves. The
//! fee is ours in any case: the payer gets back the gross amount, the shop pays it. What is known
//! already changes nothing when it comes again.
//!
//! A settlement has no stream: it is a fact of each of its payments, with one transaction.

mod command;
mod decide;
mod disputes;
mod error;
mod event;
pub mod movement;
mod refunds;
mod state;
mod terms;

use std::sync::Arc;

use cqrs_es::{Aggregate, event_sink::EventSink};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use command::{
    DecideDispute, OpenDispute, PayMerchant, PaymentCommand, PaymentOperation, PaymentStanding,
    RefundPayment, RetryRefund, SETTLED_MAX, Settle,
};
pub use error::PaymentError;
pub use event::{
    Completed, DisputeDecided, DisputeOpened, PaymentEvent, RefundCancelled, RefundCompleted,
    RefundFailed, RefundRequested, Settled, Sources,
};
pub use state::{Dispute, DisputeWinner, PaymentStatus, Refund, RefundStatus};
pub use terms::{Split, Terms};

use crate::{
    command::Receipt,
    ids::{PaymentId, RefundId, SettlementId, TransactionId},
};

/// The most refunds of one payment.
pub const REFUNDS_MAX: usize = 100;

/// Why a refund fails whose payer has no wallet any more.
pub const PAYER_ACCOUNT_CLOSED: &str = "payer_account_closed";

impl PaymentId {
    /// The transaction that pays the shop.
    pub const fn transaction_id(self) -> TransactionId {
        TransactionId::from_uuid(self.uuid())
    }
}

impl RefundId {
    /// The transaction that gives it back.
    pub const fn transaction_id(self) -> TransactionId {
        TransactionId::from_uuid(self.uuid())
    }
}

impl SettlementId {
    /// The transaction that settles its payments.
    pub const fn transaction_id(self) -> TransactionId {
        TransactionId::from_uuid(self.uuid())
    }
}

/// A payment as its events made it. Cheap enough to clone: a decision is made on a clone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Payment {
    completed: Option<Arc<Completed>>,
    settled: Option<Settled>,
    refunds: Vec<Refund>,
    dispute: Option<Dispute>,
    /// What of the net was given away while it was unsettled.
    taken: Decimal,
}

impl Payment {
    /// The payment that these events made.
    pub fn of(events: impl IntoIterator<Item = PaymentEvent>) -> Self {
        events.into_iter().fold(Self::default(), Self::after)
    }

    /// The payment after one more event.
    pub fn after(mut self, event: PaymentEvent) -> Self {
        self.apply(event);
        self
    }

    /// Its fixed properties, once it exists.
    pub fn properties(&self) -> Option<&Completed> {
        self.completed.as_deref()
    }

    /// Its settlement, once there was one.
    pub const fn settled(&self) -> Option<&Settled> {
        self.settled.as_ref()
    }

    /// Its refunds, in the order in which they were asked for.
    pub fn refunds(&self) -> &[Refund] {
        &self.refunds
    }

    /// A refund of it.
    pub fn refund(&self, refund_id: RefundId) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.refund_id == refund_id)
    }

    /// Its dispute, if there was one.
    pub const fn dispute(&self) -> Option<&Dispute> {
        self.dispute.as_ref()
    }

    /// What was given back of it.
    pub fn refunded(&self) -> Decimal {
        self.sum_of(|status| status == RefundStatus::Completed)
    }

    /// What can still be given back or disputed: refunds that wait count.
    pub fn left(&self) -> Decimal {
        let Some(completed) = self.properties() else { return Decimal::ZERO };
        let disputed = self.dispute().map(Dispute::counts).unwrap_or_default();
        let gone = self.sum_of(RefundStatus::counts).saturating_add(disputed);
        scaled(completed.amount.saturating_sub(gone), completed.amount.scale())
    }

    /// What of it the shop cannot dispose of yet.
    pub fn unsettled(&self) -> Decimal {
        let Some(completed) = self.properties() else { return Decimal::ZERO };
        let left = completed.net().saturating_sub(self.taken);
        let left = if self.settled.is_some() { Decimal::ZERO } else { left };
        scaled(left, completed.amount.scale())
    }

    fn sum_of(&self, counts: impl Fn(RefundStatus) -> bool) -> Decimal {
        let counted = self.refunds.iter().filter(|refund| counts(refund.status));
        let sum = counted.map(|refund| refund.amount);
        let sum = sum.fold(Decimal::ZERO, Decimal::saturating_add);
        scaled(sum, self.properties().map_or(0, |completed| completed.amount.scale()))
    }

    /// Where it is in its life, the dispute aside; nothing before it exists.
    pub fn status(&self) -> Option<PaymentStatus> {
        let completed = self.properties()?;
        let refunded = self.refunded();
        Some(if refunded.is_zero() {
            PaymentStatus::Completed
        } else if refunded < completed.amount {
            PaymentStatus::PartiallyRefunded
        } else {
            PaymentStatus::Refunded
        })
    }

    /// What is answered to whoever changed it.
    pub fn receipt(&self, payment_id: PaymentId) -> Option<Receipt> {
        let completed = self.properties()?;
        Some(Receipt::Payment {
            payment_id,
            status: self.status()?,
            payer: completed.payer.clone(),
            merchant: completed.merchant.clone(),
            amount: completed.amount,
            fee: completed.fee,
            refunded: self.refunded(),
            disputed: self.dispute().is_some_and(Dispute::is_open),
            request: completed.request,
        })
    }

    /// What is answered to whoever changed a refund of it.
    pub fn refund_receipt(&self, payment_id: PaymentId, refund_id: RefundId) -> Option<Receipt> {
        let (completed, refund) = (self.properties()?, self.refund(refund_id)?);
        Some(Receipt::Refund {
            refund_id,
            payment_id,
            status: refund.status,
            payer: completed.payer.clone(),
            merchant: completed.merchant.clone(),
            amount: refund.amount,
        })
    }

    fn change_refund(&mut self, refund_id: RefundId, status: RefundStatus) -> Option<&mut Refund> {
        let refund = self.refunds.iter_mut().find(|refund| refund.refund_id == refund_id)?;
        refund.status = status;
        Some(refund)
    }
}

/// An amount at a scale, which sums of that scale have but for an empty one.
fn scaled(mut amount: Decimal, scale: u32) -> Decimal {
    amount.rescale(scale);
    amount
}

impl Aggregate for Payment {
    const TYPE: &'static str = "payment";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;
    type Services = ();

    async fn handle(
        &mut self,
        command: PaymentCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), PaymentError> {
        for event in self.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: PaymentEvent) {
        match event {
            PaymentEvent::Completed(completed) => self.completed = Some(Arc::new(completed)),
            PaymentEvent::Settled(settled) => self.settled = Some(settled),
            PaymentEvent::RefundRequested(asked) => self.refunds.push(Refund {
                refund_id: asked.refund_id,
                amount: asked.amount,
                status: RefundStatus::Pending,
                reason: asked.reason,
            }),
            PaymentEvent::RefundCompleted(done) => {
                self.taken = self.taken.saturating_add(done.from.unsettled);
                self.change_refund(done.refund_id, RefundStatus::Completed);
            }
            PaymentEvent::RefundFailed(failed) => {
                if let Some(refund) = self.change_refund(failed.refund_id, RefundStatus::Failed) {
                    refund.reason = Some(failed.reason);
                }
            }
            PaymentEvent::RefundCancelled(cancelled) => {
                self.change_refund(cancelled.refund_id, RefundStatus::Cancelled);
            }
            PaymentEvent::DisputeOpened(opened) => {
                self.taken = self.taken.saturating_add(opened.from.unsettled);
                self.dispute = Some(Dispute { amount: opened.amount, won_by: None });
            }
            PaymentEvent::DisputeDecided(decided) => {
                if let Some(dispute) = &mut self.dispute {
                    dispute.won_by = Some(decided.won_by);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
