//! What a bank books of its own accord: charges, interest, and what nobody can explain.
//!
//! It tells nobody: no webhook, no credit to ask about, no reference. Only the statement has it.

use serde_json::json;

use crate::{
    accounts::{Account, BooksError, Transaction},
    bank::Bank,
    clock::Timestamp,
    wire::{AdjustmentRequest, Direction, Reply},
};

impl Bank {
    /// Books it now, or says why not.
    pub(crate) fn adjust(&mut self, at: Timestamp, request: &AdjustmentRequest) -> Reply {
        self.run_until(at);
        let (debit, credit) = match request.direction {
            Direction::Debit => (request.account, Account::Network),
            Direction::Credit => (Account::Network, request.account),
        };
        let id = self.books.next_id();
        let booked = self.books.post(Transaction {
            id: id.clone(),
            at,
            value_date: request.value_date,
            debit,
            credit,
            amount: request.amount,
            utr: self.utr("adjustment", &id),
            reference: None,
            narration: request.narration.as_str().to_owned(),
        });
        match booked {
            Ok(()) => Reply::ok(json!({ "bank_transaction_id": id })),
            Err(error @ (BooksError::InsufficientFunds | BooksError::Overflow)) => {
                Reply::problem(422, "invalid", &error.to_string())
            }
            Err(BooksError::Unbalanced) => {
                Reply::problem(500, "bank_error", "the books do not balance")
            }
        }
    }
}
