//! The circuit breaker of a bank: after several submissions in a row that brought nothing, it is
//! left alone for a while, and then tried with one.
//!
//! What it saves is money in doubt: every submission to a bank that is down makes one more
//! withdrawal whose outcome nobody knows. So only submissions count: a bank that answers questions
//! and takes no money is down for us. They count in the order in which they were begun: what times
//! out ends late, and all of a busy minute's time-outs together, though others were begun after
//! them and answered at once. It knows nothing of withdrawals; time comes in from outside.

use std::time::Duration;

use tokio::time::Instant;

/// How many submissions in a row may bring nothing.
const FAILURES_MAX: u32 = 8;
/// The first pause; each next one is twice as long.
const PAUSE_MIN: Duration = Duration::from_secs(5);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// A breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    opened: u32,
    open_until: Option<Instant>,
    /// When the last of those was begun that were answered.
    up_at: Option<Instant>,
    /// Whether the one that it is tried with is under way.
    trying: bool,
}

/// Whether a submission may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// As many as one likes.
    Free,
    /// One, to see whether it works again.
    Trial,
    /// None.
    Refused,
}

impl Breaker {
    /// Whether a submission may be made now.
    pub(super) fn permit(&self, now: Instant) -> Permit {
        match self.open_until {
            None => Permit::Free,
            Some(until) if now < until || self.trying => Permit::Refused,
            Some(_) => Permit::Trial,
        }
    }

    /// The one that it is tried with is made.
    pub(super) const fn tried(&mut self) {
        self.trying = true;
    }

    /// The one that it was to be tried with was not made after all.
    pub(super) const fn not_tried(&mut self) {
        self.trying = false;
    }

    /// A submission that was begun at `begun` brought an answer.
    pub(super) fn answered(&mut self, begun: Instant) {
        *self = Self { up_at: self.up_at.max(Some(begun)), ..Self::default() };
    }

    /// A submission that was begun at `begun` brought nothing; `trial` says whether it is the one
    /// that it was tried with. Whether the breaker opened by it.
    pub(super) fn failed(&mut self, now: Instant, begun: Instant, trial: bool) -> bool {
        if self.open_until.is_some() {
            // What was under way when it opened says nothing new.
            if !trial {
                return false;
            }
            self.trying = false;
        } else if self.up_at.is_some_and(|up_at| begun <= up_at) {
            // The bank was up after that.
            return false;
        } else {
            self.failures = self.failures.saturating_add(1);
            if self.failures < FAILURES_MAX {
                return false;
            }
        }
        let factor = 1_u32.checked_shl(self.opened.min(16)).unwrap_or(u32::MAX);
        let pause = PAUSE_MIN.saturating_mul(factor).min(PAUSE_MAX);
        self.opened = self.opened.saturating_add(1);
        self.open_until = now.checked_add(pause);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(breaker: &mut Breaker, now: Instant) {
        for left in (0..FAILURES_MAX).rev() {
            assert_eq!(breaker.failed(now, now, false), left == 0);
        }
    }

    #[test]
    fn case_107_a_bank_that_answers_nothing_is_left_alone_and_then_tried_with_one_call() {
        let start = Instant::now();
        let mut breaker = Breaker::default();
        open(&mut breaker, start);
        assert_eq!(breaker.permit(start), Permit::Refused);
        let later = start + PAUSE_MIN;
        assert_eq!(breaker.permit(later), Permit::Trial);
        breaker.tried();
        assert_eq!(breaker.permit(later), Permit::Refused, "tried with two");
        // It could not be sent: the next one takes its place.
        breaker.not_tried();
        assert_eq!(breaker.permit(later), Permit::Trial);
        breaker.tried();
        breaker.answered(later);
        assert_eq!(breaker.permit(start + PAUSE_MIN), Permit::Free);
    }

    #[test]
    fn each_failed_trial_doubles_the_pause_up_to_a_bound() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        open(&mut breaker, now);
        let mut pause = PAUSE_MIN;
        for _ in 0..20 {
            now += pause;
            assert_eq!(breaker.permit(now), Permit::Trial);
            breaker.tried();
            assert!(!breaker.failed(now, now, false), "a call that was under way opened it again");
            assert_eq!(breaker.permit(now), Permit::Refused);
            assert!(breaker.failed(now, now, true));
            pause = (pause * 2).min(PAUSE_MAX);
            assert_eq!(breaker.permit(now + pause - Duration::from_millis(1)), Permit::Refused);
        }
        assert_eq!(pause, PAUSE_MAX);
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let mut now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            for _ in 1..FAILURES_MAX {
                assert!(!breaker.failed(now, now, false));
            }
            breaker.answered(now);
            now += Duration::from_millis(1);
        }
        assert_eq!(breaker.permit(now), Permit::Free);
    }

    #[test]
    fn time_outs_that_end_together_do_not_count_where_later_ones_were_answered() {
        let begun = Instant::now();
        let second = Duration::from_secs(1);
        let mut breaker = Breaker::default();
        breaker.answered(begun + second);
        // An answer to one that was begun earlier takes nothing back.
        breaker.answered(begun);
        for _ in 0..100 {
            assert!(!breaker.failed(begun + second * 10, begun + second, false));
        }
        assert_eq!(breaker.permit(begun + second * 10), Permit::Free);
        open(&mut breaker, begun + second * 2);
    }
}
