//! A shop's request to be paid: behind a static code at the counter, a code with an amount, or a
//! link.
//!
//! It knows what is asked for and whether it can still be paid; nothing of accounts, of who pays,
//! or of the clock. One for a single payment ends with it, in the append of that payment; one for
//! many stays open and its stream does not grow with what is paid by it.
//!
//! The law: exactly one of payment, expiry and closing wins, and the first to be appended is it. A
//! payment at or after `expires_at` is refused whether or not the expiry was appended. What is
//! known already changes nothing when it comes again. Its words are kept beside the log, under the
//! transaction id of its own UUID.

mod command;
mod decide;
mod error;
mod event;

use std::sync::Arc;

use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use command::{
    CreatePaymentRequest, PayRequest, PaymentRequestAsk, PaymentRequestCommand,
    PaymentRequestOperation,
};
pub use error::PaymentRequestError;
pub use event::{Created, Paid, PaymentRequestEvent};

use crate::{
    command::Receipt,
    ids::{PaymentId, PaymentRequestId, TransactionId},
};

impl PaymentRequestId {
    /// What its words are kept under; no transaction of the ledger has it.
    pub const fn note_id(self) -> TransactionId {
        TransactionId::from_uuid(self.uuid())
    }
}

/// Where a payment request is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRequestStatus {
    /// It can be paid.
    Open,
    /// Its one payment was made.
    Paid,
    /// Nobody paid it in time.
    Expired,
    /// The shop took it back.
    Closed,
}

impl PaymentRequestStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Paid, Self::Expired, Self::Closed];

    /// The status in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }

    /// Whether nothing more can become of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Paid | Self::Expired | Self::Closed)
    }
}

/// A payment request as its events made it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PaymentRequest {
    created: Option<Arc<Created>>,
    status: Option<PaymentRequestStatus>,
    payment: Option<PaymentId>,
}

impl PaymentRequest {
    /// The request that these events made.
    pub fn of(events: impl IntoIterator<Item = PaymentRequestEvent>) -> Self {
        let mut request = Self::default();
        events.into_iter().for_each(|event| request.apply(event));
        request
    }

    /// Its fixed properties, once it exists.
    pub fn properties(&self) -> Option<&Created> {
        self.created.as_deref()
    }

    /// Where it is in its life; nothing before it exists.
    pub const fn status(&self) -> Option<PaymentRequestStatus> {
        self.status
    }

    /// The payment that ended it.
    pub const fn payment(&self) -> Option<PaymentId> {
        self.payment
    }

    /// What is answered to whoever changed it.
    pub fn receipt(&self, request_id: PaymentRequestId) -> Option<Receipt> {
        let created = self.properties()?;
        Some(Receipt::PaymentRequest {
            request_id,
            status: self.status?,
            merchant: created.merchant.clone(),
            currency: created.currency,
            amount: created.amount,
            payment_id: self.payment,
            expires_at: created.expires_at,
        })
    }
}

impl Aggregate for PaymentRequest {
    const TYPE: &'static str = "payment_request";
    type Command = PaymentRequestCommand;
    type Event = PaymentRequestEvent;
    type Error = PaymentRequestError;
    type Services = ();

    async fn handle(
        &mut self,
        command: PaymentRequestCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), PaymentRequestError> {
        for event in self.decide(&command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: PaymentRequestEvent) {
        match event {
            PaymentRequestEvent::Created(created) => {
                self.created = Some(Arc::new(created));
                self.status = Some(PaymentRequestStatus::Open);
            }
            PaymentRequestEvent::Paid(paid) => {
                self.status = Some(PaymentRequestStatus::Paid);
                self.payment = Some(paid.payment_id);
            }
            PaymentRequestEvent::Expired {} => self.status = Some(PaymentRequestStatus::Expired),
            PaymentRequestEvent::Closed {} => self.status = Some(PaymentRequestStatus::Closed),
        }
    }
}

#[cfg(test)]
mod tests;
