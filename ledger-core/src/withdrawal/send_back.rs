//! What a withdrawal says that sends back what lies in suspense, and what becomes of it if it does
//! not get through: then it is in suspense again, as an item of this withdrawal, until a person
//! puts it on a wallet or sends it once more.

use super::{
    AssignUnapplied, Assigned, Queued, Requested, SendAgain, SendBack, SentAgain, Standing,
    Withdrawal, WithdrawalError, WithdrawalEvent, decide::Decided, movement::Accounts,
};
use crate::money::Money;

impl Withdrawal {
    pub(super) fn send_back(&self, back: &SendBack) -> Decided {
        if self.properties().is_some() {
            return Err(WithdrawalError::Exists);
        }
        let zero = Money::zero(back.amount.currency()).amount();
        let accounts = Accounts::of_suspense(back.amount.currency().code);
        let accounts = accounts.map_err(|_| WithdrawalError::NotInSuspense)?;
        let requested = Requested {
            account: accounts.wallet,
            amount: back.amount.amount(),
            fee: zero,
            tax: zero,
            fee_version: None,
            bank_account: back.bank_account,
            bank: back.bank.clone(),
            rail: back.rail.clone(),
            payee_hash: Some(back.payee_hash.clone()),
            item: Some(back.item.clone()),
            transaction_id: back.transaction_id,
        };
        let queued = Queued { transaction_id: None };
        Ok(vec![WithdrawalEvent::Requested(requested), WithdrawalEvent::Queued(queued)])
    }

    pub(super) fn assign_unapplied(&self, assign: &AssignUnapplied, standing: Standing) -> Decided {
        self.in_suspense()?;
        if standing.room.is_some_and(|room| self.unapplied() > room) {
            return Err(WithdrawalError::WalletBlocked);
        }
        Ok(vec![WithdrawalEvent::Assigned(Assigned {
            account: assign.account.clone(),
            amount: self.unapplied(),
            reason: assign.reason.clone(),
            transaction_id: assign.transaction_id,
        })])
    }

    pub(super) fn send_again(&self, again: &SendAgain) -> Decided {
        self.in_suspense()?;
        let amount = self.unapplied();
        if again.amount.amount() != amount {
            return Err(WithdrawalError::SuspenseAmountDiffers { amount });
        }
        let (withdrawal_id, reason) = (again.by, again.reason.clone());
        Ok(vec![WithdrawalEvent::SentAgain(SentAgain { withdrawal_id, amount, reason })])
    }

    fn in_suspense(&self) -> Result<(), WithdrawalError> {
        let (requested, _) = self.known()?;
        if requested.item.is_none() || self.unapplied().is_zero() {
            return Err(WithdrawalError::NotInSuspense);
        }
        Ok(())
    }
}
