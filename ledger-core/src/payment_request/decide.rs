//! What a payment request says to what it is asked. Guards stand in order of precedence. No event
//! at all means: that is known already, or a request for many payments was paid once more.

use super::{
    CreatePaymentRequest, Created, Paid, PayRequest, PaymentRequest, PaymentRequestAsk,
    PaymentRequestCommand, PaymentRequestError, PaymentRequestEvent, PaymentRequestOperation,
    PaymentRequestStatus,
};
use crate::clock::Timestamp;

type Decided = Result<Vec<PaymentRequestEvent>, PaymentRequestError>;

impl PaymentRequest {
    /// What comes of a command.
    ///
    /// # Errors
    /// The first [`PaymentRequestError`] in order of precedence.
    pub fn decide(&self, command: &PaymentRequestCommand) -> Decided {
        let now = command.now;
        match &command.ask {
            PaymentRequestAsk::Operation(PaymentRequestOperation::Create(create)) => {
                self.create(create, now)
            }
            PaymentRequestAsk::Operation(PaymentRequestOperation::Close(_)) => self.close(),
            PaymentRequestAsk::Operation(PaymentRequestOperation::Expire(_)) => self.expire(now),
            PaymentRequestAsk::Pay(pay) => self.pay(pay, now),
        }
    }

    fn known(&self) -> Result<(&Created, PaymentRequestStatus), PaymentRequestError> {
        self.properties().zip(self.status()).ok_or(PaymentRequestError::NotFound)
    }

    fn create(&self, create: &CreatePaymentRequest, now: Timestamp) -> Decided {
        if self.properties().is_some() {
            return Err(PaymentRequestError::Exists);
        }
        if create.expires_at.is_some_and(|end| end <= now) {
            return Err(PaymentRequestError::ExpiryPast);
        }
        Ok(vec![PaymentRequestEvent::Created(Created {
            merchant: create.merchant.clone(),
            currency: create.currency,
            amount: create.amount.map(|amount| amount.amount()),
            order: create.order.clone(),
            store: create.store.clone(),
            terminal: create.terminal.clone(),
            single_use: create.single_use,
            expires_at: create.expires_at,
        })])
    }

    fn pay(&self, pay: &PayRequest, now: Timestamp) -> Decided {
        let (created, status) = self.known()?;
        if pay.merchant != created.merchant || pay.payer.currency() != Ok(created.currency) {
            return Err(PaymentRequestError::AnotherMerchant);
        }
        if status.is_final() {
            return Err(PaymentRequestError::NotPayable { status });
        }
        if created.expires_at.is_some_and(|end| now >= end) {
            return Err(PaymentRequestError::Expired);
        }
        if let Some(amount) = created.amount.filter(|amount| *amount != pay.amount) {
            return Err(PaymentRequestError::AmountDiffers { amount });
        }
        // One for many payments stays as it is: a busy shop's code must not grow a stream.
        let paid = PaymentRequestEvent::Paid(Paid { payment_id: pay.payment_id });
        Ok(if created.single_use { vec![paid] } else { Vec::new() })
    }

    fn close(&self) -> Decided {
        match self.known()?.1 {
            PaymentRequestStatus::Open => Ok(vec![PaymentRequestEvent::Closed {}]),
            PaymentRequestStatus::Closed => Ok(Vec::new()),
            status @ (PaymentRequestStatus::Paid | PaymentRequestStatus::Expired) => {
                Err(PaymentRequestError::NotClosable { status })
            }
        }
    }

    fn expire(&self, now: Timestamp) -> Decided {
        let (created, status) = self.known()?;
        if status.is_final() {
            return Ok(Vec::new());
        }
        if created.expires_at.is_none_or(|end| now < end) {
            return Err(PaymentRequestError::NotExpired);
        }
        Ok(vec![PaymentRequestEvent::Expired {}])
    }
}
