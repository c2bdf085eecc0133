//! The bank calendar: on which days banks work, and so when the money of a payment is settled.
//!
//! Banks of India rest on Sundays, on the second and fourth Saturday of a month, and on holidays
//! that each year's list names. The list has a version, which is kept with each payment whose day
//! was counted by it: a later list changes the days of later payments and of no earlier one.

use std::{collections::BTreeSet, path::Path, str::FromStr};

use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc, Weekday};
use chrono_tz::{Asia::Kolkata, Tz};

/// The days that are kept every year, month and day: what a year without a list of its own has.
const EVERY_YEAR: [(u32, u32); 4] = [(1, 26), (8, 15), (10, 2), (12, 25)];
/// Where the banks are.
const ZONE: Tz = Kolkata;
/// Names a file with another list.
const VARIABLE: &str = "BAHI_BANK_HOLIDAYS";
/// The list that the program comes with.
const KNOWN: &str = include_str!("holidays.txt");
/// More days in a row than banks were ever closed; past it a list is nonsense.
const CLOSED_MAX: u32 = 60;

/// A list of holidays that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// A line is neither a day nor the version.
    #[error("line {0} of the list of bank holidays is no day and no version")]
    Line(usize),
    /// It says no version, or two.
    #[error("a list of bank holidays says its version once, above zero")]
    Version,
    /// A day stands twice.
    #[error("line {0} of the list of bank holidays names a day again")]
    Repeated(usize),
    /// The file could not be read.
    #[error("the file of bank holidays that BAHI_BANK_HOLIDAYS names cannot be read")]
    File,
}

/// On which days banks work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankCalendar {
    version: u32,
    holidays: BTreeSet<NaiveDate>,
}

impl BankCalendar {
    /// The list of the file that the environment names, or the one that the program comes with.
    ///
    /// # Errors
    /// [`CalendarError`] for a file that is no such list.
    pub fn from_environment() -> Result<Self, CalendarError> {
        match std::env::var_os(VARIABLE) {
            Some(path) => {
                let text = std::fs::read_to_string(Path::new(&path));
                text.map_err(|_| CalendarError::File)?.parse()
            }
            None => KNOWN.parse(),
        }
    }

    /// Which list it is.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The holidays that it names, in order.
    pub fn holidays(&self) -> impl Iterator<Item = NaiveDate> {
        self.holidays.iter().copied()
    }

    /// Whether banks work on that day.
    pub fn is_business_day(&self, day: NaiveDate) -> bool {
        let rests = match day.weekday() {
            Weekday::Sun => true,
            // The second Saturday is the 8th to the 14th, the fourth the 22nd to the 28th.
            Weekday::Sat => matches!(day.day(), 8..=14 | 22..=28),
            Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri => false,
        };
        !rests && !self.is_holiday(day)
    }

    fn is_holiday(&self, day: NaiveDate) -> bool {
        let first = NaiveDate::from_ymd_opt(day.year(), 1, 1).unwrap_or(day);
        let last = NaiveDate::from_ymd_opt(day.year(), 12, 31).unwrap_or(day);
        if self.holidays.range(first..=last).next().is_some() {
            return self.holidays.contains(&day);
        }
        EVERY_YEAR.contains(&(day.month(), day.day()))
    }

    /// The day that it is for banks at a moment.
    pub fn day_at(moment: DateTime<Utc>) -> NaiveDate {
        moment.with_timezone(&ZONE).date_naive()
    }

    /// The day on which what is paid at `moment` is settled: `lag` business days after it; for a
    /// lag of none the day itself, or the next business day if it is none.
    pub fn settles_on(&self, moment: DateTime<Utc>, lag: u8) -> NaiveDate {
        let mut day = Self::day_at(moment);
        for _ in 0..lag {
            day = self.business_day_from(next(day));
        }
        self.business_day_from(day)
    }

    /// The first business day that is not before `day`.
    fn business_day_from(&self, day: NaiveDate) -> NaiveDate {
        let mut found = day;
        for _ in 0..CLOSED_MAX {
            if self.is_business_day(found) {
                return found;
            }
            found = next(found);
        }
        found
    }
}

fn next(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// The list that the program comes with.
impl Default for BankCalendar {
    fn default() -> Self {
        // That it can be read is tested.
        KNOWN.parse().unwrap_or(Self { version: 1, holidays: BTreeSet::new() })
    }
}

impl FromStr for BankCalendar {
    type Err = CalendarError;

    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let mut version = None;
        let mut holidays = BTreeSet::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            if word == "version" {
                let said = rest.parse().ok().filter(|version| *version > 0);
                if version.is_some() || said.is_none() {
                    return Err(CalendarError::Version);
                }
                version = said;
                continue;
            }
            let day = NaiveDate::parse_from_str(word, "%Y-%m-%d");
            if !holidays.insert(day.map_err(|_| CalendarError::Line(number))?) {
                return Err(CalendarError::Repeated(number));
            }
        }
        Ok(Self { version: version.ok_or(CalendarError::Version)?, holidays })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn banks_rest_on_sundays_some_saturdays_and_holidays() {
        let calendar: BankCalendar = KNOWN.parse().unwrap();
        assert_eq!(calendar.version(), 1);
        for (text, works) in [
            ("2026-11-20", true),
            // First, third and fifth Saturdays are days like others.
            ("2026-11-07", true),
            ("2026-11-14", false),
            ("2026-11-21", true),
            ("2026-11-28", false),
            ("2026-08-29", true),
            ("2026-11-22", false),
            ("2026-11-24", false),
            ("2026-11-10", false),
            ("2026-12-25", false),
        ] {
            assert_eq!(calendar.is_business_day(day(text)), works, "{text}");
        }
        // No list for that year: what is the same in all of them.
        assert!(!calendar.is_business_day(day("2031-08-15")));
        assert!(calendar.is_business_day(day("2031-11-24")));
    }

    #[test]
    fn what_is_paid_settles_so_many_business_days_later() {
        let calendar: BankCalendar = KNOWN.parse().unwrap();
        for (moment, lag, expected) in [
            // A Friday; Saturday the 21st is the third of its month.
            ("2026-11-20T10:00:00Z", 1, "2026-11-21"),
            // Saturday evening: Sunday rests, Monday works, Tuesday is a holiday.
            ("2026-11-21T10:00:00Z", 1, "2026-11-23"),
            ("2026-11-21T10:00:00Z", 2, "2026-11-25"),
            // Half past midnight in India is the day before in Greenwich.
            ("2026-11-22T19:00:00Z", 0, "2026-11-23"),
            ("2026-11-22T18:29:59Z", 1, "2026-11-23"),
            ("2026-11-22T18:30:00Z", 1, "2026-11-25"),
            ("2026-11-22T10:00:00Z", 0, "2026-11-23"),
            ("2026-12-24T10:00:00Z", 1, "2026-12-28"),
        ] {
            let found = calendar.settles_on(at(moment), lag);
            assert_eq!(found, day(expected), "{moment} +{lag}");
        }
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        for (text, error) in [
            ("2026-01-26 Republic Day", CalendarError::Version),
            ("version 0", CalendarError::Version),
            ("version 1\nversion 2", CalendarError::Version),
            ("version 1\n26 January", CalendarError::Line(2)),
            ("version 1\n2026-02-30 x", CalendarError::Line(2)),
            ("version 1\n2026-01-26\n2026-01-26 again", CalendarError::Repeated(3)),
        ] {
            assert_eq!(text.parse::<BankCalendar>(), Err(error), "{text}");
        }
    }
}
