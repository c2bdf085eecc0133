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
            Direction::Debit => sum(self.debits, -self.credits),
            Direction::Credit => sum(self.credits, -self.debits),
        }
    }
}

/// The sum with the decimals of the finer of the two, which an addition drops where one of them is
/// nothing; and a sum of nothing has no sign.
fn sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let mut sum = one.checked_add(other)?;
    let scale = one.scale().max(other.scale());
    if sum.scale() < scale {
        sum.rescale(scale);
    }
    if sum.is_zero() {
        sum.set_sign_positive(true);
    }
    Some(sum)
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
                there.debits = sum(there.debits, line.debits)?;
                there.credits = sum(there.credits, line.credits)?;
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

    /// The same lines and accounts, before anything moved.
    #[must_use]
    pub fn emptied(mut self) -> Self {
        for line in self.0.values_mut() {
            let zero = Decimal::new(0, line.debits.scale());
            (line.debits, line.credits) = (zero, zero);
        }
        self
    }

    /// With what moved put on it. Nothing if no amount can hold the sum.
    #[must_use]
    pub fn plus(mut self, moved: &Self) -> Option<Self> {
        for line in moved.lines() {
            self.add(line.clone())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(debits: Decimal, credits: Decimal) -> Line {
        Line {
            currency: "INR".parse().unwrap(),
            account_type: AccountType::Liability,
            class: "open".to_owned(),
            heading: "wallet:*".to_owned(),
            accounts: 1,
            debits,
            credits,
        }
    }

    fn of(line: Line) -> Sheet {
        let mut sheet = Sheet::default();
        sheet.add(line).unwrap();
        sheet
    }

    #[test]
    fn what_is_taken_off_to_the_last_leaves_zeros_with_decimals_and_no_sign() {
        let (some, none) = (Decimal::new(12_000, 2), Decimal::new(0, 2));
        let now = of(line(none, some));
        // What moved is as the events have it: nothing is nothing, without decimals.
        let moved = of(Line { accounts: 0, ..line(Decimal::ZERO, Decimal::new(120, 0)) });
        let then = now.clone().less(&moved).unwrap();
        let again = then.clone().emptied().plus(&moved).unwrap();
        let text = |sheet: &Sheet| {
            let line = sheet.lines().next().unwrap();
            let amounts = [line.debits, line.credits, line.balance().unwrap()];
            amounts.map(|amount| amount.to_string())
        };
        assert_eq!(text(&then), ["0.00", "0.00", "0.00"]);
        assert_eq!(text(&again), ["0.00", "120.00", "120.00"]);
        assert_eq!(again, now);
    }
}
