//! What a payment says to refunds of it.

use rust_decimal::Decimal;

use super::{
    PAYER_ACCOUNT_CLOSED, Payment, PaymentError, PaymentEvent, PaymentStanding, REFUNDS_MAX,
    RefundCancelled, RefundCompleted, RefundFailed, RefundPayment, RefundRequested, RefundStatus,
    RetryRefund, Sources, decide::Decided, scaled,
};
use crate::ids::RefundId;

impl Payment {
    pub(super) fn give_back(&self, ask: &RefundPayment, standing: &PaymentStanding) -> Decided {
        self.known()?;
        let amount = ask.amount.amount();
        match self.refund(ask.refund_id) {
            Some(known) if known.amount == amount => return Ok(Vec::new()),
            Some(_) => return Err(PaymentError::RefundExists),
            None => {}
        }
        if self.refunds().len() >= REFUNDS_MAX {
            return Err(PaymentError::TooManyRefunds);
        }
        self.check_left(amount)?;
        let (refund_id, reason) = (ask.refund_id, ask.reason.clone());
        let asked = RefundRequested { refund_id, amount, reason };
        let end = self.refund_end(refund_id, amount, ask.receivable_limit, standing);
        Ok(std::iter::once(PaymentEvent::RefundRequested(asked)).chain(end).collect())
    }

    pub(super) fn retry(&self, retry: &RetryRefund, standing: &PaymentStanding) -> Decided {
        self.known()?;
        let refund = self.refund(retry.refund_id).ok_or(PaymentError::RefundNotFound)?;
        match refund.status {
            RefundStatus::Pending => {}
            RefundStatus::Completed => return Ok(Vec::new()),
            status @ (RefundStatus::Failed | RefundStatus::Cancelled) => {
                return Err(PaymentError::RefundNotPending { status });
            }
        }
        let limit = retry.receivable_limit;
        Ok(self.refund_end(retry.refund_id, refund.amount, limit, standing).into_iter().collect())
    }

    pub(super) fn give_up(&self, refund_id: RefundId) -> Decided {
        self.known()?;
        let refund = self.refund(refund_id).ok_or(PaymentError::RefundNotFound)?;
        match refund.status {
            RefundStatus::Pending => {
                Ok(vec![PaymentEvent::RefundCancelled(RefundCancelled { refund_id })])
            }
            RefundStatus::Cancelled => Ok(Vec::new()),
            status @ (RefundStatus::Completed | RefundStatus::Failed) => {
                Err(PaymentError::RefundNotPending { status })
            }
        }
    }

    /// Refunds and the dispute are never more than was paid.
    pub(super) fn check_left(&self, amount: Decimal) -> Result<(), PaymentError> {
        let left = self.left();
        if amount > left { Err(PaymentError::ExceedsPayment { left }) } else { Ok(()) }
    }

    /// How a refund ends now; nothing if it has to wait.
    fn refund_end(
        &self,
        refund_id: RefundId,
        amount: Decimal,
        receivable_limit: Decimal,
        standing: &PaymentStanding,
    ) -> Option<PaymentEvent> {
        if standing.payer_closed {
            let reason = PAYER_ACCOUNT_CLOSED.parse().ok()?;
            return Some(PaymentEvent::RefundFailed(RefundFailed { refund_id, reason }));
        }
        // A freeze ends one day: the refund waits for it.
        if standing.payer_room.is_some_and(|room| room < amount) {
            return None;
        }
        let from = self.sources(amount, standing);
        let owed = standing.owed.saturating_add(from.receivable);
        let is_lent = !from.receivable.is_zero();
        if is_lent && (standing.shop_closed || owed > receivable_limit) {
            return None;
        }
        let transaction_id = refund_id.transaction_id();
        Some(PaymentEvent::RefundCompleted(RefundCompleted { refund_id, from, transaction_id }))
    }

    /// Where the shop's money comes from.
    pub(super) fn sources(&self, amount: Decimal, standing: &PaymentStanding) -> Sources {
        let at_most = |most: Option<Decimal>| most.map_or(amount, |most| most.min(amount));
        let unsettled = self.unsettled().min(at_most(standing.unsettled));
        let rest = amount.saturating_sub(unsettled);
        let available = at_most(standing.available).min(rest);
        let at_scale = |part| scaled(part, amount.scale());
        Sources {
            unsettled: at_scale(unsettled),
            available: at_scale(available),
            receivable: at_scale(rest.saturating_sub(available)),
        }
    }
}
