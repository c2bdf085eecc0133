//! What shops pay for being paid, as versions: each is an event, and none is ever changed.
//!
//! A shop agrees to a version and keeps it until it agrees to another; a payment keeps the rates
//! that it was made by. Version 1 is what shops began with before the book had any.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Book, BookError, BookEvent};
use crate::payment::Terms;

/// A book has at most so many versions: a handful a year for centuries.
pub(super) const VERSIONS_MAX: u32 = 10_000;
/// The most that any shop may owe us for refunds, in whole units: ten crore rupees.
const DEBT_LIMIT_MAX: u32 = 100_000_000;

/// A version of what is agreed with shops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShopTerms {
    /// Which version it is.
    pub version: u32,
    /// Of a payment, in basis points, tax included.
    pub fee_bps: u16,
    /// The rate of the tax that is in the fee, in basis points.
    pub tax_bps: u16,
    /// The most that a shop may owe us for refunds, in whole units of what it is paid in. Versions
    /// that say nothing lend nothing: a refund that the shop is short of waits.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub debt_limit: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_zero(limit: &u32) -> bool {
    *limit == 0
}

impl ShopTerms {
    /// What shops began with, before the book had any.
    pub const FIRST: Self = Self {
        version: Terms::FIRST.version,
        fee_bps: Terms::FIRST.fee_bps,
        tax_bps: Terms::FIRST.tax_bps,
        debt_limit: 0,
    };

    /// What of it a payment keeps: the rates.
    pub const fn rates(self) -> Terms {
        Terms { version: self.version, fee_bps: self.fee_bps, tax_bps: self.tax_bps }
    }

    /// The most that a shop may owe us, as an amount.
    pub fn debt_limit(self) -> Decimal {
        Decimal::from(self.debt_limit)
    }

    const fn are_sound(self) -> bool {
        self.rates().are_sound() && self.debt_limit <= DEBT_LIMIT_MAX
    }
}

/// Rates to define as the next version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefineTerms {
    /// Of a payment, in basis points, tax included.
    pub fee_bps: u16,
    /// The rate of the tax that is in the fee, in basis points.
    pub tax_bps: u16,
    /// The most that a shop may owe us for refunds, in whole units.
    pub debt_limit: u32,
    /// The last version must be this one.
    pub expected_version: Option<u32>,
}

/// The versions after the first, by their number.
pub(super) type Versions = BTreeMap<u32, ShopTerms>;

impl Book {
    /// The terms of a version; nothing for one that there never was.
    pub fn terms(&self, version: u32) -> Option<ShopTerms> {
        if version == ShopTerms::FIRST.version {
            return Some(ShopTerms::FIRST);
        }
        self.terms.get(&version).copied()
    }

    /// The last version: what new shops agree to.
    pub fn terms_now(&self) -> ShopTerms {
        self.terms.last_key_value().map_or(ShopTerms::FIRST, |(_, terms)| *terms)
    }

    /// All versions, the first first.
    pub fn all_terms(&self) -> impl Iterator<Item = ShopTerms> + '_ {
        std::iter::once(ShopTerms::FIRST).chain(self.terms.values().copied())
    }

    pub(super) fn decide_terms(&self, define: DefineTerms) -> Result<BookEvent, BookError> {
        self.must_be_open()?;
        let actual = self.terms_now().version;
        if let Some(expected) = define.expected_version.filter(|expected| *expected != actual) {
            return Err(BookError::TermsVersion { expected, actual });
        }
        let DefineTerms { fee_bps, tax_bps, debt_limit, .. } = define;
        let terms = ShopTerms { version: actual.saturating_add(1), fee_bps, tax_bps, debt_limit };
        if !terms.are_sound() {
            return Err(BookError::TermsUnsound);
        }
        if terms.version > VERSIONS_MAX {
            return Err(BookError::TooManyTerms);
        }
        Ok(BookEvent::TermsDefined(terms))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::{Aggregate as _, test::TestFramework};

    use super::*;
    use crate::book::{BookCommand, Opened};

    fn opened() -> BookEvent {
        BookEvent::Opened(Opened { time_zone: chrono_tz::Tz::Asia__Kolkata })
    }

    fn defined(version: u32, fee_bps: u16) -> BookEvent {
        BookEvent::TermsDefined(ShopTerms { version, fee_bps, ..ShopTerms::FIRST })
    }

    fn define(fee_bps: u16, expected_version: Option<u32>) -> BookCommand {
        lending(fee_bps, 0, expected_version)
    }

    fn lending(fee_bps: u16, debt_limit: u32, expected_version: Option<u32>) -> BookCommand {
        let tax_bps = 1_800;
        BookCommand::DefineTerms(DefineTerms { fee_bps, tax_bps, debt_limit, expected_version })
    }

    type Given = TestFramework<Book>;

    #[test]
    fn a_version_says_how_much_a_shop_may_owe_and_nothing_means_nothing() {
        let lends = ShopTerms { version: 2, debt_limit: 5_000, ..ShopTerms::FIRST };
        Given::with(())
            .given(vec![opened()])
            .when(lending(200, 5_000, Some(1)))
            .then_expect_events(vec![BookEvent::TermsDefined(lends)]);
        for (limit, is_sound) in [(DEBT_LIMIT_MAX, true), (100_000_001, false)] {
            assert_eq!(ShopTerms { debt_limit: limit, ..lends }.are_sound(), is_sound, "{limit}");
        }
        let old: ShopTerms =
            serde_json::from_str(r#"{"version":2,"fee_bps":200,"tax_bps":1800}"#).unwrap();
        assert_eq!((old.debt_limit, old.debt_limit()), (0, Decimal::ZERO));
        assert!(!serde_json::to_string(&old).unwrap().contains("debt_limit"));
        assert_eq!(lends.debt_limit(), Decimal::from(5_000));
    }

    #[test]
    fn versions_follow_the_first_and_every_one_stays() {
        Given::with(())
            .given(vec![opened()])
            .when(define(150, Some(1)))
            .then_expect_events(vec![defined(2, 150)]);
        Given::with(())
            .given(vec![opened(), defined(2, 150)])
            .when(define(0, None))
            .then_expect_events(vec![defined(3, 0)]);
        let mut book = Book::default();
        assert_eq!((book.terms_now(), book.terms(1)), (ShopTerms::FIRST, Some(ShopTerms::FIRST)));
        for event in [opened(), defined(2, 150), defined(3, 0)] {
            book.apply(event);
        }
        assert_eq!(book.terms_now().version, 3);
        assert_eq!(book.terms(2).map(|terms| terms.fee_bps), Some(150));
        assert_eq!((book.terms(0), book.terms(4)), (None, None));
        assert_eq!(book.terms(1), Some(ShopTerms::FIRST));
    }
}
