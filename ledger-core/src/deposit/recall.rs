//! What a deposit says when a bank asks for money back. It is a request, never an order: a hold
//! keeps what is still on the wallet, a person decides, and what the wallet no longer has its owner
//! owes. Of one credit it is asked once.

use rust_decimal::Decimal;

use super::{
    CreditPlace, DecideRecall, Deposit, DepositError, DepositEvent, DepositStanding, RecallGranted,
    RecallRefused, RecallRequested, RequestRecall,
};

type Decided = Result<Vec<DepositEvent>, DepositError>;

impl Deposit {
    pub(super) fn request_recall(
        &self,
        request: &RequestRecall,
        standing: DepositStanding,
    ) -> Decided {
        if !self.exists() {
            return Err(DepositError::NotFound);
        }
        let said = request.claim.credit();
        let (number, known) = self.find(&said)?;
        // What was only told of is no money that could go back.
        let known = known.filter(|known| known.is_booked()).ok_or(DepositError::CreditNotFound)?;
        if known.credit.amount != said.amount {
            return Err(DepositError::CreditDiffers);
        }
        if known.recall.is_some() {
            return Ok(Vec::new());
        }
        if matches!(known.place, CreditPlace::SentBack { .. }) {
            return Err(DepositError::SentBack);
        }
        if known.place == CreditPlace::Divided {
            return Err(DepositError::Divided);
        }
        let held = match (&known.place, standing.spendable) {
            (CreditPlace::Wallet, Some(spendable)) => spendable.min(said.amount),
            (CreditPlace::Wallet, None) => said.amount,
            // In suspense nobody can spend it.
            _ => Decimal::ZERO,
        };
        let (source, hold_id) = (request.claim.source, Some(request.hold_id));
        let hold_id = hold_id.filter(|_| !held.is_zero());
        let asked = RecallRequested { number, source, hold_id, held };
        Ok(vec![DepositEvent::RecallRequested(asked)])
    }

    pub(super) fn decide_recall(
        &self,
        decide: &DecideRecall,
        standing: DepositStanding,
    ) -> Decided {
        if !self.exists() {
            return Err(DepositError::NotFound);
        }
        let number = decide.number;
        let known = self.credit(number).ok_or(DepositError::CreditNotFound)?;
        let recall = known.recall.as_ref().ok_or(DepositError::RecallNotFound)?;
        if let Some(granted) = recall.granted {
            let same = granted == decide.granted;
            return if same { Ok(Vec::new()) } else { Err(DepositError::RecallDecided) };
        }
        // Another hold than the recall's is in sight: who decides looked at something else.
        if recall.hold_id != decide.hold_id {
            return Err(DepositError::RecallNotFound);
        }
        let reason = decide.reason.clone();
        if !decide.granted {
            let refused = RecallRefused { number, reason };
            return Ok(vec![DepositEvent::RecallRefused(refused)]);
        }
        Ok(vec![DepositEvent::RecallGranted(RecallGranted {
            number,
            from_wallet: standing.held.min(known.credit.amount),
            reason,
            transaction_id: decide.transaction_id,
        })])
    }
}
