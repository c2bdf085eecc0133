//! The book: the rules that every account stands under. One per log; always in the engine's memory.

mod event;
mod fees;
mod periods;
mod terms;

use std::{collections::BTreeMap, sync::Arc};

use chrono::NaiveDate;
use chrono_tz::Tz;
use cqrs_es::{Aggregate, event_sink::EventSink};
use serde::{Deserialize, Serialize};

pub use event::{
    BookEvent, CheckpointKeyRotated, Opened, PeriodClosed, PeriodReopened, YearClosed,
};
pub use fees::DefineFee;
pub use periods::{CloseYear, PeriodOperation};
pub use terms::{DefineTerms, ShopTerms};

use crate::{
    clock::Timestamp,
    command::DefineTier,
    fee::ServiceFee,
    ids::{Reference, TransactionId},
    money::{Currency, CurrencyCode, SCALE_MAX},
    tier::{TIERS_MAX, Tier, Tiers},
};

/// The stream of the one book.
pub const BOOK_ID: &str = "main";

/// The book as its events made it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    sequence: u64,
    time_zone: Option<Tz>,
    currencies: BTreeMap<CurrencyCode, u8>,
    /// Shared with every leg that is decided.
    #[serde(default)]
    tiers: Arc<Tiers>,
    /// The key that signs checkpoints, once another one gave way to it.
    #[serde(default)]
    checkpoint_key: Option<[u8; 32]>,
    /// Nothing that belongs to a day up to this one is posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_until: Option<NaiveDate>,
    /// The last day of the last year whose result lies in equity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    year_closed: Option<NaiveDate>,
    /// What shops pay, by version.
    #[serde(default, skip_serializing_if = "terms::Versions::is_empty")]
    terms: terms::Versions,
    /// What withdrawals and transfers cost, in the order of the events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fees: Vec<ServiceFee>,
}

impl Book {
    /// How many events it has: which version of the rules this is.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The currency of a code, if the book has it.
    pub fn currency(&self, code: CurrencyCode) -> Option<Currency> {
        self.currencies.get(&code).map(|scale| Currency { code, scale: *scale })
    }

    /// All currencies, by code.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> + '_ {
        self.currencies.iter().map(|(code, scale)| Currency { code: *code, scale: *scale })
    }

    /// The tiers, as they are in force.
    pub const fn tiers(&self) -> &Arc<Tiers> {
        &self.tiers
    }

    /// The last day that is closed, if any is: nothing that belongs to a day up to it is posted.
    pub const fn closed_until(&self) -> Option<NaiveDate> {
        self.closed_until
    }

    /// The time zone whose days are the book's days; UTC before the book is opened.
    pub fn time_zone(&self) -> Tz {
        self.time_zone.unwrap_or(Tz::UTC)
    }

    /// The book's day at a moment.
    pub fn day(&self, moment: Timestamp) -> NaiveDate {
        moment.with_timezone(&self.time_zone()).date_naive()
    }
}

impl Book {
    fn decide_key(&self, rotated: CheckpointKeyRotated) -> Result<BookEvent, BookError> {
        if self.time_zone.is_none() {
            return Err(BookError::NotOpen);
        }
        let other = self.checkpoint_key.is_some_and(|key| key != rotated.old_key);
        if other || rotated.old_key == rotated.new_key {
            return Err(BookError::CheckpointKey);
        }
        Ok(BookEvent::CheckpointKeyRotated(Box::new(rotated)))
    }

    fn decide_tier(&self, define: DefineTier) -> Result<BookEvent, BookError> {
        let DefineTier { tier, currency, limits, expected_version } = define;
        if self.time_zone.is_none() {
            return Err(BookError::NotOpen);
        }
        if !self.currencies.contains_key(&currency.code) {
            return Err(BookError::CurrencyUnknown);
        }
        let known = self.tiers.get(&tier);
        if known.is_some_and(|known| known.currency != currency.code) {
            return Err(BookError::TierCurrency);
        }
        let actual = known.map_or(0, |known| known.version);
        if let Some(expected) = expected_version.filter(|expected| *expected != actual) {
            return Err(BookError::TierVersion { expected, actual });
        }
        if known.is_none() && self.tiers.count() >= TIERS_MAX {
            return Err(BookError::TooManyTiers);
        }
        let version = actual.saturating_add(1);
        let currency = currency.code;
        Ok(BookEvent::TierDefined(Box::new(Tier { tier, currency, version, limits })))
    }
}

