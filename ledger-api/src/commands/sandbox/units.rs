//! Percentages, durations and latencies, as they are typed.

use std::time::Duration;

/// Half of the answers, and all but one in a hundred, take no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// `250ms`, `90s`, `10m`, `2h`, `1d`.
pub(in crate::commands) fn duration(text: &str) -> Result<Duration, &'static str> {
    const WRONG: &str = "a duration is a number with ms, s, m, h or d behind it, such as 90s";
    let end = text.find(|c: char| !c.is_ascii_digit()).ok_or(WRONG)?;
    let (number, unit) = text.split_at(end);
    let number: u64 = number.parse().map_err(|_| WRONG)?;
    let in_milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(WRONG),
    };
    number.checked_mul(in_milliseconds).map(Duration::from_millis).ok_or(WRONG)
}

/// `30%` or `30`.
pub(super) fn percent(text: &str) -> Result<u8, &'static str> {
    let number = text.strip_suffix('%').unwrap_or(text).parse();
    number.ok().filter(|percent| *percent <= 100).ok_or("a percentage is 0% to 100%")
}

/// `p50=2s,p99=40s`.
pub(super) fn latency(text: &str) -> Result<Latency, &'static str> {
    const WRONG: &str = "a latency is p50=DURATION,p99=DURATION, such as p50=2s,p99=40s";
    let (p50, p99) = text.split_once(',').ok_or(WRONG)?;
    let p50 = duration(p50.strip_prefix("p50=").ok_or(WRONG)?)?;
    let p99 = duration(p99.strip_prefix("p99=").ok_or(WRONG)?)?;
    Ok(Latency { p50, p99 })
}
