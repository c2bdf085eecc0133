//! What shops pay for being paid, as versions: each is an event, and none is ever changed.
//!
//! A shop agrees to a version and keeps it until it agrees to another; a payment keeps the rates
//! that it was made by. Version 1 is what shops began with before the book had any.

use std::collections::BTreeMap;

use super::{Book, BookError, BookEvent};
use crate::payment::Terms;

/// A book has at most so many versions: a handful a year for centuries.
pub(super) const VERSIONS_MAX: u32 = 10_000;

/// Rates to define as the next version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefineTerms {
    /// Of a payment, in basis points, tax included.
    pub fee_bps: u16,
    /// The rate of the tax that is in the fee, in basis points.
    pub tax_bps: u16,
    /// The last version must be this one.
    pub expected_version: Option<u32>,
}

/// The versions after the first, by their number.
pub(super) type Versions = BTreeMap<u32, Terms>;

impl Book {
    /// The terms of a version; nothing for one that there never was.
    pub fn terms(&self, version: u32) -> Option<Terms> {
        if version == Terms::FIRST.version {
            return Some(Terms::FIRST);
        }
        self.terms.get(&version).copied()
    }

    /// The last version: what new shops agree to.
    pub fn terms_now(&self) -> Terms {
        self.terms.last_key_value().map_or(Terms::FIRST, |(_, terms)| *terms)
    }

    /// All versions, the first first.
    pub fn all_terms(&self) -> impl Iterator<Item = Terms> + '_ {
        std::iter::once(Terms::FIRST).chain(self.terms.values().copied())
    }

    pub(super) fn decide_terms(&self, define: DefineTerms) -> Result<BookEvent, BookError> {
        self.must_be_open()?;
        let actual = self.terms_now().version;
        if let Some(expected) = define.expected_version.filter(|expected| *expected != actual) {
            return Err(BookError::TermsVersion { expected, actual });
        }
        let DefineTerms { fee_bps, tax_bps, .. } = define;
        let terms = Terms { version: actual.saturating_add(1), fee_bps, tax_bps };
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
        BookEvent::TermsDefined(Terms { version, fee_bps, tax_bps: 1_800 })
    }

    fn define(fee_bps: u16, expected_version: Option<u32>) -> BookCommand {
        BookCommand::DefineTerms(DefineTerms { fee_bps, tax_bps: 1_800, expected_version })
    }

    type Given = TestFramework<Book>;

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
        assert_eq!((book.terms_now(), book.terms(1)), (Terms::FIRST, Some(Terms::FIRST)));
        for event in [opened(), defined(2, 150), defined(3, 0)] {
            book.apply(event);
        }
        assert_eq!(book.terms_now().version, 3);
        assert_eq!(book.terms(2).map(|terms| terms.fee_bps), Some(150));
        assert_eq!((book.terms(0), book.terms(4)), (None, None));
        assert_eq!(book.terms(1), Some(Terms::FIRST));
    }
}
