//! Times as people read them, in their own zone, with the exact time on hover.

use std::fmt::{self, Display};

use askama::filters::HtmlSafe;
use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;

/// A moment on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When {
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    zone: Tz,
    seconds: bool,
}

impl When {
    /// A moment, as it is read at `now` in `zone`.
    pub(crate) fn new(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> Self {
        Self { at, now, zone, seconds: false }
    }

    /// The same with seconds: the steps of one movement lie close together.
    pub(crate) fn exact(self) -> Self {
        Self { seconds: true, ..self }
    }

    /// The words alone.
    pub(crate) fn text(&self) -> String {
        let (at, today) = (self.at.with_timezone(&self.zone), self.today());
        let clock = at.format(if self.seconds { "%H:%M:%S" } else { "%H:%M" });
        let date = at.date_naive();
        if date == today {
            return if self.seconds { clock.to_string() } else { format!("Today, {clock}") };
        }
        format!("{}, {clock}", day(date, today))
    }

    /// The words alone, as they stand inside a sentence.
    pub(crate) fn inside(&self) -> String {
        let text = self.text();
        let mut days = ["Today", "Yesterday", "Tomorrow"].into_iter();
        let named = days.find_map(|day| Some((day, text.strip_prefix(day)?)));
        named.map_or(text.clone(), |(day, rest)| format!("{}{rest}", day.to_lowercase()))
    }

    /// The day alone.
    pub(crate) fn day(&self) -> String {
        day(self.at.with_timezone(&self.zone).date_naive(), self.today())
    }

    fn today(&self) -> NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }
}

/// A day, as it is called on `today`.
fn day(date: NaiveDate, today: NaiveDate) -> String {
    if date == today {
        "Today".to_owned()
    } else if Some(date) == today.pred_opt() {
        "Yesterday".to_owned()
    } else if Some(date) == today.succ_opt() {
        "Tomorrow".to_owned()
    } else if date.year() == today.year() {
        date.format("%-d %b").to_string()
    } else {
        date.format("%-d %b %Y").to_string()
    }
}

impl HtmlSafe for When {}

impl Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = self.at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let here = self.at.with_timezone(&self.zone).to_rfc3339_opts(SecondsFormat::Secs, false);
        write!(f, "<time datetime=\"{exact}\" title=\"{here}\">{}</time>", self.text())
    }
}

/// How long until something: right when the page was made, kept right by the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Countdown {
    until: DateTime<Utc>,
    now: DateTime<Utc>,
}

impl Countdown {
    /// From `now` until a moment.
    pub(crate) fn new(until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self { until, now }
    }

    /// The words alone; the script says it in the same words.
    pub(crate) fn text(&self) -> String {
        let left = self.until.signed_duration_since(self.now).num_seconds();
        match left {
            ..=0 => "any moment now".to_owned(),
            1..=89 => format!("in {left} s"),
            90..=5399 => format!("in {} min", (left + 30) / 60),
            5400..=172_799 => format!("in {} h", (left + 1800) / 3600),
            _ => format!("in {} days", (left + 43_200) / 86_400),
        }
    }
}

impl HtmlSafe for Countdown {}

impl Display for Countdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.to_rfc3339_opts(SecondsFormat::Secs, true);
        write!(f, "<time datetime=\"{until}\" title=\"{until}\" data-countdown>")?;
        write!(f, "{}</time>", self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_the_viewers_and_exact_on_hover() {
        let now = at("2026-11-22T18:00:00Z");
        let shown = |text| When::new(at(text), now, Tz::Asia__Kolkata);
        // 18:30 in London is the next day in India: the day is the viewer's.
        assert_eq!(shown("2026-11-22T08:32:11Z").text(), "Today, 14:02");
        assert_eq!(shown("2026-11-22T08:32:11Z").exact().text(), "14:02:11");
        assert_eq!(shown("2026-11-22T18:30:00Z").text(), "Tomorrow, 00:00");
        assert_eq!(shown("2026-11-21T10:00:00Z").text(), "Yesterday, 15:30");
        assert_eq!(shown("2026-11-01T10:00:00Z").exact().text(), "1 Nov, 15:30:00");
        assert_eq!(shown("2025-11-01T10:00:00Z").day(), "1 Nov 2025");
        assert_eq!(
            shown("2026-11-22T08:32:11Z").to_string(),
            "<time datetime=\"2026-11-22T08:32:11.000Z\" title=\"2026-11-22T14:02:11+05:30\">\
             Today, 14:02</time>"
        );
    }

    #[test]
    fn a_countdown_gets_coarser_with_distance_and_never_negative() {
        let now = at("2026-11-22T12:00:00Z");
        let left = |seconds| Countdown::new(now + chrono::TimeDelta::seconds(seconds), now).text();
        let words = [-5, 45, 150, 7_200, 7 * 86_400].map(left);
        assert_eq!(words, ["any moment now", "in 45 s", "in 3 min", "in 2 h", "in 7 days"]);
    }
}
