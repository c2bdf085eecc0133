//! What was said to banks about transfers, to the byte, for people who look into one: each call
//! with its moment, how long it took, what was asked and what was answered.
//!
//! Nobody decides by it. It is written beside the sending and never in its way: a call leaves what
//! it saw in a queue of bounded length ([`Recorder`]), and one task takes it from there to the
//! database in batches ([`ExchangeKeeper`]). What finds the queue full is lost, and counted.
//!
//! Headers are not kept, so no credential is; bodies name people and are sealed for whom they are
//! about, as the bytes of webhooks are. All of it goes after some days
//! (`BAHI_EXCHANGES_KEPT_DAYS`).

mod keeper;
mod mask;
mod recorder;
mod sealed;
mod store;
mod words;

use std::ffi::OsString;

use chrono::TimeDelta;

pub use keeper::ExchangeKeeper;
pub use mask::{Shown, masked};
pub(crate) use recorder::none_lost;
pub use recorder::{BODY_BYTES_MAX, Exchange, ExchangeKind, Failure, Recorder};
pub use sealed::Body;
pub use store::{Exchanges, KeptExchange};

/// The setting.
const KEPT_DAYS: &str = "BAHI_EXCHANGES_KEPT_DAYS";
const USUAL_DAYS: i64 = 90;
const DAYS: std::ops::RangeInclusive<i64> = 1..=3_650;

/// The setting makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{KEPT_DAYS} is not a number of days from 1 to 3650")]
pub struct KeptDaysError;

/// How long exchanges are kept, as a variable says it; ninety days if it says nothing.
///
/// # Errors
/// [`KeptDaysError`].
pub fn kept_for(
    get: impl Fn(&'static str) -> Option<OsString>,
) -> Result<TimeDelta, KeptDaysError> {
    let said = get(KEPT_DAYS).unwrap_or_default();
    let text = said.to_str().ok_or(KeptDaysError)?.trim();
    // As with other variables, an empty one counts as none.
    let days = if text.is_empty() { Some(USUAL_DAYS) } else { text.parse().ok() };
    let days = days.filter(|days| DAYS.contains(days)).ok_or(KeptDaysError)?;
    TimeDelta::try_days(days).ok_or(KeptDaysError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_kept_for_some_days() {
        let of = |said: &'static str| kept_for(|_| Some(OsString::from(said)));
        assert_eq!(of(" "), Ok(TimeDelta::days(90)));
        assert_eq!(of(" 7 "), Ok(TimeDelta::days(7)));
        for bad in ["0", "-1", "3651", "a week", "1.5"] {
            assert_eq!(of(bad), Err(KeptDaysError), "{bad}");
        }
    }
}
