//! What a payment says to a dispute about it: there is one at most. A dispute does not wait for the
//! shop: what the shop lacks it owes us, whatever is agreed for refunds.

use rust_decimal::Decimal;

use super::{
    DecideDispute, DisputeDecided, DisputeOpened, DisputeWinner, OpenDispute, Payment,
    PaymentError, PaymentEvent, PaymentStanding, decide::Decided, scaled,
};

impl Payment {
    pub(super) fn open_dispute(&self, open: &OpenDispute, standing: &PaymentStanding) -> Decided {
        self.known()?;
        let amount = open.amount.amount();
        match self.dispute() {
            Some(known) if known.is_open() && known.amount == amount => return Ok(Vec::new()),
            Some(_) => return Err(PaymentError::DisputeExists),
            None => {}
        }
        self.check_left(amount)?;
        if standing.payer_closed || standing.payer_room.is_some_and(|room| room < amount) {
            return Err(PaymentError::PayerBlocked);
        }
        Ok(vec![PaymentEvent::DisputeOpened(DisputeOpened {
            amount,
            from: self.sources(amount, standing),
            reason: open.reason.clone(),
            transaction_id: open.transaction_id,
        })])
    }

    pub(super) fn decide_dispute(
        &self,
        decide: &DecideDispute,
        standing: &PaymentStanding,
    ) -> Decided {
        self.known()?;
        let dispute = self.dispute().ok_or(PaymentError::DisputeNotFound)?;
        match dispute.won_by {
            Some(winner) if winner == decide.won_by => return Ok(Vec::new()),
            Some(_) => return Err(PaymentError::DisputeDecided),
            None => {}
        }
        let amount = dispute.amount;
        let (from_payer, repaid) = match decide.won_by {
            DisputeWinner::Payer => (Decimal::ZERO, Decimal::ZERO),
            DisputeWinner::Merchant => {
                let spendable = standing.payer_spendable;
                (spendable.map_or(amount, |most| most.min(amount)), standing.owed.min(amount))
            }
        };
        Ok(vec![PaymentEvent::DisputeDecided(DisputeDecided {
            won_by: decide.won_by,
            reason: decide.reason.clone(),
            from_payer: scaled(from_payer, amount.scale()),
            repaid: scaled(repaid, amount.scale()),
            transaction_id: decide.transaction_id,
        })])
    }
}
