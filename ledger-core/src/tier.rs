//! Tiers: named sets of limits that an account can be put on (small wallet, full KYC …).
//!
//! It knows what a tier allows; nothing of accounts, which count what they moved themselves
//! (`crate::account`). A tier stands in the book as a row of versions: a new one holds for every
//! account of the tier from its event on, and changes nothing that was decided before it. So one
//! event changes the limit of a million wallets, and each decision is the outcome of the events
//! before it alone.
//!
//! *In* is what increases an account on its normal side, *out* what decreases it.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{ids::TierName, money::CurrencyCode};

/// The most tiers that a book has.
pub const TIERS_MAX: usize = 100;

/// What a tier allows in one direction; nothing = no limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowLimits {
    /// The most that one transaction may move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_transaction: Option<Decimal>,
    /// The most in a day of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Decimal>,
    /// The most in a month of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_month: Option<Decimal>,
    /// The most in a calendar year of the book.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_year: Option<Decimal>,
}

impl FlowLimits {
    /// The limit of a period.
    pub const fn of(&self, limit: Limit) -> Option<Decimal> {
        match limit {
            Limit::Balance => None,
            Limit::Transaction => self.per_transaction,
            Limit::Day => self.per_day,
            Limit::Month => self.per_month,
            Limit::Year => self.per_year,
        }
    }
}

/// What a tier allows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierLimits {
    /// The most that an account may hold; nothing = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Decimal>,
    /// What may come in.
    #[serde(default, rename = "in")]
    pub incoming: FlowLimits,
    /// What may go out.
    #[serde(default, rename = "out")]
    pub outgoing: FlowLimits,
}

impl TierLimits {
    /// What holds in a direction.
    pub const fn flow(&self, flow: Flow) -> &FlowLimits {
        match flow {
            Flow::In => &self.incoming,
            Flow::Out => &self.outgoing,
        }
    }

    /// All limits.
    pub fn all(&self) -> impl Iterator<Item = Option<Decimal>> + '_ {
        let flows = [&self.incoming, &self.outgoing].into_iter();
        let periods = flows.flat_map(|flow| Limit::PERIODS.map(|limit| flow.of(limit)));
        std::iter::once(self.balance).chain(periods)
    }
}

/// A tier as it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Its name.
    pub tier: TierName,
    /// The currency of its limits; it never changes.
    pub currency: CurrencyCode,
    /// Which version this is, from 1.
    pub version: u32,
    /// What it allows.
    pub limits: TierLimits,
}

/// The tiers of a book, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tiers(BTreeMap<TierName, Tier>);

impl Tiers {
    /// The tier of a name, in the version that is in force.
    pub fn get(&self, name: &TierName) -> Option<&Tier> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Tier> {
        self.0.values()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Puts a new version in force.
    pub fn define(&mut self, tier: Tier) {
        self.0.insert(tier.tier.clone(), tier);
    }
}

/// Which way money moves, seen from an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// The balance grows.
    In,
    /// The balance shrinks.
    Out,
}

impl Flow {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// One transaction.
    Transaction,
    /// A day of the book.
    Day,
    /// A month of the book.
    Month,
    /// A calendar year of the book.
    Year,
    /// What the account holds.
    Balance,
}

impl Limit {
    /// What is counted.
    pub const PERIODS: [Self; 4] = [Self::Transaction, Self::Day, Self::Month, Self::Year];

    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
            Self::Balance => "balance",
        }
    }

    /// The first day that is counted afresh, seen from `day`; nothing where time does not help.
    pub fn resets_on(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Transaction | Self::Balance => None,
            Self::Day => day.succ_opt(),
            Self::Month => day.with_day(1)?.checked_add_months(Months::new(1)),
            Self::Year => NaiveDate::from_ymd_opt(day.year().checked_add(1)?, 1, 1),
        }
    }
}

/// The limit that stands in the way of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitExceeded {
    /// The tier whose limit it is.
    pub tier: TierName,
    /// Which way the money was to move.
    pub flow: Flow,
    /// What the limit is about.
    pub limit: Limit,
    /// The limit.
    pub maximum: Decimal,
    /// How much of it is left.
    pub left: Decimal,
    /// The first day that is counted afresh; nothing where time does not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_on: Option<NaiveDate>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn periods_end_where_the_calendar_says() {
        let cases = [
            (Limit::Day, "2026-11-22", "2026-11-23"),
            (Limit::Day, "2028-02-28", "2028-02-29"),
            (Limit::Day, "2028-02-29", "2028-03-01"),
            (Limit::Day, "2026-12-31", "2027-01-01"),
            (Limit::Month, "2026-01-31", "2026-02-01"),
            (Limit::Month, "2028-02-29", "2028-03-01"),
            (Limit::Month, "2026-12-01", "2027-01-01"),
            (Limit::Year, "2028-02-29", "2029-01-01"),
            (Limit::Year, "2026-12-31", "2027-01-01"),
        ];
        for (limit, from, to) in cases {
            assert_eq!(limit.resets_on(day(from)), Some(day(to)), "{limit:?} {from}");
        }
        assert_eq!(Limit::Transaction.resets_on(day("2026-11-22")), None);
        assert_eq!(Limit::Balance.resets_on(day("2026-11-22")), None);
    }
}
