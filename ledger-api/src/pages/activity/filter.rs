//! Which part of the activity a page shows, as its address says it.
//!
//! What is wrong in an address does not end the page: it is left out and said above the list, for
//! addresses are shared, cut off and typed by hand.

use chrono::{DateTime, Days, NaiveDate, TimeZone as _, Utc};
use chrono_tz::Tz;
use projections::{ActivityFilter, ActivityStatus, Towards};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::pages::{FormErrors, act::amount_typed, address};

/// The address's query. Everything is a text first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) way: String,
    pub(super) days: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) min: String,
    pub(super) max: String,
    pub(super) q: String,
    /// Whether the balance after each is shown.
    pub(super) balance: String,
    pub(super) older: String,
    pub(super) newer: String,
}

/// The kinds that can be chosen, with their words.
pub(super) const KINDS: [(&str, &str); 6] = [
    ("", "Everything"),
    ("deposit", "Added"),
    ("transfer", "Transfers"),
    ("payment", "Paid to shops"),
    ("refund", "Refunds"),
    ("withdrawal", "Withdrawn"),
];
/// The ways that can be chosen.
pub(super) const WAYS: [(&str, &str); 3] = [("", "In and out"), ("in", "In"), ("out", "Out")];
/// The spans of days that can be chosen.
pub(super) const SPANS: [(&str, &str); 5] =
    [("", "Any time"), ("1", "Today"), ("7", "Week"), ("30", "Month"), ("180", "6 months")];

impl Query {
    /// The part, and what of the address means nothing.
    pub(super) fn filter(&self, now: DateTime<Utc>, zone: Tz) -> (ActivityFilter, FormErrors) {
        let mut errors = FormErrors::none();
        let kinds = || KINDS.iter().map(|(code, _)| *code);
        let kind = Some(&self.kind).filter(|kind| !kind.is_empty() && kinds().any(|k| k == **kind));
        let status = ActivityStatus::ALL.into_iter().find(|s| s.as_str() == self.status);
        let direction = match &*self.way {
            "in" => Some(Towards::In),
            "out" => Some(Towards::Out),
            _ => None,
        };
        let unknown = [
            ("kind", kind.is_none() && !self.kind.is_empty()),
            ("status", status.is_none() && !self.status.is_empty()),
            ("way", direction.is_none() && !self.way.is_empty()),
        ];
        for (field, _) in unknown.into_iter().filter(|(_, is_unknown)| *is_unknown) {
            errors.add(field, "The address asks for something there is not; it was left out.");
        }
        let today = now.with_timezone(&zone).date_naive();
        let begins = |day: NaiveDate| midnight(day, zone);
        let preset = self.days.parse::<u64>().ok().filter(|days| (1..=3_660).contains(days));
        let preset = preset.and_then(|days| today.checked_sub_days(Days::new(days - 1)));
        let from = day(&self.from, "from", &mut errors).or(preset);
        let until = day(&self.to, "to", &mut errors).and_then(|day| day.succ_opt());
        let filter = ActivityFilter {
            kind: kind.cloned(),
            status,
            direction,
            from: from.and_then(begins),
            before: until.and_then(begins),
            amount_min: amount(&self.min, "min", &mut errors),
            amount_max: amount(&self.max, "max", &mut errors),
            counterparty: None,
            search: None,
        };
        (filter, errors)
    }

    /// What is looked for by one text; nothing if nothing is.
    pub(super) fn sought(&self) -> Option<String> {
        let text = self.q.trim();
        (!text.is_empty()).then(|| text.chars().take(80).collect())
    }

    /// The same list from so many days before where it begins now; nothing if it begins nowhere.
    pub(super) fn further_back(
        &self,
        path: &str,
        days: u64,
        filter: &ActivityFilter,
        zone: Tz,
    ) -> Option<String> {
        let from = filter.from?.with_timezone(&zone).date_naive();
        let from = from.checked_sub_days(Days::new(days))?.to_string();
        let mut query = self.clone();
        query.days.clear();
        Some(query.with(path, "from", &from))
    }

    /// Whether anything restricts the list.
    pub(super) fn restricts(&self) -> bool {
        let fields = [
            &self.kind,
            &self.status,
            &self.way,
            &self.days,
            &self.from,
            &self.to,
            &self.min,
            &self.max,
            &self.q,
        ];
        fields.iter().any(|field| !field.is_empty())
    }

