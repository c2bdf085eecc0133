//! What a deposit says to what it is asked. Guards stand in order of precedence; what follows them
//! succeeds. No event at all means: that is known already.

use super::{
    Assigned, BeginDeposit, Begun, Booked, CREDITS_MAX, Credit, CreditClaim, CreditPlace,
    DecideDepositReview, Declined, Deposit, DepositCommand, DepositError, DepositEvent,
    DepositOperation, DepositStanding, DepositStatus, KnownCredit, LeftToReturn, PutAside,
    Received, RecordDeclined, SendBackCredit, SentBack, SettleCredit, Settled, Unsolicited,
    credit::{self, Relation},
};
use crate::{
    clock::Timestamp,
    ids::{DepositId, Reference, TransactionId},
    money,
};

type Decided = Result<Vec<DepositEvent>, DepositError>;

/// Why a credit is in suspense that no rule of ours put there.
const BANK_DIFFERS: &str = "bank_differs";
const PAYER_DIFFERS: &str = "payer_differs";
const WALLET_BLOCKED: &str = "wallet_blocked";
const WALLET_UNKNOWN: &str = "wallet_unknown";

impl Deposit {
    /// What comes of a command. The planner asks as well, to know what moves.
    ///
    /// # Errors
    /// The first [`DepositError`] in order of precedence.
    pub fn decide(&self, command: &DepositCommand) -> Decided {
        let standing = command.standing;
        match &command.operation {
            DepositOperation::Begin(begin) => self.begin(begin, command.now),
            DepositOperation::Cancel(_) => self.cancel(),
            DepositOperation::Expire(_) => self.expire(command.now),
            DepositOperation::RecordDeclined(declined) => self.record_declined(declined),
            DepositOperation::RecordReceived(received) => {
                self.on_credit(received.deposit_id, &received.claim, Self::receive)
            }
            DepositOperation::ConfirmCredit(confirm) => {
                let (claim, transaction_id) = (&confirm.claim, confirm.transaction_id);
                self.on_credit(confirm.deposit_id, claim, |deposit, claim| {
                    deposit.confirm(claim, standing, transaction_id)
                })
            }
            DepositOperation::SettleCredit(settle) => {
                self.on_credit(settle.deposit_id, &settle.claim, |deposit, _| {
                    deposit.settle(settle, standing)
                })
            }
            DepositOperation::DecideReview(decide) => self.decide_review(decide, standing),
            DepositOperation::RequestRecall(request) => self.request_recall(request, standing),
            DepositOperation::DecideRecall(decide) => self.decide_recall(decide, standing),
            DepositOperation::SendBack(back) => self.send_back(back),
            DepositOperation::SettlePart(part) => self.settle_part(part),
            DepositOperation::Divide(divide) => self.divide(divide),
        }
    }

    pub(super) fn known(&self) -> Result<DepositStatus, DepositError> {
        self.status().ok_or(DepositError::NotFound)
    }

    fn begin(&self, begin: &BeginDeposit, now: Timestamp) -> Decided {
        if self.exists() {
            return Err(DepositError::Exists);
        }
        if begin.expires_at <= now {
            return Err(DepositError::ExpiryPast);
        }
        Ok(vec![DepositEvent::Begun(Begun {
            account: begin.account.clone(),
            amount: begin.amount.amount(),
            bank: begin.bank.clone(),
            expires_at: begin.expires_at,
            payer_hash: begin.payer_hash.clone(),
        })])
    }

    fn cancel(&self) -> Decided {
        let status = self.known()?;
        if status == DepositStatus::Cancelled {
            return Ok(Vec::new());
        }
        // That of a credit which nobody asked for is never so.
        if !status.is_cancellable() {
            return Err(DepositError::NotCancellable { status });
        }
        Ok(vec![DepositEvent::Cancelled {}])
    }

    fn expire(&self, now: Timestamp) -> Decided {
        let status = self.known()?;
        if status != DepositStatus::AwaitingPayment {
            // Money was told of or has come, or it has ended in another way.
            return Ok(Vec::new());
        }
        match self.intent() {
            Some(begun) if begun.expires_at <= now => Ok(vec![DepositEvent::Expired {}]),
            _ => Err(DepositError::NotExpired),
        }
    }

