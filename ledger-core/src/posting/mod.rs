//! Transactions as somebody wants them: balanced sets of legs, before any account has agreed.
//!
//! What is checked here needs no account: [`Posting::check`] is a property of the request alone,
//! so its refusals are validation (nothing is stored under the command's key). Whether the
//! accounts can and may do it is decided by the accounts (`crate::account`).

mod error;
mod kind;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use error::PostingError;
pub use kind::Kind;

use crate::{
    chart::Direction,
    ids::{AccountId, Item, TransactionId},
    money::{Currency, Money, MoneyError},
};

/// The most legs a transaction may have.
pub const LEGS_MAX: usize = 100;

/// A transaction that somebody wants posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its id, made at the edge.
    pub transaction_id: TransactionId,
    /// Its kind.
    pub kind: Kind,
    /// Its legs, in the order they will have in the log.
    pub legs: Vec<PostingLeg>,
    /// The business date; nothing = today in the book's time zone.
    pub effective_on: Option<NaiveDate>,
    /// The bank's date.
    pub value_date: Option<NaiveDate>,
    /// What must hold for it to be posted.
    pub conditions: Vec<Condition>,
    /// Words to keep beside the log, erasable; 200 characters at most.
    pub note: Option<String>,
}

/// One leg of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingLeg {
    /// The account.
    pub account: AccountId,
    /// The side.
    pub direction: Direction,
    /// How much; above zero.
    pub amount: Money,
    /// The item, on an itemised account.
    pub item: Option<Item>,
}

/// What must hold of one of its accounts for it to be posted; one condition per account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The account; it must have a leg.
    pub account: AccountId,
    /// The account's sequence before the transaction.
    pub sequence: Option<u64>,
    /// The least posted balance, on the normal side, after the transaction.
    pub minimum_balance: Option<Decimal>,
}

impl Posting {
    /// Checks what can be checked of a transaction without its accounts.
    ///
    /// An account stands on one side only: what it gives it cannot get in the same transaction, so
    /// that no order of legs can dip below a limit and come back. Several legs of one account on
    /// one side are summed by taking effect one after the other.
    ///
    /// # Errors
    /// The first [`PostingError`] in order of precedence.
    pub fn check(&self) -> Result<(), PostingError> {
        if self.legs.len() < 2 {
            return Err(PostingError::TooFewLegs);
        }
        if self.legs.len() > LEGS_MAX {
            return Err(PostingError::TooManyLegs);
        }
        for (index, leg) in self.legs.iter().enumerate() {
            if !leg.amount.is_positive() {
                return Err(PostingError::AmountNotPositive { leg: index });
            }
            if leg.account.currency() != Ok(leg.amount.currency().code) {
                return Err(PostingError::CurrencyMismatch { leg: index });
            }
        }
        self.check_sides()?;
        self.check_balance()?;
        self.check_conditions()
    }

    fn check_conditions(&self) -> Result<(), PostingError> {
        let without_leg = |c: &&Condition| self.legs.iter().all(|leg| leg.account != c.account);
        if let Some(Condition { account, .. }) = self.conditions.iter().find(without_leg) {
            return Err(PostingError::ConditionWithoutLeg { account: account.clone() });
        }
        let mut named = BTreeSet::new();
        match self.conditions.iter().find(|condition| !named.insert(&condition.account)) {
            Some(Condition { account, .. }) => {
                Err(PostingError::ConditionRepeated { account: account.clone() })
            }
            None => Ok(()),
        }
    }

    fn check_sides(&self) -> Result<(), PostingError> {
        let mut sides: BTreeMap<&AccountId, Direction> = BTreeMap::new();
        for leg in &self.legs {
            let side = *sides.entry(&leg.account).or_insert(leg.direction);
            if side != leg.direction {
                return Err(PostingError::SameAccount { account: leg.account.clone() });
            }
        }
        Ok(())
    }

    fn check_balance(&self) -> Result<(), PostingError> {
        let mut sums: BTreeMap<Currency, (Money, Money)> = BTreeMap::new();
        for leg in &self.legs {
            let currency = leg.amount.currency();
            let zero = Money::zero(currency);
            let (debits, credits) = sums.entry(currency).or_insert((zero, zero));
            let sum = match leg.direction {
                Direction::Debit => debits,
                Direction::Credit => credits,
            };
            *sum = sum.checked_add(leg.amount).map_err(|_: MoneyError| PostingError::Overflow)?;
        }
        match sums.into_values().find(|(debits, credits)| debits != credits) {
            Some((debits, credits)) => Err(PostingError::Unbalanced { debits, credits }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
