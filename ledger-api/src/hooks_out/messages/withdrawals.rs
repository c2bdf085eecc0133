//! The messages of withdrawals; and what the end of one says of the refund that it carries to a
//! payer's bank.

use ledger_core::{
    log::RecordedEvent,
    withdrawal::{Withdrawal, WithdrawalEvent},
};
use projections::{ReadError, RefundRow, WithdrawalFact, WithdrawalHistory};

use super::{
    Message, MessageError, Messages, decoded, message, metadata,
    payments::{REFUND_COMPLETED, accounts},
};
use crate::{
    deposits::{Outside, is_outside},
    payments::RefundAt,
    routes::{payments::refund_out, withdrawals::withdrawal_out},
};

/// What an event of a withdrawal is told as.
pub(super) const fn of_withdrawal(event: &WithdrawalEvent) -> Option<&'static str> {
    Some(match event {
        // Where it is, is said by the event after it, in the same append.
        WithdrawalEvent::Requested(_) => return None,
        WithdrawalEvent::Completed(_) | WithdrawalEvent::CompletedLate(_) => "withdrawal.completed",
        WithdrawalEvent::Failed(_) | WithdrawalEvent::Rejected(_) => "withdrawal.failed",
        WithdrawalEvent::Cancelled(_) => "withdrawal.cancelled",
        WithdrawalEvent::Returned(_) => "withdrawal.returned",
        WithdrawalEvent::ReviewRequired(_)
        | WithdrawalEvent::Approved {}
        | WithdrawalEvent::Queued(_)
        | WithdrawalEvent::AttemptBegun(_)
        | WithdrawalEvent::AttemptRefused(_)
        | WithdrawalEvent::OutcomeUnknown(_)
        | WithdrawalEvent::AttentionNeeded(_)
        | WithdrawalEvent::PaidInPart(_)
        | WithdrawalEvent::Applied(_)
        | WithdrawalEvent::Assigned(_)
        | WithdrawalEvent::SentAgain(_) => "withdrawal.updated",
    })
}

/// What the end of a withdrawal says of the refund that it carries.
fn of_carrier(told_as: &str) -> Option<&'static str> {
    match told_as {
        "withdrawal.completed" => Some(REFUND_COMPLETED),
        "withdrawal.failed" | "withdrawal.cancelled" | "withdrawal.returned" => {
            Some("refund.failed")
        }
        _ => None,
    }
}

impl Messages {
    /// A withdrawal, and the refund that this is the end of.
    pub(super) async fn withdrawal(
        &self,
        event: &RecordedEvent,
        event_type: &'static str,
    ) -> Result<Vec<Message>, MessageError> {
        let mut facts = Vec::new();
        for past in self.stream(event).await? {
            let said = metadata(&past);
            facts.push(WithdrawalFact {
                position: past.position,
                recorded_at: past.recorded_at,
                actor: said.actor,
                approver: said.approver,
                evidence_sha256: said.evidence_sha256,
                event: decoded::<WithdrawalEvent>(&past)?,
            });
        }
        let withdrawal = Withdrawal::of(facts.iter().map(|fact| fact.event.clone()));
        let beside = self.carried_refund(event, &withdrawal, event_type).await?;
        let accounts = withdrawal.properties().map(|requested| requested.account.clone());
        let history = WithdrawalHistory { withdrawal, facts, note: None };
        let id = event.aggregate_id.parse().map_err(|_| MessageError::Object(event.position))?;
        let out = withdrawal_out(id, history, event.position);
        let out = out.map_err(|_| MessageError::Object(event.position))?;
        let own =
            message(event, event_type, event.sequence, (accounts.into_iter().collect(), &out))?;
        Ok(std::iter::once(own).chain(beside).collect())
    }

    /// The refund that a withdrawal carries to a payer's bank, if it carries one and this ends it.
    async fn carried_refund(
        &self,
        event: &RecordedEvent,
        withdrawal: &Withdrawal,
        told_as: &'static str,
    ) -> Result<Option<Message>, MessageError> {
        let unshown = || MessageError::Object(event.position);
        let Some(requested) = withdrawal.properties() else { return Ok(None) };
        let Some(event_type) = of_carrier(told_as).filter(|_| is_outside(&requested.account))
        else {
            return Ok(None);
        };
        let id = event.aggregate_id.parse().map_err(|_| unshown())?;
        let outside = Outside::new(self.pool.clone());
        let refund = outside.carried(&requested.account, id).await.map_err(ReadError::from)?;
        let Some(refund) = refund else { return Ok(None) };
        let found = self.read_models.refund(refund).await?;
        if found.position < event.position {
            return Err(MessageError::Behind(event.position));
        }
        let row = found.value.ok_or_else(unshown)?;
        let accounts = accounts(&row.merchant, row.currency).ok_or_else(unshown)?;
        let at = RefundAt::to_bank(row.status, withdrawal.status());
        let payment = row.payment.to_string();
        let row = RefundRow { changed_at: event.recorded_at, ..row };
        let out = refund_out(row, at, event.position);
        let message = message(event, event_type, event.position, (accounts, &out))?;
        Ok(Some(Message { object_id: payment, beside: true, ..message }))
    }
}
