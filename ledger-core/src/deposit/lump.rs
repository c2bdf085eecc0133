//! Lumps: what a deposit says where a bank states several credits as one.
//!
//! A part is a credit that our own enquiry has booked. It is settled whole, once, and by its bank;
//! whoever names it as a part asks for all parts in one append, so that none is settled without the
//! others. Where nobody named the parts when the lump came, the lump made a deposit of its own that
//! waits in suspense, and people divide it.

use rust_decimal::Decimal;

use super::{
    Deposit, DepositError, DepositEvent, DivideCredit, Divided, SettlePart, Settled, credit,
};
use crate::bank_line::{LineDirection, Part, Purpose, total};

type Decided = Result<Vec<DepositEvent>, DepositError>;

impl Deposit {
    pub(super) fn settle_part(&self, part: &SettlePart) -> Decided {
        self.known()?;
        let known = self.credit(part.number).ok_or(DepositError::CreditNotFound)?;
        // What was only told of is no money that a line could show.
        if !known.is_booked() {
            return Err(DepositError::CreditNotFound);
        }
        if known.credit.bank != part.bank || known.credit.amount != part.amount.amount() {
            return Err(DepositError::CreditDiffers);
        }
        if known.settled {
            return Err(DepositError::CreditSettled);
        }
        let nothing = Decimal::ZERO;
        Ok(vec![DepositEvent::Settled(Settled {
            number: part.number,
            charges: nothing,
            tax: nothing,
            transaction_id: part.transaction_id,
        })])
    }

    pub(super) fn divide(&self, divide: &DivideCredit) -> Decided {
        self.known()?;
        let known = self.credit(divide.number).ok_or(DepositError::CreditNotFound)?;
        if known.is_recall_open() {
            return Err(DepositError::RecallOpen);
        }
        if !known.is_aside() {
            return Err(DepositError::NotInReview);
        }
        if !known.settled {
            return Err(DepositError::CreditNotSettled);
        }
        let own = credit::item_of(divide.deposit_id, divide.number);
        let own = own.map_err(|_| DepositError::CreditNotFound)?;
        let net = total(&divide.parts, LineDirection::Credit, own.as_str());
        let is_lump = divide.parts.iter().all(is_of_lump);
        let has_credit = divide.parts.iter().any(|part| part.purpose == Purpose::Arrival);
        if !is_lump || !has_credit || net != Ok(known.credit.amount) {
            return Err(DepositError::LumpDiffers);
        }
        Ok(vec![DepositEvent::Divided(Divided {
            number: divide.number,
            parts: divide.parts.clone(),
            reason: divide.reason.clone(),
            transaction_id: divide.transaction_id,
        })])
    }
}

/// A deposit's credit, or what was kept back from the credits.
fn is_of_lump(part: &Part) -> bool {
    match part.purpose {
        Purpose::Arrival => part.item.as_ref().and_then(credit::of_item).is_some(),
        Purpose::Charges | Purpose::Tax => true,
        Purpose::Payment
        | Purpose::Interest
        | Purpose::Treasury
        | Purpose::Reversal
        | Purpose::Wallet
        | Purpose::Unknown => false,
    }
}
