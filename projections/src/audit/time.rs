//! Moments as whole microseconds since 1970, in the one form that exports use.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat};

/// The microseconds of `2026-11-22T14:02:15.000001Z`, exactly so written.
pub(super) fn parse(text: &str) -> Option<i64> {
    let bytes: &[u8; 27] = text.as_bytes().try_into().ok()?;
    let separators = [bytes[10], bytes[13], bytes[16], bytes[19], bytes[26]];
    if separators != *b"T::.Z" {
        return None;
    }
    let time = NaiveTime::from_hms_micro_opt(
        number(&bytes[11..13])?,
        number(&bytes[14..16])?,
        number(&bytes[17..19])?,
        number(&bytes[20..26])?,
    )?;
    let day = date(text.get(..10)?)?;
    Some(day.and_time(time).and_utc().timestamp_micros())
}

/// The day of `2026-11-22`, exactly so written.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let bytes: &[u8; 10] = text.as_bytes().try_into().ok()?;
    if [bytes[4], bytes[7]] != *b"--" {
        return None;
    }
    let year = i32::try_from(number(&bytes[..4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&bytes[5..7])?, number(&bytes[8..])?)
}

/// The text of a moment. What no calendar shows (a tampered row) has a text that does not parse.
pub(super) fn text(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).map_or_else(
        || format!("{micros} microseconds"),
        |moment| moment.to_rfc3339_opts(SecondsFormat::Micros, true),
    )
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value: u32, byte| {
        byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_one_text() {
        assert_eq!(parse("1970-01-01T00:00:00.000001Z"), Some(1));
        assert_eq!(parse("2026-11-22T14:02:15.000001Z"), Some(1_795_356_135_000_001));
        assert_eq!(text(1_795_356_135_000_001), "2026-11-22T14:02:15.000001Z");
        let bad = [
            "2026-11-22T14:02:15Z",
            "2026-11-22 14:02:15.000001Z",
            "2026-02-30T14:02:15.000001Z",
            "2026-11-22T25:02:15.000001Z",
            "2026-11-22T14:02:15.000001+",
            "2026-11-22T14:02:15.00000aZ",
            "+026-11-22T14:02:15.000001Z",
        ];
        for written in bad {
            assert_eq!(parse(written), None, "{written}");
        }
        assert_eq!(parse(&text(i64::MAX)), None);
        assert_eq!(date("2026-1-022"), None);
    }
}
