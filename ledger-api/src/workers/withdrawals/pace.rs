//! When things are due: the next sending under a bank's rate, the next attempt after a refusal, the
//! next question about an attempt. Pure; all times come in from outside.

use std::time::Duration;

use chrono::TimeDelta;
use ledger_core::{clock::Timestamp, ids::WithdrawalId};
use tokio::time::Instant;

use crate::banks::EnquiryTerms;

/// The pause after the first refusal that may be retried; each next one is twice as long.
const RETRY_MIN_SECONDS: i64 = 10;
/// The longest pause between attempts.
const RETRY_MAX_SECONDS: i64 = 1_800;
/// How much longer each question waits than the one before.
const ENQUIRY_GROWTH: i32 = 4;

/// Sendings per second, without bursts of more than a second's worth.
#[derive(Debug)]
pub(super) struct Rate {
    tokens: u32,
    filled: Instant,
}

impl Rate {
    /// A second's worth from now on.
    pub(super) const fn new(per_second: u32, now: Instant) -> Self {
        Self { tokens: per_second, filled: now }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, per_second: u32, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_millis();
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        let fresh = passed.saturating_mul(u64::from(per_second)) / 1_000;
        if fresh > 0 {
            let fresh = u32::try_from(fresh).unwrap_or(u32::MAX);
            self.tokens = self.tokens.saturating_add(fresh).min(per_second.max(1));
            self.filled = now;
        }
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

/// Before when a withdrawal that was refused `refusals` times, last at `refused_at`, is not sent
/// again. Spread by a tenth either way, by the withdrawal, so that a bank that comes back is not
/// met by all at once.
pub(super) fn retry_at(id: WithdrawalId, refusals: u32, refused_at: Timestamp) -> Timestamp {
    if refusals == 0 {
        return refused_at;
    }
    let doublings = refusals.saturating_sub(1).min(16);
    let factor = 1_i64.checked_shl(doublings).unwrap_or(i64::MAX);
    let pause = RETRY_MIN_SECONDS.saturating_mul(factor).min(RETRY_MAX_SECONDS);
    let millis = pause.saturating_mul(1_000);
    let (_, tail) = id.uuid().as_u64_pair();
    let spread = i64::try_from(tail % 201).unwrap_or(100).saturating_sub(100);
    let millis = millis.saturating_add(millis.saturating_mul(spread) / 1_000);
    after(refused_at, TimeDelta::milliseconds(millis))
}

/// When the next question about an attempt may be asked; nothing if there may be none.
pub(in crate::workers) fn enquiry_at(
    terms: &EnquiryTerms,
    begun_at: Timestamp,
    asked: u32,
) -> Option<Timestamp> {
    if asked >= terms.at_most {
        return None;
    }
    let mut wait = delta(terms.first_after);
    let mut pause = wait;
    for _ in 0..asked {
        pause = pause.checked_mul(ENQUIRY_GROWTH).unwrap_or(TimeDelta::MAX);
        wait = wait.checked_add(&pause).unwrap_or(TimeDelta::MAX);
    }
    // What would be too late is asked at the last moment, so that none is given away.
    Some(after(begun_at, wait.min(delta(terms.within))))
}

/// A duration as a difference of times.
pub(in crate::workers) fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

fn after(moment: Timestamp, by: TimeDelta) -> Timestamp {
    moment.checked_add_signed(by).unwrap_or(Timestamp::MAX_UTC)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const TERMS: EnquiryTerms = EnquiryTerms {
        first_after: Duration::from_secs(90),
        at_most: 3,
        within: Duration::from_secs(7_200),
    };

    #[test]
    fn a_rate_gives_a_second_s_worth_and_then_one_at_a_time() {
        let start = Instant::now();
        let mut rate = Rate::new(10, start);
        let taken = (0..100).filter(|_| rate.take(10, start)).count();
        assert_eq!(taken, 10);
        assert!(!rate.take(10, start + Duration::from_millis(99)));
        assert!(rate.take(10, start + Duration::from_millis(100)));
        assert!(!rate.take(10, start + Duration::from_millis(100)));
        let later = start + Duration::from_secs(60);
        assert_eq!((0..100).filter(|_| rate.take(10, later)).count(), 10);
    }

    #[test]
    fn a_slow_look_still_gives_the_rate() {
        let start = Instant::now();
        let mut rate = Rate::new(200, start);
        let taken: usize = (1..=100_u32)
            .map(|step| {
                let now = start + Duration::from_millis(100) * step;
                (0..1_000).filter(|_| rate.take(200, now)).count()
            })
            .sum();
        assert!((2_000..=2_200).contains(&taken), "{taken}");
    }

    #[test]
    fn questions_are_few_ever_rarer_and_never_early() {
        let begun = Timestamp::UNIX_EPOCH;
        let seconds = |asked| enquiry_at(&TERMS, begun, asked).map(|at| at.timestamp());
        assert_eq!(seconds(0), Some(90));
        assert_eq!(seconds(1), Some(450));
        assert_eq!(seconds(2), Some(1_890));
        assert_eq!(seconds(3), None);
        let short = EnquiryTerms { within: Duration::from_secs(300), ..TERMS };
        assert_eq!(enquiry_at(&short, begun, 1).map(|at| at.timestamp()), Some(300));
        let none = EnquiryTerms { at_most: 0, ..TERMS };
        assert_eq!(enquiry_at(&none, begun, 0), None);
    }

    #[test]
    fn attempts_wait_ever_longer_and_not_all_equally_long() {
        let refused = Timestamp::UNIX_EPOCH;
        let id = |tail| WithdrawalId::from_uuid(Uuid::from_u64_pair(0, tail));
        assert_eq!(retry_at(id(7), 0, refused), refused);
        let pauses = |refusals| -> Vec<i64> {
            (0..201).map(|tail| retry_at(id(tail), refusals, refused).timestamp_millis()).collect()
        };
        for (refusals, pause) in [(1, 10_000), (2, 20_000), (5, 160_000), (90, 1_800_000)] {
            let pauses = pauses(refusals);
            assert_eq!(pauses.iter().min(), Some(&(pause / 10 * 9)));
            assert_eq!(pauses.iter().max(), Some(&(pause / 10 * 11)));
        }
    }
}