    fn record_declined(&self, declined: &RecordDeclined) -> Decided {
        self.known()?;
        let booked = self.credits.iter().any(KnownCredit::is_booked);
        if self.end.is_some() || booked || self.intent().is_none() {
            return Ok(Vec::new());
        }
        let (source, code) = (declined.source, declined.code.clone());
        Ok(vec![DepositEvent::Declined(Declined { source, code })])
    }

    /// What follows from a credit; one that nobody asked for makes its deposit first.
    fn on_credit(
        &self,
        id: DepositId,
        claim: &CreditClaim,
        then: impl FnOnce(&Self, &CreditClaim) -> Decided,
    ) -> Decided {
        if credit::is_of_credit(id) && credit::id_of(&claim.bank, &claim.bank_transaction_id) != id
        {
            return Err(DepositError::NotFound);
        }
        if self.exists() {
            return then(self, claim);
        }
        if !credit::is_of_credit(id) {
            return Err(DepositError::NotFound);
        }
        let unsolicited = DepositEvent::Unsolicited(Unsolicited {
            account: claim.unsolicited_to.clone(),
            currency: claim.currency(),
            bank: claim.bank.clone(),
        });
        let made = self.clone().after(unsolicited.clone());
        let events = then(&made, claim)?;
        Ok(std::iter::once(unsolicited).chain(events).collect())
    }

    /// The credit that is spoken of, with its number; the next number, if it is new.
    pub(super) fn find(&self, said: &Credit) -> Result<(u32, Option<&KnownCredit>), DepositError> {
        let mut found = None;
        for (number, known) in (1_u32..).zip(&self.credits) {
            match known.credit.relation(said) {
                Relation::Other => {}
                Relation::Contradiction => return Err(DepositError::CreditDiffers),
                Relation::Same => found = Some((number, known)),
            }
        }
        if let Some((number, known)) = found {
            return Ok((number, Some(known)));
        }
        let next = self.credits.len().saturating_add(1);
        if next > CREDITS_MAX {
            return Err(DepositError::TooManyCredits);
        }
        Ok((u32::try_from(next).unwrap_or(u32::MAX), None))
    }

    fn receive(&self, claim: &CreditClaim) -> Decided {
        let said = claim.credit();
        match self.find(&said)? {
            (_, Some(known)) if known.credit.amount == said.amount => Ok(Vec::new()),
            (_, Some(_)) => Err(DepositError::CreditDiffers),
            (number, None) => {
                let received = Received { number, credit: said, source: claim.source };
                Ok(vec![DepositEvent::Received(received)])
            }
        }
    }

    fn confirm(
        &self,
        claim: &CreditClaim,
        standing: DepositStanding,
        transaction_id: TransactionId,
    ) -> Decided {
        let said = claim.credit();
        let (number, known) = self.find(&said)?;
        match known.filter(|known| known.is_booked()) {
            Some(known) if agrees(&known.credit, &said) => Ok(Vec::new()),
            Some(_) => Err(DepositError::CreditDiffers),
            // What was only told of may have told another amount: our own enquiry is right.
            None => Ok(vec![self.book(number, claim, standing, transaction_id)]),
        }
    }

    /// What is said now, with what only an earlier word had.
    fn merged(&self, number: u32, claim: &CreditClaim) -> Credit {
        let said = claim.credit();
        let Some(known) = self.credit(number).map(|known| &known.credit) else { return said };
        Credit {
            credit_id: said.credit_id.or_else(|| known.credit_id.clone()),
            utr: said.utr.or_else(|| known.utr.clone()),
            ..said
        }
    }

    /// On the wallet, or in suspense where it can't or mustn't go there.
    fn book(
        &self,
        number: u32,
        claim: &CreditClaim,
        standing: DepositStanding,
        transaction_id: TransactionId,
    ) -> DepositEvent {
        let (credit, source) = (self.merged(number, claim), claim.source);
        let late = self.end.is_some();
        if let Some(reason) = self.obstacle(claim, standing) {
            let aside = PutAside { number, credit, source, reason, late, transaction_id };
            return DepositEvent::PutAside(aside);
        }
        DepositEvent::Credited(Booked { number, credit, source, late, transaction_id })
    }

