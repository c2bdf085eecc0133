//! Closing months and years.
//!
//! A month is closed once it is over, and with it everything before: nothing that belongs to a
//! closed day is posted, whoever asks, so that figures which somebody has signed stay what they
//! were. What comes late belongs to an open day and keeps the bank's own date. Opening again is an
//! event with a reason. A year is closed by one transaction that moves its income and expense to
//! equity; it alone is posted into closed days, and only for what the book was when it was summed.

use chrono::{Datelike, NaiveDate};

use super::{Book, BookError, BookEvent, PeriodClosed, PeriodReopened, YearClosed};
use crate::{
    ids::{Reference, TransactionId},
    posting::Posting,
};

/// What can be asked about periods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodOperation {
    /// Close the months up to the one that ends on this day.
    Close {
        /// The last day of a month.
        until: NaiveDate,
    },
    /// Open the months from this day on again.
    Reopen {
        /// The first day of a month.
        from: NaiveDate,
        /// Why.
        reason: Reference,
    },
    /// Move a year's result into equity.
    CloseYear(CloseYear),
}

/// A year to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseYear {
    /// The last day of the year.
    pub until: NaiveDate,
    /// What moves its income and expense; its date is that day.
    pub posting: Posting,
    /// The sequence of the book when the amounts were summed: a period that was opened again since
    /// would make them wrong, and a year that was closed since would be closed twice.
    pub expected_sequence: u64,
}

impl Book {
    /// Whether nothing may be posted any more that belongs to `day`.
    pub fn is_closed(&self, day: NaiveDate) -> bool {
        self.closed_until.is_some_and(|until| day <= until)
    }

    pub(super) fn decide_close(
        &self,
        until: NaiveDate,
        today: NaiveDate,
    ) -> Result<BookEvent, BookError> {
        self.must_be_open()?;
        if until.succ_opt().is_none_or(|next| next.day() != 1) {
            return Err(BookError::PeriodNotMonths);
        }
        if until >= today {
            return Err(BookError::PeriodNotOver);
        }
        if self.is_closed(until) {
            return Err(BookError::PeriodClosedAlready);
        }
        Ok(BookEvent::PeriodClosed(PeriodClosed { until }))
    }

    pub(super) fn decide_reopen(
        &self,
        from: NaiveDate,
        reason: Reference,
    ) -> Result<BookEvent, BookError> {
        self.must_be_open()?;
        if from.day() != 1 || from.pred_opt().is_none() {
            return Err(BookError::PeriodNotMonths);
        }
        if !self.is_closed(from) {
            return Err(BookError::PeriodNotClosed);
        }
        Ok(BookEvent::PeriodReopened(PeriodReopened { from, reason }))
    }

    /// What becomes of a wish to close a year.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) fn decide_year(
        &self,
        until: NaiveDate,
        transaction_id: TransactionId,
        expected: u64,
    ) -> Result<BookEvent, BookError> {
        self.must_be_open()?;
        if until.succ_opt().is_none_or(|next| next.day() != 1) {
            return Err(BookError::PeriodNotMonths);
        }
        if !self.is_closed(until) {
            return Err(BookError::PeriodNotClosed);
        }
        if self.year_closed.is_some_and(|last| until < last) {
            return Err(BookError::YearClosedLater);
        }
        if self.sequence != expected {
            return Err(BookError::BookChanged { expected, actual: self.sequence });
        }
        Ok(BookEvent::YearClosed(YearClosed { until, transaction_id }))
    }

    pub(super) const fn must_be_open(&self) -> Result<(), BookError> {
        if self.time_zone.is_none() { Err(BookError::NotOpen) } else { Ok(()) }
    }
}
