//! What a bank can do and promises.

use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use ledger_core::{
    ids::{BankCode, Rail, Reference},
    money::{CurrencyCode, Money},
};

/// A bank's contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// The bank.
    pub bank: BankCode,
    /// Its name for people.
    pub name: String,
    /// Its currency.
    pub currency: CurrencyCode,
    /// Whose days its statements have.
    pub time_zone: Tz,
    /// For how many days it remembers a reference. After that the same one pays again.
    pub reference_unique_for_days: u32,
    /// Whether a submission is answered with its outcome.
    pub answers: Answers,
    /// Submissions per second; at least one.
    pub rate_per_second: u32,
    /// Our accounts there.
    pub accounts: Vec<OurAccount>,
    /// The ways it sends money.
    pub rails: Vec<RailTerms>,
    /// How it may be asked about a transfer.
    pub enquiry: EnquiryTerms,
    /// Refusals that are for good.
    pub final_codes: Vec<Reference>,
    /// Refusals after which a new attempt may succeed.
    pub retryable_codes: Vec<Reference>,
}

/// When an outcome is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// With the answer to the submission.
    AtOnce,
    /// Afterwards.
    Later,
}

/// One of our accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurAccount {
    /// `escrow`, `own`.
    pub name: String,
    /// Its number.
    pub account_number: String,
    /// Its branch.
    pub ifsc: String,
}

/// What a rail takes, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RailTerms {
    /// The rail.
    pub rail: Rail,
    /// The least amount, at the scale that the bank wrote it with.
    pub minimum: Option<Money>,
    /// The greatest amount.
    pub maximum: Option<Money>,
    /// When it works, in the bank's time zone; nothing = always.
    pub hours: Option<Hours>,
    /// When an outcome is certain at the latest.
    pub final_within: Duration,
}

/// From when to when a rail works. If it closes before it opens, it works over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The first minute.
    pub opens: NaiveTime,
    /// The minute after the last.
    pub closes: NaiveTime,
}

impl Hours {
    /// The moment itself, if it is open then; else when it next opens.
    pub fn next_open(&self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let local = at.with_timezone(&zone);
        if self.is_open(local.time()) {
            return Some(at);
        }
        let today = local.date_naive();
        let day = if local.time() < self.opens { today } else { today.succ_opt()? };
        let opens = zone.from_local_datetime(&day.and_time(self.opens)).earliest()?;
        Some(opens.with_timezone(&Utc))
    }

    /// Whether it works at this time of the bank's day.
    pub fn is_open(&self, time: NaiveTime) -> bool {
        if self.opens <= self.closes {
            self.opens <= time && time < self.closes
        } else {
            self.opens <= time || time < self.closes
        }
    }
}

impl RailTerms {
    /// When what is sent at a moment is done at the latest: at once if the rail works then, else
    /// when it opens. Nothing if the time zone's clock has no such moment.
    pub fn done_by(&self, at: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let starts = match self.hours {
            None => at,
            Some(hours) => hours.next_open(at, zone)?,
        };
        starts.checked_add_signed(TimeDelta::from_std(self.final_within).ok()?)
    }

    /// Whether it takes an amount.
    pub fn takes(&self, amount: Money) -> bool {
        let of_its_currency = |limit: &Money| limit.currency() == amount.currency();
        let above = self
            .minimum
            .is_none_or(|least| of_its_currency(&least) && amount.amount() >= least.amount());
        let below = self
            .maximum
            .is_none_or(|most| of_its_currency(&most) && amount.amount() <= most.amount());
        above && below
    }
}

/// How a bank may be asked about a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnquiryTerms {
    /// Not before.
    pub first_after: Duration,
    /// Not more often.
    pub at_most: u32,
    /// Not later.
    pub within: Duration,
}

/// What a refusal's code says of the next attempt. Both prove that nothing was paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is none.
    Final,
    /// It may succeed, with a new reference.
    Retryable,
}

impl Contract {
    /// What a rail takes.
    pub fn rail(&self, rail: &Rail) -> Option<&RailTerms> {
        self.rails.iter().find(|terms| terms.rail == *rail)
    }

    /// What a refusal's code means; nothing if the contract does not have it: then it proves
    /// nothing, and people have to look.
    pub fn refusal(&self, code: &Reference) -> Option<Refusal> {
        if self.final_codes.contains(code) {
            return Some(Refusal::Final);
        }
        self.retryable_codes.contains(code).then_some(Refusal::Retryable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_end_with_the_minute_before_they_close_and_may_span_midnight() {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap();
        let day = Hours { opens: at(8), closes: at(19) };
        assert!(day.is_open(at(8)) && day.is_open(at(18)));
        assert!(!day.is_open(at(7)) && !day.is_open(at(19)));
        let night = Hours { opens: at(22), closes: at(6) };
        assert!(night.is_open(at(23)) && night.is_open(at(0)) && night.is_open(at(5)));
        assert!(!night.is_open(at(6)) && !night.is_open(at(21)));
        // In India it is five and a half hours later.
        let next = |moment: &str| {
            let open = day.next_open(moment.parse().unwrap(), chrono_tz::Asia::Kolkata);
            open.unwrap().to_rfc3339()
        };
        assert_eq!(next("2026-11-22T02:29:00Z"), "2026-11-22T02:30:00+00:00");
        assert_eq!(next("2026-11-22T08:00:00Z"), "2026-11-22T08:00:00+00:00");
        assert_eq!(next("2026-11-22T13:30:00Z"), "2026-11-23T02:30:00+00:00");
        assert_eq!(next("2026-11-22T19:00:00Z"), "2026-11-23T02:30:00+00:00");
    }
}