    /// The address of the list with one field changed, without the place in it.
    pub(super) fn with(&self, path: &str, name: &str, value: &str) -> String {
        address::with(path, &self.pairs(), name, value)
    }

    fn pairs(&self) -> [(&'static str, &str); 10] {
        [
            ("kind", &self.kind),
            ("status", &self.status),
            ("way", &self.way),
            ("days", &self.days),
            ("from", &self.from),
            ("to", &self.to),
            ("min", &self.min),
            ("max", &self.max),
            ("q", &self.q),
            ("balance", &self.balance),
        ]
    }
}

fn day(text: &str, field: &'static str, errors: &mut FormErrors) -> Option<NaiveDate> {
    if text.is_empty() {
        return None;
    }
    let day = text.parse().ok();
    if day.is_none() {
        errors.add(field, "A date is written as 2026-11-22; this one was left out.");
    }
    day
}

fn amount(text: &str, field: &'static str, errors: &mut FormErrors) -> Option<Decimal> {
    let typed = amount_typed(text);
    if typed.is_empty() {
        return None;
    }
    let digits = typed.bytes().all(|b| b.is_ascii_digit() || b == b'.') && typed.len() <= 20;
    let amount = digits.then(|| typed.parse().ok()).flatten();
    if amount.is_none() {
        errors.add(field, "An amount is written as 250 or 99.50; this one was left out.");
    }
    amount
}

/// The moment a day begins. Where the clock skips midnight, the first moment after it.
pub(in crate::pages) fn midnight(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let start = day.and_hms_opt(0, 0, 0)?;
    let begins = zone.from_local_datetime(&start).earliest();
    let begins = begins.or_else(|| zone.from_local_datetime(&day.and_hms_opt(1, 0, 0)?).earliest());
    begins.map(|moment| moment.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &str) -> Query {
        serde_urlencoded::from_str(pairs).unwrap()
    }

    fn filter(pairs: &str) -> (ActivityFilter, FormErrors) {
        let now = "2026-11-22T20:00:00Z".parse().unwrap();
        query(pairs).filter(now, Tz::Asia__Kolkata)
    }

    #[test]
    fn days_are_the_viewers() {
        // 20:00 UTC is 01:30 of the 23rd in India.
        let (today, _) = filter("days=1");
        assert_eq!(today.from.unwrap().to_string(), "2026-11-22 18:30:00 UTC");
        let (span, _) = filter("from=2026-11-01&to=2026-11-02");
        assert_eq!(span.from.unwrap().to_string(), "2026-10-31 18:30:00 UTC");
        assert_eq!(span.before.unwrap().to_string(), "2026-11-02 18:30:00 UTC");
    }

    #[test]
    fn case_163_what_means_nothing_is_left_out_and_said() {
        let (found, errors) = filter(
            "kind=x'--&status=nope&way=up&days=-3&from=soon&min=1e9&max=%3Cb%3E&q=%20HDFC1%20",
        );
        assert_eq!(found, ActivityFilter::default());
        for field in ["kind", "status", "way", "from", "min", "max"] {
            assert!(!errors.of(field).is_empty(), "{field}");
        }
    }

    #[test]
    fn one_looks_further_back_from_where_the_list_begins() {
        let further = |pairs| {
            let (found, _) = filter(pairs);
            query(pairs).further_back("/app/activity", 90, &found, Tz::Asia__Kolkata)
        };
        // Today is the 23rd there: a week begins on the 17th.
        let week = further("days=7&kind=deposit&older=9");
        assert_eq!(week.as_deref(), Some("/app/activity?kind=deposit&from=2026-08-19"));
        let from = further("from=2026-11-01&to=2026-11-02");
        assert_eq!(from.as_deref(), Some("/app/activity?from=2026-08-03&to=2026-11-02"));
        assert_eq!(further("kind=deposit"), None);
    }

    #[test]
    fn a_tab_keeps_the_other_filters_and_starts_from_the_newest() {
        let here = query("kind=deposit&q=a%26b&older=17");
        assert_eq!(
            here.with("/app/activity", "status", "done"),
            "/app/activity?kind=deposit&status=done&q=a%26b"
        );
        assert_eq!(query("status=done").with("/app/activity", "status", ""), "/app/activity");
        assert_eq!(
            query("kind=deposit").with("/app/activity", "older", "9"),
            "/app/activity?kind=deposit&older=9"
        );
        assert!(!query("older=1").restricts() && here.restricts());
    }
}
