//! The trial balance: per currency all debits and all credits, by type and class of account; now or
//! after any event. It is a [`Sheet`] whose lines are under no heading.

use std::collections::BTreeMap;

use ledger_core::{
    chart::{AccountType, PostingClass},
    log::Position,
    money::CurrencyCode,
};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{At, ReadModels, sheets::Grain};
use crate::{
    error::ReadError,
    reports::{Line, Sheet},
};

/// All currencies of the book, each with what its accounts sum to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialBalance {
    /// By currency.
    pub currencies: Vec<CurrencyBalance>,
}

/// A currency's accounts, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrencyBalance {
    /// Which currency.
    pub currency: CurrencyCode,
    /// The sum of all debits.
    pub debits: Decimal,
    /// The sum of all credits.
    pub credits: Decimal,
    /// Whether the two are the same, as they must be.
    pub balanced: bool,
    /// By type and class of account.
    pub lines: Vec<TrialLine>,
}

/// The accounts of one type and class, summed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialLine {
    /// Their type.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// Their class.
    pub class: PostingClass,
    /// How many there are.
    pub accounts: u64,
    /// The sum of their debits.
    pub debits: Decimal,
    /// The sum of their credits.
    pub credits: Decimal,
    /// The sum of their balances, on the type's normal side.
    pub balance: Decimal,
}

impl ReadModels {
    /// The trial balance of everything that is in the read models.
    pub async fn trial_balance(&self) -> Result<At<TrialBalance>, ReadError> {
        let At { position, value } = self.sheet_now(Grain::Classes, Position::MAX >> 1).await?;
        Ok(At { position, value: trial_balance(&value)? })
    }

    /// The trial balance after the event at `position`, and the rest of its transaction.
    ///
    /// # Errors
    /// [`ReadError::NotRecorded`] or [`ReadError::Behind`] for a position that is not there yet.
    pub async fn trial_balance_at(
        &self,
        position: Position,
    ) -> Result<At<TrialBalance>, ReadError> {
        let At { position, value } = self.sheet_at(Grain::Classes, position).await?;
        Ok(At { position, value: trial_balance(&value)? })
    }
}

/// By the names of currency, type and class, which is the order that is answered in.
fn trial_balance(sheet: &Sheet) -> Result<TrialBalance, ReadError> {
    let opened = sheet.lines().filter(|line| line.accounts > 0);
    let name = |line: &Line| (line.currency, line.account_type.as_str(), line.class.clone());
    let lines: BTreeMap<_, &Line> = opened.map(|line| (name(line), line)).collect();
    let mut currencies: Vec<CurrencyBalance> = Vec::new();
    for line in lines.into_values() {
        let currency = line.currency;
        let line = trial_line(line)?;
        // The lines come in the order of their currencies.
        match currencies.last_mut() {
            Some(last) if last.currency == currency => {
                put(&mut last.debits, line.debits)?;
                put(&mut last.credits, line.credits)?;
                last.balanced = last.debits == last.credits;
                last.lines.push(line);
            }
            Some(_) | None => currencies.push(CurrencyBalance {
                currency,
                debits: line.debits,
                credits: line.credits,
                balanced: line.debits == line.credits,
                lines: vec![line],
            }),
        }
    }
    Ok(TrialBalance { currencies })
}

fn trial_line(line: &Line) -> Result<TrialLine, ReadError> {
    Ok(TrialLine {
        account_type: line.account_type,
        class: super::named("class", &line.class)?,
        accounts: line.accounts,
        debits: line.debits,
        credits: line.credits,
        balance: line.balance().ok_or(ReadError::Amount)?,
    })
}

fn put(sum: &mut Decimal, amount: Decimal) -> Result<(), ReadError> {
    *sum = sum.checked_add(amount).ok_or(ReadError::Amount)?;
    Ok(())
}
