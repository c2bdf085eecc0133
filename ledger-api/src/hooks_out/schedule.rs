//! When a delivery that was not taken is sent again: the schedule of Standard Webhooks.

use chrono::TimeDelta;
use uuid::Uuid;

/// How long after the try before, in seconds; the first one is at once.
const PAUSES_S: [i64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// How long to wait after so many tries; nothing once they are used up.
///
/// Up to a tenth more than the schedule says, by the delivery's random id: what failed together
/// does not come back together.
pub(super) fn pause_after(tries: i32, delivery: Uuid) -> Option<TimeDelta> {
    let pause_s = usize::try_from(tries).ok().and_then(|tries| PAUSES_S.get(tries))?;
    let share = i64::try_from(delivery.as_u128().checked_rem(1_000)?).ok()?;
    // Milliseconds: a thousandth of a tenth of so many seconds, share times.
    let jitter = pause_s.checked_mul(share)?.checked_div(10)?;
    TimeDelta::try_milliseconds(pause_s.checked_mul(1_000)?.checked_add(jitter)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_after_three_days_and_a_half_at_most_a_tenth_later() {
        for (share, most) in [(0, 272_105), (999, 299_288)] {
            let id = Uuid::from_u128(share);
            let pauses: Vec<_> = (0..10).map(|tries| pause_after(tries, id).unwrap()).collect();
            assert_eq!(pauses[0], TimeDelta::zero());
            let whole: TimeDelta = pauses.iter().sum();
            assert_eq!(whole.num_seconds(), most, "{pauses:?}");
        }
        let (early, late) = (Uuid::from_u128(0), Uuid::from_u128(999));
        assert_eq!(pause_after(2, early), Some(TimeDelta::minutes(5)));
        assert_eq!(pause_after(2, late), Some(TimeDelta::milliseconds(329_970)));
        assert_eq!((pause_after(10, early), pause_after(-1, early)), (None, None));
    }
}
