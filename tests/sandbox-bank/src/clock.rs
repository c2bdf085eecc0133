//! The bank's clock: all that is timed here is timed by it, and it can be moved forwards.
//!
//! It either runs with the machine's, some time ahead of it, or stands still until it is moved.
//! Who waits for a moment wakes when it comes, by itself or because the clock was moved.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use tokio::sync::watch;

/// A moment, in whole milliseconds.
pub type Timestamp = DateTime<Utc>;

/// The bank's time zone, which has no summer time: UTC+05:30.
pub const TIME_ZONE: &str = "Asia/Kolkata";
const TIME_ZONE_SECONDS: i32 = 19_800;
/// The furthest that the clock may be moved at once.
pub const ADVANCE_MAX: TimeDelta = TimeDelta::days(366);

/// What a clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Face {
    /// The machine's time and so much more.
    Running { ahead: TimeDelta },
    /// This moment.
    Standing { at: Timestamp },
}

impl Face {
    fn now(self) -> Timestamp {
        match self {
            Self::Running { ahead } => whole(Utc::now() + ahead),
            Self::Standing { at } => at,
        }
    }
}

/// The clock that a sandbox goes by.
#[derive(Debug)]
pub struct Clock(watch::Sender<Face>);

impl Clock {
    /// A clock that runs with the machine's.
    pub fn running() -> Self {
        Self(watch::Sender::new(Face::Running { ahead: TimeDelta::zero() }))
    }

    /// A clock that runs, and shows `start` now.
    pub fn running_from(start: Timestamp) -> Self {
        Self(watch::Sender::new(Face::Running { ahead: start - Utc::now() }))
    }

    /// A clock that stands still.
    pub fn standing(at: Timestamp) -> Self {
        Self(watch::Sender::new(Face::Standing { at: whole(at) }))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        self.0.borrow().now()
    }

    /// Moves it forwards.
    pub fn advance(&self, by: TimeDelta) {
        self.0.send_modify(|face| match face {
            Face::Running { ahead } => *ahead += by,
            Face::Standing { at } => *at += by,
        });
    }

    /// Makes a clock that runs start so far behind; one that stands still stays where it is.
    pub(crate) fn fall_behind(&self, by: TimeDelta) {
        self.0.send_modify(|face| match face {
            Face::Running { ahead } => *ahead -= by,
            Face::Standing { .. } => {}
        });
    }

    /// Takes a clock that stands still up to `moment`, if it is behind.
    pub(crate) fn not_before(&self, moment: Timestamp) {
        self.0.send_modify(|face| match face {
            Face::Running { .. } => {}
            Face::Standing { at } => *at = moment.max(*at),
        });
    }

    /// Waits until it shows `moment` or later.
    pub async fn until(&self, moment: Timestamp) {
        let mut moved = self.0.subscribe();
        loop {
            let face = *moved.borrow_and_update();
            let Ok(left) = (moment - face.now()).to_std() else {
                return;
            };
            if left.is_zero() {
                return;
            }
            match face {
                Face::Running { .. } => {
                    // Either way the clock is looked at again.
                    tokio::time::timeout(left, moved.changed()).await.ok();
                }
                Face::Standing { .. } => {
                    moved.changed().await.ok();
                }
            }
        }
    }
}

/// Cuts a moment to whole milliseconds.
pub(crate) fn whole(moment: Timestamp) -> Timestamp {
    DateTime::from_timestamp_millis(moment.timestamp_millis()).unwrap_or(moment)
}

/// A moment as it stands on the wire.
pub(crate) fn text(moment: Timestamp) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn at_home(moment: Timestamp) -> DateTime<FixedOffset> {
    FixedOffset::east_opt(TIME_ZONE_SECONDS)
        .map_or_else(|| moment.fixed_offset(), |zone| moment.with_timezone(&zone))
}

/// The bank's day of a moment.
pub fn bank_day(moment: Timestamp) -> NaiveDate {
    at_home(moment).date_naive()
}

/// When the bank's next day begins.
pub(crate) fn next_midnight(moment: Timestamp) -> Timestamp {
    let next = bank_day(moment).succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
    let ahead = TimeDelta::seconds(i64::from(TIME_ZONE_SECONDS));
    next.map_or(moment, |local| local.and_utc() - ahead)
}

/// The time of day at the bank, in whole minutes.
pub(crate) fn minute_of_day(moment: Timestamp) -> u32 {
    use chrono::Timelike as _;
    let local = at_home(moment);
    local.hour() * 60 + local.minute()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_day_ends_at_midnight_in_india() {
        assert_eq!(bank_day(moment("2026-11-22T18:29:59.999Z")).to_string(), "2026-11-22");
        assert_eq!(bank_day(moment("2026-11-22T18:30:00Z")).to_string(), "2026-11-23");
        assert_eq!(minute_of_day(moment("2026-11-22T18:31:00Z")), 1);
    }

    #[tokio::test]
    async fn who_waits_wakes_when_the_clock_is_moved() {
        let start = moment("2026-11-22T10:00:00Z");
        for clock in [Clock::standing(start), Clock::running()] {
            let clock = Arc::new(clock);
            let due = clock.now() + TimeDelta::hours(1);
            let waiter = tokio::spawn({
                let clock = Arc::clone(&clock);
                async move { clock.until(due).await }
            });
            clock.advance(TimeDelta::hours(1));
            waiter.await.expect("it wakes");
            assert!(clock.now() >= due);
        }
    }
}