/// What can be asked of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookCommand {
    /// Open it, once.
    Open {
        /// Its time zone.
        time_zone: Tz,
    },
    /// Make a currency usable.
    AddCurrency(Currency),
    /// Define a tier, or its next version.
    DefineTier(Box<DefineTier>),
    /// Sign checkpoints with another key.
    RotateCheckpointKey(Box<CheckpointKeyRotated>),
    /// Close days up to this one, which is the last of a month.
    ClosePeriod {
        /// That day.
        until: NaiveDate,
        /// The book's day at the moment of the command.
        today: NaiveDate,
    },
    /// Open the days from this one on again, which is the first of a month.
    ReopenPeriod {
        /// That day.
        from: NaiveDate,
        /// Why.
        reason: Reference,
    },
    /// Say which transaction moves a year's result into equity.
    CloseYear {
        /// The last day of the year.
        until: NaiveDate,
        /// The transaction.
        transaction_id: TransactionId,
        /// The book as it was when the transaction's amounts were summed.
        expected_sequence: u64,
    },
    /// Define the next version of what shops pay.
    DefineTerms(DefineTerms),
    /// Define the next version of what a service costs, at this moment.
    DefineFee(Box<DefineFee>, Timestamp),
}

/// Why the book refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// It was never opened.
    #[error("the book is not open")]
    NotOpen,
    /// It is open already.
    #[error("the book is open already")]
    AlreadyOpen,
    /// The scale is larger than amounts can have.
    #[error("a scale is at most {SCALE_MAX}")]
    Scale,
    /// The currency is there already; a scale never changes.
    #[error("the currency exists already; its scale never changes")]
    CurrencyExists,
    /// A tier's limits are in a currency that the book lacks.
    #[error("the book does not have this currency")]
    CurrencyUnknown,
    /// A tier stays in its currency.
    #[error("the tier is defined in another currency")]
    TierCurrency,
    /// The client knows another version than the one in force.
    #[error("the tier is at version {actual}, not at {expected}")]
    TierVersion {
        /// What the command expects; 0 = not defined yet.
        expected: u32,
        /// What it is.
        actual: u32,
    },
    /// A book has a bounded number of tiers.
    #[error("the book has {} tiers already", crate::tier::TIERS_MAX)]
    TooManyTiers,
    /// The key that is to give way is not the one in force, or gives way to itself.
    #[error("another key signs checkpoints now")]
    CheckpointKey,
    /// A close ends with a month, and opening again begins with one.
    #[error("a period ends with the last day of a month and begins with the first one")]
    PeriodNotMonths,
    /// What is not over cannot be closed: money of its days is still to come.
    #[error("the period is not over yet")]
    PeriodNotOver,
    /// It is closed up to that day, or a later one.
    #[error("the period is closed already")]
    PeriodClosedAlready,
    /// It is open: there is nothing to open again, and no year of it can be closed.
    #[error("the period is not closed")]
    PeriodNotClosed,
    /// What a later year's close has moved would be moved twice.
    #[error("a later year is closed already")]
    YearClosedLater,
    /// Something happened to the book since the amounts were summed.
    #[error("the book is at {actual}, not at {expected}, where the year's sums were taken")]
    BookChanged {
        /// Where it was.
        expected: u64,
        /// Where it is.
        actual: u64,
    },
    /// The client knows another last version of the terms.
    #[error("the terms are at version {actual}, not at {expected}")]
    TermsVersion {
        /// What the command expects.
        expected: u32,
        /// What it is.
        actual: u32,
    },
    /// A rate is more than the whole, or the limit of debt more than any shop may owe.
    #[error("a rate is at most 10000 basis points, and a debt at most 100000000")]
    TermsUnsound,
    /// A book has a bounded number of versions.
    #[error("the book has too many versions of terms already")]
    TooManyTerms,
    /// The client knows another last version of the fee.
    #[error("the fee is at version {actual}, not at {expected}")]
    FeeVersion {
        /// What the command expects.
        expected: u32,
        /// What it is.
        actual: u32,
    },
    /// It is below zero, or its tax is more than the whole.
    #[error("a fee is zero or more, and a rate at most 10000 basis points")]
    FeeUnsound,
    /// What was charged is not changed afterwards.
    #[error("a fee is in force from now on, or from a later moment")]
    FeeInThePast,
    /// A fee has a bounded number of versions.
    #[error("the book has too many versions of the fee already")]
    TooManyFees,
}

