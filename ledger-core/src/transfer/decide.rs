//! What a transfer says to what it is asked. Guards stand in order of precedence; what follows
//! them succeeds. No event at all means: that is known already.

use super::{
    ACCOUNT_CANNOT_TAKE, Cancelled, ClaimInReview, ClaimTransfer, Completed, DecideClaim, Held,
    HoldTransfer, Transfer, TransferCommand, TransferError, TransferEvent, TransferOperation,
    TransferStanding, TransferStatus, movement::total,
};
use crate::{
    clock::Timestamp,
    ids::{AccountId, Reference, TransferId},
};

type Decided = Result<Vec<TransferEvent>, TransferError>;

impl Transfer {
    /// What comes of a command. The planner asks as well, to know what moves.
    ///
    /// # Errors
    /// The first [`TransferError`] in order of precedence.
    pub fn decide(&self, command: &TransferCommand) -> Decided {
        let (standing, now) = (command.standing, command.now);
        match &command.operation {
            TransferOperation::Hold(hold) => self.hold(hold, now),
            TransferOperation::Claim(claim) => self.claim(claim, standing, now),
            TransferOperation::DecideClaim(decide) => self.decide_claim(decide, standing, now),
            TransferOperation::Cancel(_) => self.cancel(),
            TransferOperation::Expire(_) => self.expire(now),
        }
    }

    fn known(&self) -> Result<(&Held, TransferStatus), TransferError> {
        self.properties().zip(self.status()).ok_or(TransferError::NotFound)
    }

    fn hold(&self, hold: &HoldTransfer, now: Timestamp) -> Decided {
        if self.properties().is_some() {
            return Err(TransferError::Exists);
        }
        let (fee, tax) = (hold.fee.amount(), hold.tax.amount());
        let total = hold.amount.checked_add(hold.fee);
        if tax > fee || tax.scale() != fee.scale() || total.is_err() {
            return Err(TransferError::FeeInvalid);
        }
        if hold.expires_at <= now {
            return Err(TransferError::ExpiryPast);
        }
        Ok(vec![TransferEvent::Held(Held {
            account: hold.account.clone(),
            amount: hold.amount.amount(),
            fee,
            tax,
            fee_version: hold.pricing.version(),
            phone_hash: hold.phone_hash.clone(),
            hold_id: hold.transfer_id.hold_id(),
            expires_at: hold.expires_at,
        })])
    }

    fn claim(&self, claim: &ClaimTransfer, standing: TransferStanding, now: Timestamp) -> Decided {
        let (held, status) = self.known()?;
        let is_known = self.receiver() == Some(&claim.account);
        // The number first: who has not proved it learns nothing of what became of the transfer.
        if claim.phone_hash != held.phone_hash {
            return Err(TransferError::AnotherNumber);
        }
        match status {
            TransferStatus::Completed if is_known => return Ok(Vec::new()),
            TransferStatus::Completed | TransferStatus::Cancelled | TransferStatus::Expired => {
                return Err(TransferError::NotClaimable { status });
            }
            TransferStatus::PendingClaim | TransferStatus::ClaimInReview => {}
        }
        if now >= held.expires_at {
            return Err(TransferError::Expired);
        }
        if claim.account == held.account || standing.same_owner {
            return Err(TransferError::SelfClaim);
        }
        // What a person has to look at waits for that person.
        if status == TransferStatus::ClaimInReview && !self.waits_for_room() {
            return Ok(Vec::new());
        }
        can_give(held, standing)?;
        let waiting = || status == TransferStatus::ClaimInReview && is_known;
        let review = |reason: Reference| {
            let account = claim.account.clone();
            vec![TransferEvent::ClaimInReview(ClaimInReview { account, reason })]
        };
        if let Some(rule) = &claim.review {
            return Ok(review(rule.clone()));
        }
        if !can_take(held, standing) {
            return match ACCOUNT_CANNOT_TAKE.parse() {
                Ok(reason) if !waiting() => Ok(review(reason)),
                _ => Ok(Vec::new()),
            };
        }
        Ok(vec![completed(claim.transfer_id, claim.account.clone())])
    }

    fn waits_for_room(&self) -> bool {
        self.reason().is_some_and(|reason| reason.as_str() == ACCOUNT_CANNOT_TAKE)
    }

    fn decide_claim(
        &self,
        decide: &DecideClaim,
        standing: TransferStanding,
        now: Timestamp,
    ) -> Decided {
        let (held, status) = self.known()?;
        let (TransferStatus::ClaimInReview, Some(receiver)) = (status, self.receiver()) else {
            return Err(TransferError::NotInReview { status });
        };
        if !decide.approve {
            let reason = decide.reason.clone();
            return Ok(vec![TransferEvent::Cancelled(Cancelled { reason })]);
        }
        if now >= held.expires_at {
            return Err(TransferError::Expired);
        }
        can_give(held, standing)?;
        if !can_take(held, standing) {
            return Err(TransferError::ReceiverBlocked);
        }
        Ok(vec![completed(decide.transfer_id, receiver.clone())])
    }

    fn cancel(&self) -> Decided {
        match self.known()?.1 {
            TransferStatus::Cancelled => Ok(Vec::new()),
            TransferStatus::PendingClaim | TransferStatus::ClaimInReview => {
                Ok(vec![TransferEvent::Cancelled(Cancelled { reason: None })])
            }
            status @ (TransferStatus::Completed | TransferStatus::Expired) => {
                Err(TransferError::NotCancellable { status })
            }
        }
    }

    fn expire(&self, now: Timestamp) -> Decided {
        let (held, status) = self.known()?;
        if status.is_final() {
            return Ok(Vec::new());
        }
        if now < held.expires_at {
            return Err(TransferError::NotExpired);
        }
        Ok(vec![TransferEvent::Expired {}])
    }
}

fn completed(transfer_id: TransferId, account: AccountId) -> TransferEvent {
    TransferEvent::Completed(Completed { account, transaction_id: transfer_id.transaction_id() })
}

fn can_give(held: &Held, standing: TransferStanding) -> Result<(), TransferError> {
    if standing.spendable.is_some_and(|most| most < total(held)) {
        return Err(TransferError::SenderBlocked);
    }
    Ok(())
}

fn can_take(held: &Held, standing: TransferStanding) -> bool {
    standing.room.is_none_or(|room| room >= held.amount)
}
