//! A shop as the service knows it, as payers see it, and what its fields may hold.

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use ledger_core::{clock::Timestamp, ids::BankAccountId};

use super::MerchantId;
use crate::{
    links::UpiLink,
    people::{Handle, Name, PersonId},
};

/// Why a text is no value of a shop's, in words for who typed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShopValueError {
    /// Not a category.
    #[error("a category is four digits")]
    Category,
    /// Not a lag.
    #[error("a settlement takes 0 to 30 bank days")]
    Lag,
    /// Not a schedule.
    #[error("payouts are by hand, or every 1 to 31 days")]
    Schedule,
    /// Not the name of a place.
    #[error("a name has 1 to 80 characters, and none that cannot be seen")]
    Place,
}

/// What kind of shop it is: four digits of ISO 18245.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCode(String);

impl CategoryCode {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CategoryCode {
    type Err = ShopValueError;

    fn from_str(text: &str) -> Result<Self, ShopValueError> {
        let is_code = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        if is_code { Ok(Self(text.to_owned())) } else { Err(ShopValueError::Category) }
    }
}

/// How many bank days after a payment its money can be spent: T+n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SettlementLag(u8);

impl SettlementLag {
    /// The lag that a shop begins with.
    pub const NEW: Self = Self(1);
    const MAX: u8 = 30;

    /// A lag of so many bank days.
    ///
    /// # Errors
    /// [`ShopValueError::Lag`] for more than thirty.
    pub const fn new(days: u8) -> Result<Self, ShopValueError> {
        if days <= Self::MAX { Ok(Self(days)) } else { Err(ShopValueError::Lag) }
    }

    /// How many days.
    pub const fn days(self) -> u8 {
        self.0
    }
}

impl fmt::Display for SettlementLag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "T+{}", self.0)
    }
}

/// When what is available goes to the bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutSchedule {
    /// When somebody says so.
    ByHand,
    /// Every so many days.
    Every(u8),
}

impl PayoutSchedule {
    const MAX: u8 = 31;

    /// Every so many days.
    ///
    /// # Errors
    /// [`ShopValueError::Schedule`] for none, or more than a month.
    pub const fn every(days: u8) -> Result<Self, ShopValueError> {
        match days {
            1..=Self::MAX => Ok(Self::Every(days)),
            _ => Err(ShopValueError::Schedule),
        }
    }

    /// The days between two; nothing for those by hand.
    pub const fn days(self) -> Option<u8> {
        match self {
            Self::ByHand => None,
            Self::Every(days) => Some(days),
        }
    }
}

/// What a store or a terminal is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceName(String);

impl PlaceName {
    const CHARS_MAX: usize = 80;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlaceName {
    type Err = ShopValueError;

    fn from_str(text: &str) -> Result<Self, ShopValueError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fits = (1..=Self::CHARS_MAX).contains(&text.chars().count());
        if fits && ledger_core::words::are_plain(&text) {
            Ok(Self(text))
        } else {
            Err(ShopValueError::Place)
        }
    }
}

/// A shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// Which.
    pub id: MerchantId,
    /// The part before the @ of its address for payments.
    pub handle: Handle,
    /// The name on its papers: what the bank knows it by.
    pub legal_name: Name,
    /// The name over its door: what payers see.
    pub display_name: Name,
    /// What kind of shop it is.
    pub category: CategoryCode,
    /// Whether it takes part: one that is closed takes no payments.
    pub is_active: bool,
    /// How long a payment settles.
    pub settlement_lag: SettlementLag,
    /// Which version of the fees it agreed to.
    pub terms_version: u32,
    /// When what is available goes to the bank.
    pub payouts: PayoutSchedule,
    /// Where it goes then.
    pub payout_account: Option<BankAccountId>,
    /// On which day it goes next: India's.
    pub payout_next: Option<NaiveDate>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its accounts were known to be in the ledger.
    pub opened_at: Option<Timestamp>,
}

impl Merchant {
    /// The bank of payment addresses: `chai@bahi`.
    pub const BANK: &'static str = "bahi";

    /// The address that payers pay to, as UPI writes it.
    pub fn payment_address(&self) -> String {
        format!("{}@{}", self.handle, Self::BANK)
    }

    /// The code that hangs on its wall: no amount, no reference, good for ever.
    pub fn standing_link(&self) -> UpiLink {
        UpiLink {
            payee: self.payment_address(),
            name: Some(self.display_name.expose().to_owned()),
            amount: None,
            note: None,
            reference: None,
            category: Some(self.category.as_str().to_owned()),
        }
    }

    /// What payers may know of it.
    pub fn face(&self) -> ShopFace {
        ShopFace {
            id: self.id,
            handle: self.handle.clone(),
            name: self.display_name.clone(),
            category: self.category.clone(),
        }
    }
}

/// What payers may know of a shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShopFace {
    /// Which.
    pub id: MerchantId,
    /// The part before the @ of its address for payments.
    pub handle: Handle,
    /// The name over its door.
    pub name: Name,
    /// What kind of shop it is.
    pub category: CategoryCode,
}

/// A shop to be.
#[derive(Debug, Clone)]
pub struct NewMerchant {
    /// Which it will be.
    pub id: MerchantId,
    /// The part before the @ of its address for payments.
    pub handle: Handle,
    /// The name on its papers.
    pub legal_name: Name,
    /// The name over its door.
    pub display_name: Name,
    /// What kind of shop it is.
    pub category: CategoryCode,
    /// Who opens it, and is its first owner.
    pub owner: PersonId,
    /// Which version of the fees it agrees to: the last one.
    pub terms_version: u32,
    /// When.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_bounds_are_refused() {
        assert!("5814".parse::<CategoryCode>().is_ok());
        for bad in ["", "581", "58145", "58a4", "५८१४"] {
            assert_eq!(bad.parse::<CategoryCode>(), Err(ShopValueError::Category), "{bad}");
        }
        assert_eq!(SettlementLag::new(30).map(SettlementLag::days), Ok(30));
        assert_eq!(SettlementLag::new(31), Err(ShopValueError::Lag));
        assert_eq!(PayoutSchedule::every(1), Ok(PayoutSchedule::Every(1)));
        for bad in [0, 32] {
            assert_eq!(PayoutSchedule::every(bad), Err(ShopValueError::Schedule));
        }
        assert_eq!("  Counter  2 ".parse::<PlaceName>().unwrap().as_str(), "Counter 2");
        for bad in ["", " ", "a\u{202e}b", "a\0", &"x".repeat(81)] {
            assert_eq!(bad.parse::<PlaceName>(), Err(ShopValueError::Place), "{bad:?}");
        }
    }
}
