//! What all accounts sum to, by headings of the chart.

use std::collections::BTreeMap;

use ledger_core::{
    chart::{AccountType, Direction},
    money::CurrencyCode,
};
use rust_decimal::Decimal;

/// The accounts of one heading, summed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Their currency.
    pub currency: CurrencyCode,
    /// Their type.
    pub account_type: AccountType,
    /// Their class, as the log has it.
    pub class: String,
    /// What they stand under.
    pub heading: String,
    /// How many there are.
    pub accounts: u64,
    /// The sum of their debits.
    pub debits: Decimal,
    /// The sum of their credits.
    pub credits: Decimal,
}

impl Line {
    /// The sum of their balances, on the type's normal side; nothing if no amount can hold it.
    pub fn balance(&self) -> Option<Decimal> {
        match self.account_type.normal_side() {
            Direction::Debit => self.debits.checked_sub(self.credits),
            Direction::Credit => self.credits.checked_sub(self.debits),
        }
    }
}

type Key = (CurrencyCode, AccountType, String, String);

/// Every line, by currency, type, heading and class.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet(BTreeMap<Key, Line>);

impl Sheet {
    /// Puts a line on the sheet, on top of what is there. Nothing if no amount can hold the sum.
    pub fn add(&mut self, line: Line) -> Option<()> {
        let class = line.class.clone();
        let key = (line.currency, line.account_type, line.heading.clone(), class);
        match self.0.get_mut(&key) {
            Some(there) => {
                there.accounts = there.accounts.saturating_add(line.accounts);
                there.debits = there.debits.checked_add(line.debits)?;
                there.credits = there.credits.checked_add(line.credits)?;
            }
            None => {
                self.0.insert(key, line);
            }
        }
        Some(())
    }

    /// Takes what moved off again: the lines of `moved` are on this sheet. Nothing if no amount can
    /// hold the difference.
    #[must_use]
    pub fn less(mut self, moved: &Self) -> Option<Self> {
        for line in moved.lines() {
            let (debits, credits) = (-line.debits, -line.credits);
            self.add(Line { accounts: 0, debits, credits, ..line.clone() })?;
        }
        Some(self)
    }

    /// Without the lines that have no account and moved nothing.
    #[must_use]
    pub fn without_unopened(mut self) -> Self {
        self.0.retain(|_, line| {
            line.accounts > 0 || !line.debits.is_zero() || !line.credits.is_zero()
        });
        self
    }

    /// The lines.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.0.values()
    }
}
