//! What a body says of itself, if it can be read: for people who look, and to find what nobody
//! will be able to apply. It never decides whether a delivery is stored.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _, Utc};
use ledger_core::clock::Timestamp;
use serde::Deserialize;

/// The longest type of an event that is kept.
const TYPE_BYTES_MAX: usize = 100;
/// Years that PostgreSQL, chrono and people agree on.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=9999;

/// The type and the time of an event, as far as the body has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Nothing if the body is no JSON object with a type: nobody can apply it then.
    pub(super) event_type: Option<String>,
    /// When the event happened, by the bank's clock.
    pub(super) event_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    #[serde(borrow, default)]
    timestamp: Option<Cow<'a, str>>,
}

impl Head {
    pub(super) fn read(body: &[u8]) -> Self {
        // A list of two texts would be taken for the object too.
        let object = body.trim_ascii_start().first() == Some(&b'{');
        let Some(body) = serde_json::from_slice::<Body<'_>>(body).ok().filter(|_| object) else {
            return Self::default();
        };
        let plain = (1..=TYPE_BYTES_MAX).contains(&body.event_type.len())
            && body.event_type.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain {
            return Self::default();
        }
        let event_at = body.timestamp.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
        let event_at = event_at.map(|moment| moment.with_timezone(&Utc));
        Self {
            event_type: Some(body.event_type.into_owned()),
            event_at: event_at.filter(|moment| YEARS.contains(&moment.year())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_where_there_is_one() {
        let body = br#" {"data":{"type":"x"},"type":"bank.credit.received",
                        "timestamp":"2026-11-22T19:32:15+05:30"}"#;
        let head = Head::read(body);
        assert_eq!(head.event_type.as_deref(), Some("bank.credit.received"));
        assert_eq!(head.event_at.unwrap().to_rfc3339(), "2026-11-22T14:02:15+00:00");
        assert!(Head::read(br#"{"type":"a"}"#).event_type.is_some());
    }

    #[test]
    fn case_115_a_time_that_is_none_or_far_away_is_left_out() {
        for time in ["", "yesterday", "2026-11-22T14:02:15", "0001-01-01T00:00:00Z", "2026-13-01"] {
            let head = Head::read(format!(r#"{{"type":"a","timestamp":"{time}"}}"#).as_bytes());
            assert_eq!((head.event_type.as_deref(), head.event_at), (Some("a"), None), "{time}");
        }
        for time in ["2016-12-31T23:59:60Z", "9999-12-31T23:59:59Z", "2024-02-29T00:00:00Z"] {
            let head = Head::read(format!(r#"{{"type":"a","timestamp":"{time}"}}"#).as_bytes());
            assert!(head.event_at.is_some(), "{time}");
        }
    }

    #[test]
    fn what_nobody_can_apply_has_no_head() {
        let long = format!(r#"{{"type":"{}"}}"#, "a".repeat(101));
        for body in [
            &b""[..],
            b"not JSON",
            b"\xff\xfe",
            b"[\"a\",\"b\"]",
            b"{}",
            b"null",
            br#"{"type":1}"#,
            br#"{"type":""}"#,
            br#"{"type":"a b"}"#,
            br#"{"type":"\u0000"}"#,
            br#"{"type":"a","type":"b"}"#,
            br#"{"type":"a"} x"#,
            long.as_bytes(),
        ] {
            assert_eq!(Head::read(body), Head::default(), "{}", String::from_utf8_lossy(body));
        }
    }
}
