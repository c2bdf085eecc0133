//! The messages of payments, of their refunds, and of settlements.
//!
//! A refund lives in its payment's stream, so its messages wait for those of the payment and its
//! `seq` is the payment's. A payment from outside begins as a deposit and a refund of it goes on as
//! a withdrawal, which tell of it as well: their `seq` is the place in the log. A settlement has no
//! stream: it is told of by its transaction.

use ledger_core::{
    account::AccountEvent,
    clock::Timestamp,
    ids::{AccountId, MerchantCode, RefundId, SettlementId},
    log::{Position, RecordedEvent},
    money::CurrencyCode,
    payment::{Completed, Dispute, DisputeWinner, Payment, PaymentEvent, RefundStatus},
    posting::Kind,
};
use projections::{PaymentRow, RefundRow};
use rust_decimal::Decimal;

use super::{Message, MessageError, Messages, decoded, message};
use crate::{
    deposits::is_outside,
    payments::{RefundAt, RefundState},
    routes::payments::{payment_out, refund_out, settlement_out},
};

/// That the money of some payments can be spent.
pub(super) const SETTLEMENT_PAID: &str = "settlement.paid";

/// That the payer has a refund.
pub(super) const REFUND_COMPLETED: &str = "refund.completed";
/// That a refund goes on.
pub(super) const REFUND_UPDATED: &str = "refund.updated";

/// What an event of a payment is told as.
pub(super) const fn of_payment(event: &PaymentEvent) -> Option<&'static str> {
    Some(match event {
        PaymentEvent::Completed(_) => "payment.completed",
        PaymentEvent::DisputeOpened(_) => "payment.disputed",
        PaymentEvent::DisputeDecided(_) => "payment.dispute_decided",
        PaymentEvent::RefundRequested(_) => REFUND_UPDATED,
        PaymentEvent::RefundCompleted(_) => REFUND_COMPLETED,
        PaymentEvent::RefundFailed(_) => "refund.failed",
        PaymentEvent::RefundCancelled(_) => "refund.cancelled",
        // The settlement is told of, once for all its payments.
        PaymentEvent::Settled(_) => return None,
    })
}

/// The last leg of a settlement: all that it is made of stands before it.
pub(super) fn of_settlement(event: &AccountEvent) -> Option<&'static str> {
    let (AccountEvent::Debited(leg) | AccountEvent::Credited(leg)) = event else { return None };
    let is_last = leg.leg == leg.legs && leg.kind.as_str() == Kind::SETTLEMENT;
    is_last.then_some(SETTLEMENT_PAID)
}

/// Which refund an event is about.
const fn refund_of(event: &PaymentEvent) -> Option<RefundId> {
    match event {
        PaymentEvent::RefundRequested(asked) => Some(asked.refund_id),
        PaymentEvent::RefundCompleted(done) => Some(done.refund_id),
        PaymentEvent::RefundFailed(failed) => Some(failed.refund_id),
        PaymentEvent::RefundCancelled(given_up) => Some(given_up.refund_id),
        PaymentEvent::Completed(_)
        | PaymentEvent::Settled(_)
        | PaymentEvent::DisputeOpened(_)
        | PaymentEvent::DisputeDecided(_) => None,
    }
}

/// A payment as it was after an event, and where its events stand.
struct Lived {
    payment: Payment,
    events: Vec<(Position, Timestamp, PaymentEvent)>,
}

impl Lived {
    fn of(stream: &[RecordedEvent]) -> Result<Self, MessageError> {
        let mut events = Vec::with_capacity(stream.len());
        for past in stream {
            events.push((past.position, past.recorded_at, decoded::<PaymentEvent>(past)?));
        }
        let payment = Payment::of(events.iter().map(|(.., event)| event.clone()));
        Ok(Self { payment, events })
    }
}

