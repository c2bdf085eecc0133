//! How far the head of a queue is passed over: what cannot be sent now, and stands before the first
//! one that can. It is not read again for each look, so that any number of them stops nobody. Pure;
//! times come in from outside.

use std::time::Duration;

use ledger_core::log::Position;
use tokio::time::Instant;

/// So few are read again each time.
const FEW: usize = 1_000;
/// After how long all of them are looked at again, whatever their number.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What is passed over.
#[derive(Debug, Default)]
pub(super) struct Passed {
    upto: Position,
    count: usize,
    /// Whether something was met that is not passed over, or the end.
    met: bool,
    since: Option<Instant>,
}

impl Passed {
    /// Behind which place a look begins.
    pub(super) fn begin(&mut self, now: Instant) -> Position {
        let again = self.since.is_none_or(|since| now >= since + AGAIN_AFTER);
        // One that has not come through to its end goes on first: or it would never.
        if self.met && (again || self.count <= FEW) {
            *self = Self::default();
        }
        self.since.get_or_insert(now);
        self.met = false;
        self.upto
    }

    /// Somebody is passed over.
    pub(super) const fn over(&mut self, place: Position) {
        if !self.met {
            self.upto = place;
            self.count = self.count.saturating_add(1);
        }
    }

    /// Somebody is met who is not passed over, or the end of the queue.
    pub(super) const fn meets(&mut self) {
        self.met = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A look at `crowd` places, of which the first `over` are passed over, `most` at a time.
    fn look(passed: &mut Passed, now: Instant, over: u64, most: u64) -> (Position, bool) {
        let from = passed.begin(now);
        for place in (1..=over).filter(|place| *place > from).take(usize::try_from(most).unwrap()) {
            passed.over(place);
        }
        let found = over <= from + most;
        if found {
            passed.meets();
        }
        (from, found)
    }

    #[test]
    fn a_long_head_is_passed_once_and_looked_at_again_in_time() {
        let (mut passed, start) = (Passed::default(), Instant::now());
        assert_eq!(look(&mut passed, start, 25_000, 10_000), (0, false));
        assert_eq!(look(&mut passed, start, 25_000, 10_000), (10_000, false));
        // However long it takes to get there.
        let later = start + AGAIN_AFTER * 2;
        assert_eq!(look(&mut passed, later, 25_000, 10_000), (20_000, true));
        assert_eq!(look(&mut passed, later, 25_000, 10_000), (0, false));
        assert_eq!(look(&mut passed, later, 25_000, 30_000), (10_000, true));
        assert_eq!(look(&mut passed, later, 25_000, 30_000), (25_000, true));
    }

    #[test]
    fn a_short_head_is_looked_at_each_time() {
        let (mut passed, now) = (Passed::default(), Instant::now());
        for _ in 0..3 {
            assert_eq!(look(&mut passed, now, 1_000, 10_000), (0, true));
        }
    }
}