impl BookError {
    /// The stable code of this error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotOpen => "book_not_open",
            Self::AlreadyOpen => "book_already_open",
            Self::Scale => "currency_scale",
            Self::CurrencyExists => "currency_exists",
            Self::CurrencyUnknown => "currency_unknown",
            Self::TierCurrency => "tier_currency",
            Self::TierVersion { .. } => "tier_version",
            Self::TooManyTiers => "too_many_tiers",
            Self::CheckpointKey => "checkpoint_key_differs",
            Self::PeriodNotMonths => "period_not_months",
            Self::PeriodNotOver => "period_not_over",
            Self::PeriodClosedAlready => "period_closed_already",
            Self::PeriodNotClosed => "period_not_closed",
            Self::YearClosedLater => "year_closed_later",
            Self::BookChanged { .. } => "book_changed",
            Self::TermsVersion { .. } => "terms_version",
            Self::TermsUnsound => "terms_unsound",
            Self::TooManyTerms => "too_many_terms",
            Self::FeeVersion { .. } => "fee_version",
            Self::FeeUnsound => "fee_unsound",
            Self::FeeInThePast => "fee_in_the_past",
            Self::TooManyFees => "too_many_fees",
        }
    }
}

impl Aggregate for Book {
    const TYPE: &'static str = "book";
    type Command = BookCommand;
    type Event = BookEvent;
    type Error = BookError;
    type Services = ();

    async fn handle(
        &mut self,
        command: BookCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), BookError> {
        let event = match command {
            BookCommand::Open { time_zone } => {
                if self.time_zone.is_some() {
                    return Err(BookError::AlreadyOpen);
                }
                BookEvent::Opened(Opened { time_zone })
            }
            BookCommand::AddCurrency(currency) => {
                if self.time_zone.is_none() {
                    return Err(BookError::NotOpen);
                }
                if currency.scale > SCALE_MAX {
                    return Err(BookError::Scale);
                }
                if self.currencies.contains_key(&currency.code) {
                    return Err(BookError::CurrencyExists);
                }
                BookEvent::CurrencyAdded(currency)
            }
            BookCommand::DefineTier(define) => self.decide_tier(*define)?,
            BookCommand::RotateCheckpointKey(rotated) => self.decide_key(*rotated)?,
            BookCommand::ClosePeriod { until, today } => self.decide_close(until, today)?,
            BookCommand::ReopenPeriod { from, reason } => self.decide_reopen(from, reason)?,
            BookCommand::CloseYear { until, transaction_id, expected_sequence } => {
                self.decide_year(until, transaction_id, expected_sequence)?
            }
            BookCommand::DefineTerms(define) => self.decide_terms(define)?,
            BookCommand::DefineFee(define, now) => self.decide_fee(&define, now)?,
        };
        // After this point the command succeeds.
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: BookEvent) {
        self.sequence = self.sequence.saturating_add(1);
        match event {
            BookEvent::Opened(opened) => self.time_zone = Some(opened.time_zone),
            BookEvent::CurrencyAdded(currency) => {
                self.currencies.insert(currency.code, currency.scale);
            }
            BookEvent::TierDefined(tier) => Arc::make_mut(&mut self.tiers).define(*tier),
            BookEvent::CheckpointKeyRotated(rotated) => {
                self.checkpoint_key = Some(rotated.new_key);
            }
            BookEvent::PeriodClosed(closed) => self.closed_until = Some(closed.until),
            BookEvent::PeriodReopened(reopened) => self.closed_until = reopened.from.pred_opt(),
            BookEvent::YearClosed(closed) => self.year_closed = Some(closed.until),
            BookEvent::TermsDefined(terms) => {
                self.terms.insert(terms.version, terms);
            }
            BookEvent::FeeDefined(fee) => self.fees.push(fee),
        }
    }
}

#[cfg(test)]
mod tests;
