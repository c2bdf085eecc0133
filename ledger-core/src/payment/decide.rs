//! What a payment says to what it is asked. Guards stand in order of precedence; what follows them
//! succeeds. No event at all means: that is known already.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{
    Completed, PayMerchant, Payment, PaymentCommand, PaymentError, PaymentEvent, PaymentOperation,
    PaymentStanding, Settled, scaled,
};
use crate::{
    ids::{MerchantCode, SettlementId},
    money::CurrencyCode,
};

pub(super) type Decided = Result<Vec<PaymentEvent>, PaymentError>;

impl Payment {
    /// What comes of a command. The planner asks as well, to know what moves.
    ///
    /// # Errors
    /// The first [`PaymentError`] in order of precedence.
    pub fn decide(&self, command: &PaymentCommand) -> Decided {
        match command {
            PaymentCommand::Operation { operation, standing } => match operation {
                PaymentOperation::Pay(pay) => self.pay(pay, standing),
                PaymentOperation::Refund(refund) => self.give_back(refund, standing),
                PaymentOperation::RetryRefund(retry) => self.retry(retry, standing),
                PaymentOperation::CancelRefund { refund_id, .. } => self.give_up(*refund_id),
                PaymentOperation::OpenDispute(open) => self.open_dispute(open, standing),
                PaymentOperation::DecideDispute(decide) => self.decide_dispute(decide, standing),
            },
            PaymentCommand::Settle { settlement_id, merchant, currency, day, owed } => {
                self.settle(*settlement_id, (merchant, *currency), *day, *owed)
            }
        }
    }

    pub(super) fn known(&self) -> Result<&Completed, PaymentError> {
        self.properties().ok_or(PaymentError::NotFound)
    }

    fn pay(&self, pay: &PayMerchant, standing: &PaymentStanding) -> Decided {
        if self.properties().is_some() {
            return Err(PaymentError::Exists);
        }
        let amount = pay.amount.amount();
        let split = pay.terms.split(amount).ok_or(PaymentError::TermsInvalid)?;
        if !standing.shop_open {
            return Err(PaymentError::ShopBlocked);
        }
        Ok(vec![PaymentEvent::Completed(Completed {
            payer: pay.payer.clone(),
            merchant: pay.merchant.clone(),
            amount,
            fee: split.income.saturating_add(split.tax),
            tax: split.tax,
            terms: pay.terms,
            request: pay.request,
            settles_on: pay.settles_on,
            order: pay.order.clone(),
            store: pay.store.clone(),
            terminal: pay.terminal.clone(),
            transaction_id: pay.payment_id.transaction_id(),
        })])
    }

    fn settle(
        &self,
        settlement_id: SettlementId,
        (merchant, currency): (&MerchantCode, CurrencyCode),
        day: NaiveDate,
        owed: Decimal,
    ) -> Decided {
        let completed = self.known()?;
        if completed.merchant != *merchant || completed.payer.currency() != Ok(currency) {
            return Err(PaymentError::AnotherMerchant);
        }
        match self.settled() {
            Some(settled) if settled.settlement_id == settlement_id => return Ok(Vec::new()),
            Some(_) => return Err(PaymentError::Settled),
            None => {}
        }
        if completed.settles_on > day {
            return Err(PaymentError::NotDue);
        }
        let amount = self.unsettled();
        let moves = !amount.is_zero();
        Ok(vec![PaymentEvent::Settled(Settled {
            settlement_id,
            amount,
            repaid: scaled(owed.min(amount), amount.scale()),
            transaction_id: moves.then(|| settlement_id.transaction_id()),
        })])
    }
}
