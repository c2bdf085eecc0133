//! Deposits as the booking of statements sees them: a port, because who matches a credit with a
//! deposit, and books it, is the business of deposits; and the desk of deposits behind it.

use futures::future::BoxFuture;
use ledger_core::{
    bank_line::{HouseAccount, LineDirection, LineKey},
    ids::{BankCode, Item},
    money::Money,
};
use sqlx::PgPool;

use super::evidence::{self, StoredLine};
use crate::{
    banks::{Direction, StatementLine},
    deposits::{CreditDesk, Handled},
};

/// Why it is not known whether a credit belongs to a deposit. Trying again is safe.
#[derive(Debug, thiserror::Error)]
#[error("deposits took no line")]
pub struct CreditError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl CreditError {
    fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// Who books credits that belong to deposits.
pub trait Credits: Send + Sync {
    /// Whether a deposit has booked the credit of a line before, and waits for the line.
    fn expects<'a>(&'a self, line: &'a LineKey) -> BoxFuture<'a, Result<bool, CreditError>>;

    /// Books a credit line of escrow that belongs to a deposit, the bank's account included, once
    /// however often it is called; the deposit's item. Nothing if it belongs to none: then nothing
    /// was booked.
    fn settle<'a>(
        &'a self,
        bank: &'a BankCode,
        line: &'a StatementLine,
    ) -> BoxFuture<'a, Result<Option<Item>, CreditError>>;
}

/// The desk of deposits.
pub struct DeskCredits {
    /// Where the log is.
    pub pool: PgPool,
    /// Who hands credits in.
    pub desk: CreditDesk,
}

impl Credits for DeskCredits {
    fn expects<'a>(&'a self, line: &'a LineKey) -> BoxFuture<'a, Result<bool, CreditError>> {
        Box::pin(async move {
            let known = evidence::expected_by(&self.pool, line.id()).await;
            Ok(known.map_err(CreditError::new)?.is_some())
        })
    }

    fn settle<'a>(
        &'a self,
        bank: &'a BankCode,
        line: &'a StatementLine,
    ) -> BoxFuture<'a, Result<Option<Item>, CreditError>> {
        Box::pin(async move {
            let id = key_of(bank, line).id();
            let known = evidence::expected_by(&self.pool, id).await.map_err(CreditError::new)?;
            let handled = match known {
                Some(deposit_id) => self.desk.settle_as(deposit_id, bank, line).await,
                None => self.desk.settle(bank, line).await,
            };
            match handled.map_err(CreditError::new)? {
                Handled::Noted { deposit_id, .. } => {
                    let item = deposit_id.to_string().parse().map_err(CreditError::new)?;
                    Ok(Some(item))
                }
                // Another deposit took it since the log was read: the next round sees that.
                Handled::Refused(rejection) if rejection.code == "bank_line_of_another_item" => {
                    Err(CreditError::new(rejection.detail))
                }
                Handled::Refused(_) | Handled::NotOurs(_) | Handled::NotKnown => Ok(None),
            }
        })
    }
}

fn key_of(bank: &BankCode, line: &StatementLine) -> LineKey {
    LineKey {
        bank: bank.clone(),
        account: HouseAccount::Escrow,
        direction: LineDirection::Credit,
        value_date: line.value_date,
        bank_transaction_id: line.bank_transaction_id.clone(),
    }
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
        lump: None,
    }
}
