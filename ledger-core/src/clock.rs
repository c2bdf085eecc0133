//! Time and fresh ids, as ports: nothing else in the core knows the clock or randomness.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// A moment, in UTC, whole microseconds: what PostgreSQL stores, so nothing is lost on the way.
pub type Timestamp = DateTime<Utc>;

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now, in whole microseconds.
    fn now(&self) -> Timestamp;
}

/// Where fresh UUIDs come from: version 7, so that index entries go to the right edge.
pub trait Ids: Send + Sync {
    /// A UUID that was never given out before.
    fn fresh(&self) -> Uuid;
}

/// The machine's clock and random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Clock for System {
    #[expect(clippy::disallowed_methods, reason = "this is the port that all others use")]
    fn now(&self) -> Timestamp {
        truncate(Utc::now())
    }
}

impl Ids for System {
    #[expect(clippy::disallowed_methods, reason = "this is the port that all others use")]
    fn fresh(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// A clock that runs with the machine's, some time ahead of it: for a sandbox, whose days can be
/// made to pass. It only moves forwards.
#[derive(Debug, Default)]
pub struct ShiftedClock(AtomicI64);

impl ShiftedClock {
    /// One that starts so far ahead, or behind if that is negative.
    pub fn starting(by: TimeDelta) -> Self {
        Self(AtomicI64::new(by.num_microseconds().unwrap_or(0)))
    }

    /// Makes it at least so far ahead.
    pub fn be_ahead(&self, by: TimeDelta) {
        self.0.fetch_max(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// How far ahead it is.
    pub fn ahead(&self) -> TimeDelta {
        TimeDelta::microseconds(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let now = System.now();
        now.checked_add_signed(self.ahead()).unwrap_or(now)
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.timestamp_micros()))
    }

    /// Moves the clock, forwards or backwards.
    pub fn advance(&self, by: TimeDelta) {
        self.0.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        DateTime::from_timestamp_micros(self.0.load(Ordering::SeqCst)).unwrap_or_default()
    }
}

/// Cuts a moment to whole microseconds.
pub fn truncate(moment: Timestamp) -> Timestamp {
    DateTime::from_timestamp_micros(moment.timestamp_micros()).unwrap_or(moment)
}
