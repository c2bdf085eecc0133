//! Deposits as the booking of statements sees them: a port, because who matches a credit with a
//! deposit, and books it, is the business of deposits.

use futures::future::BoxFuture;
use ledger_core::{
    bank_line::LineDirection,
    ids::{BankCode, Item},
    money::Money,
};

use super::evidence::StoredLine;
use crate::banks::{Direction, StatementLine};

/// Why it is not known whether a credit belongs to a deposit. Trying again is safe.
#[derive(Debug, thiserror::Error)]
#[error("deposits took no line")]
pub struct CreditError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Who books credits that belong to deposits.
pub trait Credits: Send + Sync {
    /// Books a credit line of escrow that belongs to a deposit, the bank's account included, once
    /// however often it is called; the deposit's item. Nothing if it belongs to none: then nothing
    /// was booked.
    fn settle<'a>(
        &'a self,
        bank: &'a BankCode,
        line: &'a StatementLine,
    ) -> BoxFuture<'a, Result<Option<Item>, CreditError>>;
}

/// The line as an adapter tells it.
pub(super) fn told(line: &StoredLine, amount: Money) -> StatementLine {
    StatementLine {
        bank_transaction_id: line.key.bank_transaction_id.clone(),
        booking_date: line.booking_date,
        value_date: line.key.value_date,
        direction: match line.key.direction {
            LineDirection::Credit => Direction::Credit,
            LineDirection::Debit => Direction::Debit,
        },
        amount,
        utr: line.utr.clone(),
        reference: line.reference.clone(),
        narration: line.narration.clone(),
    }
}
