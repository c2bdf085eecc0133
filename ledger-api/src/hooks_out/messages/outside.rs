//! The messages of payments from other banks that are no payments of the ledger: that one comes,
//! told with what a deposit says of its credit first, and that the shop cannot have one, told with
//! the withdrawal that sends it back. The payment's own messages come between or instead.
//!
//! All of one payment have the place in the log as their `seq`: they are of several streams.

use ledger_core::{
    deposit::{Deposit, DepositEvent, credit},
    ids::{AccountId, DepositId},
    log::RecordedEvent,
    withdrawal::WithdrawalEvent,
};
use projections::ReadError;
use rust_decimal::Decimal;

use super::{Message, MessageError, Messages, decoded, message, payments::accounts};
use crate::{
    deposits::{Incoming, IncomingState, Outside, is_outside},
    payments::code_of,
    routes::payments::incoming_out,
};

/// That a payer's bank has told of a payment.
pub(super) const PROCESSING: &str = "payment.processing";
/// That the shop cannot have it.
pub(super) const FAILED: &str = "payment.failed";

impl Messages {
    /// What an event says of a payment from another bank, beside its own message.
    pub(super) async fn outside(
        &self,
        event: &RecordedEvent,
        wants: impl Fn(&'static str) -> bool,
    ) -> Result<Option<Message>, MessageError> {
        match (event.aggregate_type.as_str(), event.event_type.as_str()) {
            ("deposit", "received" | "credited") if wants(PROCESSING) => {
                self.processing(event).await
            }
            ("withdrawal", "requested") if wants(FAILED) => self.failed(event).await,
            _ => Ok(None),
        }
    }

    /// The first word of a credit on an account of a payer from outside.
    async fn processing(&self, event: &RecordedEvent) -> Result<Option<Message>, MessageError> {
        let unshown = || MessageError::Object(event.position);
        let id: DepositId = event.aggregate_id.parse().map_err(|_| unshown())?;
        let said = decoded::<DepositEvent>(event)?;
        let (number, amount) = if let DepositEvent::Received(told) = said {
            (told.number, told.credit.amount)
        } else if let DepositEvent::Credited(booked) = said {
            (booked.number, booked.credit.amount)
        } else {
            return Ok(None);
        };
        // Nobody asked for it: its id follows from the credit.
        if !credit::is_of_credit(id) {
            return Ok(None);
        }
        let mut past = self.stream(event).await?;
        past.pop();
        let past = past.iter().map(decoded::<DepositEvent>).collect::<Result<Vec<_>, _>>()?;
        let deposit = Deposit::of(past);
        // With its first word alone.
        let account = deposit.account().filter(|account| is_outside(account));
        let Some(account) = account.filter(|_| deposit.credit(number).is_none()) else {
            return Ok(None);
        };
        let Some(coming) = self.incoming(event, account).await? else { return Ok(None) };
        let coming = Incoming {
            state: IncomingState::Processing,
            reason: None,
            back: None,
            amount: Some(amount),
            ..coming
        };
        told(event, PROCESSING, &coming, amount).map(Some)
    }

    /// The first withdrawal that sends all of a credit back: another is a refund's, or sends once
    /// more what did not arrive.
    async fn failed(&self, event: &RecordedEvent) -> Result<Option<Message>, MessageError> {
        let WithdrawalEvent::Requested(requested) = decoded(event)? else { return Ok(None) };
        if !is_outside(&requested.account) {
            return Ok(None);
        }
        let Some(coming) = self.incoming(event, &requested.account).await? else {
            return Ok(None);
        };
        let id = event.aggregate_id.parse().map_err(|_| MessageError::Object(event.position))?;
        if coming.credit.sent_back_by() != id {
            return Ok(None);
        }
        let amount = requested.amount;
        let coming = Incoming {
            state: IncomingState::Failed,
            back: Some((id, None)),
            amount: Some(amount),
            ..coming
        };
        told(event, FAILED, &coming, amount).map(Some)
    }

    /// What is noted of the credit of an account; what its request says is in the read models.
    async fn incoming(
        &self,
        event: &RecordedEvent,
        account: &AccountId,
    ) -> Result<Option<Incoming>, MessageError> {
        if self.read_models.position().await? < event.position {
            return Err(MessageError::Behind(event.position));
        }
        let outside = Outside::new(self.pool.clone());
        Ok(outside.incoming_on(account).await.map_err(ReadError::from)?)
    }
}

fn told(
    event: &RecordedEvent,
    event_type: &'static str,
    coming: &Incoming,
    amount: Decimal,
) -> Result<Message, MessageError> {
    let unshown = || MessageError::Object(event.position);
    let currency = coming.credit.account.currency().map_err(|_| unshown())?;
    let merchant = code_of(coming.credit.merchant).map_err(|_| unshown())?;
    let accounts = accounts(&merchant, currency).ok_or_else(unshown)?;
    let scale = u8::try_from(amount.scale()).map_err(|_| unshown())?;
    let out = incoming_out(coming, scale, (event.recorded_at, event.position));
    let out = out.map_err(|_| unshown())?;
    let message = message(event, event_type, event.position, (accounts, &out))?;
    Ok(Message { object_id: coming.payment.to_string(), beside: true, ..message })
}