impl Messages {
    /// A payment, or the refund that the event is about.
    pub(super) async fn payment(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Message, MessageError> {
        let unshown = || MessageError::Object(event.position);
        let lived = Lived::of(&self.stream(event).await?)?;
        let completed = lived.payment.properties().ok_or_else(unshown)?;
        let currency = completed.payer.currency().map_err(|_| unshown())?;
        let accounts = accounts(&completed.merchant, currency).ok_or_else(unshown)?;
        let refund = lived.events.last().and_then(|(.., last)| refund_of(last));
        let is_outside = is_outside(&completed.payer);
        let seq = if is_outside { event.position } else { event.sequence };
        if let Some(refund) = refund {
            let row = refund_row(event, &lived, completed, refund).ok_or_else(unshown)?;
            let at = RefundAt::after(row.status, &row.payer);
            // The shop has given it, and the payer's bank does not have it yet.
            let event_type =
                if at.state == RefundState::Processing { REFUND_UPDATED } else { event_type };
            let out = refund_out(row, at, event.position);
            return message(event, event_type, seq, (accounts, &out));
        }
        let row = payment_row(event, &lived, completed).ok_or_else(unshown)?;
        let out = payment_out(row, event.position);
        message(event, event_type, seq, (accounts, &out))
    }

    pub(super) async fn settlement(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Option<Message>, MessageError> {
        let (AccountEvent::Debited(leg) | AccountEvent::Credited(leg)) = decoded(event)? else {
            return Ok(None);
        };
        let id = SettlementId::from_uuid(leg.transaction_id.uuid());
        let found = self.read_models.settlement(id).await?;
        if found.position < event.position {
            return Err(MessageError::Behind(event.position));
        }
        let Some(row) = found.value else { return Ok(None) };
        let unshown = || MessageError::Object(event.position);
        let accounts = accounts(&row.merchant, row.currency).ok_or_else(unshown)?;
        let out = settlement_out(&row, event.position);
        let message = message(event, event_type, 1, (accounts, &out))?;
        Ok(Some(Message { object_id: id.to_string(), ..message }))
    }
}

/// The account by which it is seen whose it is.
pub(super) fn accounts(merchant: &MerchantCode, currency: CurrencyCode) -> Option<Vec<AccountId>> {
    let account = format!("merchant:{}:unsettled:{currency}", merchant.as_str());
    Some(vec![account.parse().ok()?])
}

fn payment_row(event: &RecordedEvent, lived: &Lived, completed: &Completed) -> Option<PaymentRow> {
    let Lived { payment, events } = lived;
    let (paid_position, paid_at, _) = events.first()?;
    let settled = payment.settled();
    let settled_at = events.iter().find(|(.., one)| matches!(one, PaymentEvent::Settled(_)));
    let pending = payment.refunds().iter().filter(|one| one.status == RefundStatus::Pending);
    let text = |words: Option<&ledger_core::ids::Reference>| words.map(ToString::to_string);
    Some(PaymentRow {
        id: event.aggregate_id.parse().ok()?,
        merchant: completed.merchant.clone(),
        payer: completed.payer.clone(),
        currency: completed.payer.currency().ok()?,
        gross: completed.amount,
        fee: completed.fee.saturating_sub(completed.tax),
        tax: completed.tax,
        net: completed.net(),
        refunded: payment.refunded(),
        pending: pending.map(|one| one.amount).fold(Decimal::ZERO, Decimal::saturating_add),
        disputed: payment.dispute().map(Dispute::counts).unwrap_or_default(),
        dispute: payment
            .dispute()
            .map(|dispute| dispute.won_by.map_or("open", DisputeWinner::as_str).to_owned()),
        status: payment.status()?,
        request: completed.request,
        order_id: text(completed.order.as_ref()),
        store: text(completed.store.as_ref()),
        terminal: text(completed.terminal.as_ref()),
        settles_on: completed.settles_on,
        settlement: settled.map(|settled| settled.settlement_id),
        settled: settled.map(|settled| settled.amount),
        settled_at: settled_at.map(|(_, at, _)| *at),
        paid_at: *paid_at,
        paid_position: *paid_position,
        changed_at: event.recorded_at,
        sequence: event.sequence,
        last_position: event.position,
    })
}

fn refund_row(
    event: &RecordedEvent,
    lived: &Lived,
    completed: &Completed,
    id: RefundId,
) -> Option<RefundRow> {
    let refund = lived.payment.refund(id)?;
    let first = lived.events.iter().find(|(.., one)| refund_of(one) == Some(id))?;
    Some(RefundRow {
        id,
        payment: event.aggregate_id.parse().ok()?,
        merchant: completed.merchant.clone(),
        payer: completed.payer.clone(),
        currency: completed.payer.currency().ok()?,
        amount: refund.amount,
        status: refund.status,
        reason: refund.reason.as_ref().map(ToString::to_string),
        requested_at: first.1,
        requested_position: first.0,
        changed_at: event.recorded_at,
        last_position: event.position,
    })
}