    fn obstacle(&self, claim: &CreditClaim, standing: DepositStanding) -> Option<Reference> {
        let expected = self.intent().and_then(|begun| begun.payer_hash.as_ref());
        let differs =
            expected.zip(claim.payer_hash.as_ref()).is_some_and(|(own, paid)| own != paid);
        // Another bank never had this deposit's token from us: somebody copied it.
        let of_another_bank = self.intent().is_some_and(|begun| begun.bank != claim.bank);
        let full = standing.room.is_some_and(|room| claim.amount.amount() > room);
        // Years later the bank's number is somebody else's: the first wallet is none of theirs. Nor
        // is one that only a message told of, if what the bank itself says leads to another.
        let astray = self.intent().is_none() && claim.unsolicited_to.as_ref() != self.account();
        let word = if self.account().is_none() || astray {
            WALLET_UNKNOWN
        } else if of_another_bank {
            BANK_DIFFERS
        } else if differs {
            PAYER_DIFFERS
        } else if let Some(rule) = &claim.review {
            return Some(rule.clone());
        } else if full {
            WALLET_BLOCKED
        } else {
            return None;
        };
        word.parse().ok()
    }

    /// Whether only one payer's money is taken for it.
    fn is_of_one_payer(&self) -> bool {
        self.intent().is_some_and(|begun| begun.payer_hash.is_some())
    }

    fn settle(&self, settle: &SettleCredit, standing: DepositStanding) -> Decided {
        let (claim, said) = (&settle.claim, settle.claim.credit());
        let (charges, tax) = (settle.charges.amount(), settle.tax.amount());
        let kept = money::add(charges, tax).map_err(|_| DepositError::ChargesInvalid)?;
        if kept >= said.amount {
            return Err(DepositError::ChargesInvalid);
        }
        let (number, known) = self.find(&said)?;
        let transaction_id = settle.transaction_id;
        let settled = DepositEvent::Settled(Settled { number, charges, tax, transaction_id });
        match known.filter(|known| known.is_booked()) {
            Some(known) if !agrees(&known.credit, &said) => Err(DepositError::CreditDiffers),
            Some(known) if known.settled => Ok(Vec::new()),
            Some(_) => Ok(vec![settled]),
            // It waits until the bank itself says who paid.
            None if self.is_of_one_payer() && claim.payer_hash.is_none() => {
                Err(DepositError::PayerUnknown)
            }
            None => {
                let first = settle.confirmed_transaction_id;
                Ok(vec![self.book(number, claim, standing, first), settled])
            }
        }
    }

    /// Whoever decides first wins: what was assigned or sent is in suspense no more.
    fn send_back(&self, back: &SendBackCredit) -> Decided {
        self.known()?;
        let credit = self.credit(back.number).ok_or(DepositError::CreditNotFound)?;
        if credit.is_recall_open() {
            return Err(DepositError::RecallOpen);
        }
        if !credit.is_aside() {
            return Err(DepositError::NotInReview);
        }
        if credit.credit.amount != back.amount.amount() {
            return Err(DepositError::CreditDiffers);
        }
        let (number, withdrawal_id) = (back.number, back.withdrawal_id);
        let reason = back.reason.clone();
        Ok(vec![DepositEvent::SentBack(SentBack { number, withdrawal_id, reason })])
    }

    fn decide_review(&self, decide: &DecideDepositReview, standing: DepositStanding) -> Decided {
        self.known()?;
        let credit = self.credit(decide.number).ok_or(DepositError::CreditNotFound)?;
        let number = decide.number;
        if credit.is_recall_open() {
            return Err(DepositError::RecallOpen);
        }
        match (&credit.place, &decide.assign_to) {
            (CreditPlace::ToReturn, None) => Ok(Vec::new()),
            (CreditPlace::Review { .. }, Some(account)) => {
                if standing.room.is_some_and(|room| credit.credit.amount > room) {
                    return Err(DepositError::WalletBlocked);
                }
                Ok(vec![DepositEvent::Assigned(Assigned {
                    number,
                    account: account.clone(),
                    reason: decide.reason.clone(),
                    transaction_id: decide.transaction_id,
                })])
            }
            (CreditPlace::Review { .. }, None) => {
                let left = LeftToReturn { number, reason: decide.reason.clone() };
                Ok(vec![DepositEvent::LeftToReturn(left)])
            }
            (
                CreditPlace::Told
                | CreditPlace::Wallet
                | CreditPlace::ToReturn
                | CreditPlace::Recalled
                | CreditPlace::Divided
                | CreditPlace::SentBack { .. },
                _,
            ) => Err(DepositError::NotInReview),
        }
    }
}

/// Whether a credit that is booked can be the one that is spoken of.
fn agrees(booked: &Credit, said: &Credit) -> bool {
    booked.amount == said.amount && booked.value_date == said.value_date
}
