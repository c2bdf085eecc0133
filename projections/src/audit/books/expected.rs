//! What objects say that transactions move: account by account, all of it, and nothing else. Legs
//! that several events add to one transaction, as the payments of a settlement do, are summed.

use std::collections::HashMap;

use super::{
    super::{
        finding::{Code, Findings},
        payload::id_text,
    },
    accounts::Accounts,
};

/// A claim that a transaction took an amount from an account, or put one there (below zero).
#[derive(Debug, Clone, Copy)]
pub(super) struct Capture {
    pub transaction: u128,
    pub account: usize,
    pub amount: i128,
    pub position: i64,
    /// What is wrong if it did not.
    pub code: Code,
}

/// A leg that follows from what an object says.
#[derive(Debug)]
pub(super) struct Expected {
    account: Box<str>,
    /// Debits less credits.
    amount: i128,
}

impl Expected {
    pub(super) fn debit(account: &str, amount: i128) -> Self {
        Self { account: Box::from(account), amount }
    }

    pub(super) fn credit(account: &str, amount: i128) -> Self {
        Self { account: Box::from(account), amount: -amount }
    }
}

/// All that a transaction has to move, and what it has moved.
#[derive(Debug)]
pub(super) struct Movement {
    position: i64,
    legs: Vec<Expected>,
    moved: Vec<(usize, i128)>,
}

impl Movement {
    /// A leg of the transaction: debits less credits.
    pub(super) fn moved(&mut self, account: usize, amount: i128) {
        self.moved.push((account, amount));
    }

    /// The transaction is complete.
    pub(super) fn compare(self, transaction: u128, accounts: &Accounts, findings: &mut Findings) {
        let mut rest: HashMap<Option<usize>, i128> = HashMap::new();
        for leg in &self.legs {
            // What was never opened can have moved nothing.
            let sum = rest.entry(accounts.find(&leg.account)).or_default();
            *sum = sum.saturating_add(leg.amount);
        }
        for (account, amount) in self.moved {
            let sum = rest.entry(Some(account)).or_default();
            *sum = sum.saturating_sub(amount);
        }
        if rest.values().any(|sum| *sum != 0) {
            let words =
                format!("{} does not move what its object says", id_text(transaction, "txn_"));
            findings.position(self.position, Code::PaymentIncomplete, words);
        }
    }
}

/// What is awaited in an append, by transaction.
#[derive(Debug, Default)]
pub(super) struct Movements(HashMap<u128, Movement>);

impl Movements {
    pub(super) fn add(&mut self, transaction: u128, position: i64, legs: Vec<Expected>) {
        let new = || Movement { position, legs: Vec::new(), moved: Vec::new() };
        self.0.entry(transaction).or_insert_with(new).legs.extend(legs);
    }

    pub(super) fn take(&mut self, transaction: u128) -> Option<Movement> {
        self.0.remove(&transaction)
    }

    /// An append is over.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
