//! What withdrawals and transfers cost, as versions: each is an event, and none is ever changed.

use chrono::SubsecRound as _;

use super::{Book, BookError, BookEvent, terms::VERSIONS_MAX};
use crate::{
    clock::Timestamp,
    fee::{Service, ServiceFee},
    money::{Currency, Money, MoneyError},
};

/// A fee to define as the next version of its service and currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefineFee {
    /// What it is for.
    pub service: Service,
    /// What it costs, tax included.
    pub fee: Money,
    /// The rate of the tax in it, in basis points.
    pub tax_bps: u16,
    /// It is in force from this moment on; nothing: from its event on.
    pub effective_from: Option<Timestamp>,
    /// The last version must be this one.
    pub expected_version: Option<u32>,
}

impl Book {
    /// What a service costs in a currency at a moment.
    ///
    /// # Errors
    /// [`MoneyError`] if the currency does not have the scale that the first fees were made for.
    pub fn fee(
        &self,
        service: Service,
        currency: Currency,
        at: Timestamp,
    ) -> Result<ServiceFee, MoneyError> {
        let begun = |fee: &&ServiceFee| {
            fee.service == service && fee.currency == currency.code && fee.effective_from <= at
        };
        match self.fees.iter().rev().find(begun) {
            Some(fee) => Ok(*fee),
            None => ServiceFee::first(service, currency),
        }
    }

    /// The last version of what a service costs in a currency, which may be to come; 1 if the book
    /// has none.
    pub fn last_fee_version(&self, service: Service, currency: Currency) -> u32 {
        let last = self.fees.iter().rev();
        let mut of = last.filter(|fee| fee.service == service && fee.currency == currency.code);
        of.next().map_or(1, |fee| fee.version)
    }

    /// All versions but the first ones, in the order of their events.
    pub fn fees(&self) -> &[ServiceFee] {
        &self.fees
    }

    pub(crate) fn decide_fee(
        &self,
        define: &DefineFee,
        now: Timestamp,
    ) -> Result<BookEvent, BookError> {
        self.must_be_open()?;
        let currency = define.fee.currency();
        if self.currency(currency.code) != Some(currency) {
            return Err(BookError::CurrencyUnknown);
        }
        let actual = self.last_fee_version(define.service, currency);
        if let Some(expected) = define.expected_version.filter(|expected| *expected != actual) {
            return Err(BookError::FeeVersion { expected, actual });
        }
        let fee = ServiceFee {
            service: define.service,
            currency: currency.code,
            version: actual.saturating_add(1),
            fee: define.fee.amount(),
            tax_bps: define.tax_bps,
            // In whole microseconds, as all moments of the log are.
            effective_from: define.effective_from.map_or(now, |from| from.trunc_subsecs(6)),
        };
        if !fee.is_sound() {
            return Err(BookError::FeeUnsound);
        }
        if fee.effective_from < now {
            return Err(BookError::FeeInThePast);
        }
        if fee.version > VERSIONS_MAX {
            return Err(BookError::TooManyFees);
        }
        Ok(BookEvent::FeeDefined(fee))
    }
}

#[cfg(test)]
mod tests {
    use cqrs_es::{Aggregate as _, test::TestFramework};

    use super::*;
    use crate::{
        book::{BookCommand, Opened},
        testing::{currency, dec, inr, minute},
    };

    type Given = TestFramework<Book>;

    fn open() -> Vec<BookEvent> {
        let time_zone = chrono_tz::Tz::Asia__Kolkata;
        vec![BookEvent::Opened(Opened { time_zone }), BookEvent::CurrencyAdded(currency("INR"))]
    }

    fn defined(version: u32, fee: &str, from: i64) -> BookEvent {
        BookEvent::FeeDefined(ServiceFee {
            service: Service::Withdrawal,
            currency: "INR".parse().unwrap(),
            version,
            fee: dec(fee),
            tax_bps: 1_800,
            effective_from: minute(from),
        })
    }

    fn define(fee: &str, from: Option<i64>, expected_version: Option<u32>) -> DefineFee {
        DefineFee {
            service: Service::Withdrawal,
            fee: inr(fee),
            tax_bps: 1_800,
            effective_from: from.map(minute),
            expected_version,
        }
    }

    fn ask(define: DefineFee, at: i64) -> BookCommand {
        BookCommand::DefineFee(Box::new(define), minute(at))
    }

    fn folded(events: Vec<BookEvent>) -> Book {
        let mut book = Book::default();
        for event in events {
            book.apply(event);
        }
        book
    }

    fn fee_at(book: &Book, at: i64) -> (u32, String) {
        let fee = book.fee(Service::Withdrawal, currency("INR"), minute(at)).unwrap();
        (fee.version, fee.fee.to_string())
    }

    #[test]
    fn a_version_follows_the_last_one_and_holds_from_its_moment() {
        let events = |more: &[BookEvent]| open().into_iter().chain(more.iter().cloned()).collect();
        let (second, third) = (defined(2, "12.00", 5), defined(3, "0.00", 60));
        Given::with(())
            .given(open())
            .when(ask(define("12", None, Some(1)), 5))
            .then_expect_events(vec![second.clone()]);
        Given::with(())
            .given(events(std::slice::from_ref(&second)))
            .when(ask(define("0", Some(60), None), 6))
            .then_expect_events(vec![third.clone()]);
        let book = folded(events(&[second, third]));
        assert_eq!(fee_at(&book, 4), (1, "10.00".to_owned()));
        assert_eq!(fee_at(&book, 5), (2, "12.00".to_owned()));
        assert_eq!(fee_at(&book, 59), (2, "12.00".to_owned()));
        assert_eq!(fee_at(&book, 60), (3, "0.00".to_owned()));
        assert_eq!(book.last_fee_version(Service::Withdrawal, currency("INR")), 3);
        assert_eq!(book.last_fee_version(Service::Transfer, currency("INR")), 1);
        let transfer = book.fee(Service::Transfer, currency("INR"), minute(60)).unwrap();
        assert_eq!((transfer.version, transfer.fee), (1, dec("0.00")));
    }

    #[test]
    fn a_later_version_replaces_what_was_only_planned() {
        let planned = vec![defined(2, "12.00", 60), defined(3, "11.00", 10)];
        let book = folded(open().into_iter().chain(planned).collect());
        assert_eq!(fee_at(&book, 9), (1, "10.00".to_owned()));
        assert_eq!(fee_at(&book, 10), (3, "11.00".to_owned()));
        assert_eq!(fee_at(&book, 61), (3, "11.00".to_owned()));
    }

    #[test]
    fn a_snapshot_keeps_the_versions() {
        let book = folded(open().into_iter().chain([defined(2, "12.00", 5)]).collect());
        let bytes = serde_json::to_vec(&book).unwrap();
        let restored: Book = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(restored, book);
        assert_eq!(restored.fees().len(), 1);
    }
}
