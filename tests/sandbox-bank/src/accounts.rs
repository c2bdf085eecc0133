//! The bank's own books, by double entry: what its customer has, and what other banks owe.
//!
//! Seen from the bank, a customer's account is a liability: a debit makes it smaller, and is what
//! the customer reads as "debit" on the statement. The network account stands for all other banks.
//! Every transaction debits one account and credits another by the same amount, so the books
//! balance; [`Books::check`] recomputes it all from the transactions and does not take that on
//! trust. A customer's account never goes below zero.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, bank_day},
    money::Amount,
};

/// An account of the bank's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The customer's account for its own customers' money.
    Escrow,
    /// The customer's account for its own money.
    Own,
    /// All other banks.
    #[serde(skip_deserializing)]
    Network,
}

impl Account {
    /// Those that have a statement.
    pub const OURS: [Self; 2] = [Self::Escrow, Self::Own];

    /// The account with a statement that has this name.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "escrow" => Some(Self::Escrow),
            "own" => Some(Self::Own),
            _ => None,
        }
    }
}

/// Money that went from one account to another.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    /// From when it counts for interest, if that is not the day on which it was booked.
    pub(crate) value_date: Option<NaiveDate>,
    pub(crate) debit: Account,
    pub(crate) credit: Account,
    pub(crate) amount: Amount,
    pub(crate) utr: String,
    pub(crate) reference: Option<String>,
    pub(crate) narration: String,
}

impl Transaction {
    pub(crate) fn booking_date(&self) -> NaiveDate {
        bank_day(self.at)
    }
}

/// What the books refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BooksError {
    /// The customer has too little.
    #[error("the account has too little")]
    InsufficientFunds,
    /// An amount that no account can hold.
    #[error("the balance would be too large")]
    Overflow,
    /// The balances are not what the transactions say.
    #[error("the books do not balance")]
    Unbalanced,
}

/// The books of one bank.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    transactions: Vec<Transaction>,
    /// Credits less debits, in paise.
    balances: BTreeMap<Account, i64>,
}

impl Books {
    /// Books in which the customer starts with so much.
    pub(crate) fn open(
        at: Timestamp,
        escrow: Option<Amount>,
        own: Option<Amount>,
    ) -> Result<Self, BooksError> {
        let mut books = Self::default();
        for (account, amount) in [(Account::Escrow, escrow), (Account::Own, own)] {
            let Some(amount) = amount else {
                continue;
            };
            books.post(Transaction {
                id: books.next_id(),
                // Before the first day: it is the opening of that day, not a line of it.
                at: at - chrono::TimeDelta::days(1),
                value_date: None,
                debit: Account::Network,
                credit: account,
                amount,
                utr: String::new(),
                reference: None,
                narration: "OPENING".to_owned(),
            })?;
        }
        Ok(books)
    }

    /// The id of the next transaction.
    pub(crate) fn next_id(&self) -> String {
        format!("S{:010}", self.transactions.len().saturating_add(1))
    }

    /// Books it, or refuses it and changes nothing.
    pub(crate) fn post(&mut self, transaction: Transaction) -> Result<(), BooksError> {
        let amount = transaction.amount.paise();
        let (debit, credit) = (transaction.debit, transaction.credit);
        let debited = self.balance(debit).checked_sub(amount).ok_or(BooksError::Overflow)?;
        if debit != Account::Network && debited < 0 {
            return Err(BooksError::InsufficientFunds);
        }
        let credited = self.balance(credit).checked_add(amount).ok_or(BooksError::Overflow)?;
        if debit != credit {
            self.balances.insert(debit, debited);
            self.balances.insert(credit, credited);
        }
        self.transactions.push(transaction);
        Ok(())
    }

    /// What the customer has; of the network, what it owes below zero.
    pub(crate) fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or_default()
    }

    pub(crate) fn transactions(&self) -> &[Transaction] {
        &self.transactions
    }

    /// Adds everything up again.
    pub(crate) fn check(&self) -> Result<(), BooksError> {
        let mut balances: BTreeMap<Account, i64> = BTreeMap::new();
        for transaction in &self.transactions {
            let amount = transaction.amount.paise();
            let debited = balances.entry(transaction.debit).or_default();
            *debited = debited.checked_sub(amount).ok_or(BooksError::Overflow)?;
            let credited = balances.entry(transaction.credit).or_default();
            *credited = credited.checked_add(amount).ok_or(BooksError::Overflow)?;
        }
        let sum: i64 = balances.values().sum();
        let same = [Account::Escrow, Account::Own, Account::Network]
            .iter()
            .all(|a| balances.get(a).copied().unwrap_or_default() == self.balance(*a));
        let solvent = Account::OURS.iter().all(|account| self.balance(*account) >= 0);
        if sum == 0 && same && solvent { Ok(()) } else { Err(BooksError::Unbalanced) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(debit: Account, credit: Account, paise: i64) -> Transaction {
        Transaction {
            id: "S1".to_owned(),
            at: "2026-11-22T10:00:00Z".parse().expect("a moment"),
            value_date: None,
            debit,
            credit,
            amount: Amount::from_paise(paise).expect("an amount"),
            utr: "U".to_owned(),
            reference: None,
            narration: "test".to_owned(),
        }
    }

    #[test]
    fn the_customer_never_goes_below_zero_and_a_refusal_changes_nothing() {
        let at = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let mut books = Books::open(at, Amount::from_paise(100), None).expect("books");
        let too_much = transaction(Account::Escrow, Account::Network, 101);
        assert_eq!(books.post(too_much), Err(BooksError::InsufficientFunds));
        assert_eq!(books.post(transaction(Account::Escrow, Account::Own, 60)), Ok(()));
        assert_eq!((books.balance(Account::Escrow), books.balance(Account::Own)), (40, 60));
        let huge = transaction(Account::Network, Account::Escrow, i64::MAX);
        assert_eq!(books.post(huge), Err(BooksError::Overflow));
        assert_eq!(books.transactions().len(), 2);
        assert_eq!(books.check(), Ok(()));
    }

    #[test]
    fn a_wrong_balance_is_found() {
        let mut books = Books::default();
        books.post(transaction(Account::Network, Account::Escrow, 5)).expect("posted");
        books.balances.insert(Account::Escrow, 6);
        assert_eq!(books.check(), Err(BooksError::Unbalanced));
    }
}
