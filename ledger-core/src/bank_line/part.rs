//! What a line, or a part of it, is: each purpose has its account and its side.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{LineDirection, PartsError};
use crate::{
    chart::Direction,
    ids::{AccountId, Item},
    money,
};

/// The most parts of a line: a lump of a payment gateway has many.
pub const PARTS_MAX: usize = 98;

/// What a part of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A payment that the bank told of: an item of `clearing_out`. Of debits.
    Payment,
    /// Money that the bank told of, a return included: an item of `clearing_in`. Of credits.
    Arrival,
    /// What the bank charges, kept back from a credit included: `expense:bank_charges`.
    Charges,
    /// The tax on it: `tax:gst_input`.
    Tax,
    /// Interest: `income:interest`. Of credits.
    Interest,
    /// Between two accounts of our own: an item of `treasury:in_transit`.
    Treasury,
    /// It takes an earlier line back that nobody could explain: that line's item in suspense.
    Reversal,
    /// A customer's money after all: the wallet. Only said of what lay in suspense. Of credits.
    Wallet,
    /// Nobody knows: suspense, under the line's own id.
    Unknown,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is.
    pub purpose: Purpose,
    /// The business object: for [`Purpose::Payment`], [`Purpose::Arrival`], [`Purpose::Treasury`]
    /// and [`Purpose::Reversal`], and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// The wallet: for [`Purpose::Wallet`], and for no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<AccountId>,
    /// How much; above zero.
    pub amount: Decimal,
}

impl Part {
    /// A part without an object.
    pub const fn plain(purpose: Purpose, amount: Decimal) -> Self {
        Self { purpose, item: None, wallet: None, amount }
    }

    /// A part that belongs to an object.
    pub const fn of_item(purpose: Purpose, item: Item, amount: Decimal) -> Self {
        Self { purpose, item: Some(item), wallet: None, amount }
    }

    /// The side of its leg. Charges are a cost even where they were kept back from a credit.
    pub const fn side(&self, line: LineDirection) -> Direction {
        match (self.purpose, line) {
            (Purpose::Charges | Purpose::Tax, _) | (_, LineDirection::Debit) => Direction::Debit,
            (_, LineDirection::Credit) => Direction::Credit,
        }
    }

    fn check(&self, line: LineDirection, own: &str) -> Result<(), PartsError> {
        let (wants_item, of) = match self.purpose {
            Purpose::Payment => (true, Some(LineDirection::Debit)),
            Purpose::Arrival => (true, Some(LineDirection::Credit)),
            Purpose::Treasury | Purpose::Reversal => (true, None),
            Purpose::Interest | Purpose::Wallet => (false, Some(LineDirection::Credit)),
            Purpose::Charges | Purpose::Tax | Purpose::Unknown => (false, None),
        };
        let takes_itself_back = self.item.as_ref().is_some_and(|item| item.as_str() == own);
        if self.item.is_some() != wants_item || takes_itself_back {
            return Err(PartsError::Item);
        }
        if self.wallet.is_some() != (self.purpose == Purpose::Wallet) {
            return Err(PartsError::Wallet);
        }
        if of.is_some_and(|of| of != line) {
            return Err(PartsError::Purpose);
        }
        Ok(())
    }
}

/// The items that money arrives for.
pub(super) fn arrivals(parts: &[Part]) -> impl Iterator<Item = &Item> {
    let arrivals = parts.iter().filter(|part| part.purpose == Purpose::Arrival);
    arrivals.filter_map(|part| part.item.as_ref())
}

/// What the parts come to on the line: those on its other side, less those on the bank's. None of
/// them is `own`, the item under which it lies in suspense itself.
pub(crate) fn total(parts: &[Part], line: LineDirection, own: &str) -> Result<Decimal, PartsError> {
    if parts.is_empty() || parts.len() > PARTS_MAX {
        return Err(PartsError::Count);
    }
    let usual = Part::plain(Purpose::Unknown, Decimal::ZERO).side(line);
    let mut total: Option<Decimal> = None;
    for part in parts {
        part.check(line, own)?;
        if part.amount <= Decimal::ZERO {
            return Err(PartsError::Amount);
        }
        let kept_back = part.side(line) != usual;
        let signed =
            if kept_back { Decimal::ZERO.saturating_sub(part.amount) } else { part.amount };
        total = Some(match total {
            None => signed,
            Some(total) if total.scale() != signed.scale() => return Err(PartsError::Amount),
            Some(total) => money::add(total, signed).map_err(|_| PartsError::Amount)?,
        });
    }
    total.filter(|total| *total > Decimal::ZERO).ok_or(PartsError::Sum)
}
