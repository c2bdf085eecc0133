//! Takes operations on payment requests apart. They move nothing: a request is paid by a payment.

use super::{Plan, ReceiptPlan, Step, View, checks, planner::Planner};
use crate::{
    command::Rejection,
    money::MoneyError,
    payment_request::{
        CreatePaymentRequest, PaymentRequestAsk, PaymentRequestCommand, PaymentRequestError,
        PaymentRequestOperation,
    },
};

impl<V: View> Planner<'_, V> {
    pub(super) fn payment_request(
        &self,
        operation: &PaymentRequestOperation,
    ) -> Result<Plan, Rejection> {
        let id = operation.request_id();
        let mut notes = Vec::new();
        if let PaymentRequestOperation::Create(create) = operation {
            self.check_create(create)?;
            notes.extend(checks::note(id.note_id(), create.description.as_deref())?);
        }
        let ask = PaymentRequestAsk::Operation(operation.clone());
        let command = PaymentRequestCommand { ask, now: self.now };
        let steps = vec![Step::PaymentRequest(id, Box::new(command))];
        Ok(Plan { steps, receipt: ReceiptPlan::PaymentRequest(id), notes })
    }

    fn check_create(&self, create: &CreatePaymentRequest) -> Result<(), Rejection> {
        let currency = self.view.book().currency(create.currency).ok_or_else(|| {
            Rejection::new("currency_unknown", "the book does not have this currency")
        })?;
        let Some(amount) = create.amount else { return Ok(()) };
        if amount.currency() != currency {
            let text = "the amount is in another currency than the request";
            return Err(Rejection::new(MoneyError::CurrencyMismatch.code(), text));
        }
        if !amount.is_positive() {
            return Err(Rejection::new("amount_not_positive", "the amount must be above zero"));
        }
        Ok(())
    }
}

impl From<PaymentRequestError> for Rejection {
    fn from(error: PaymentRequestError) -> Self {
        Self::new(error.code(), &error.to_string())
    }
}
