//! Which payments a page shows, as its address says it.
//!
//! What is wrong in an address does not end the page: it is left out and said above the list. A
//! file is another matter: nobody looks above it, so there it is an error.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use ledger_core::{ids::MerchantCode, log::Position, payment::PaymentStatus};
use projections::PaymentFilter;
use serde::Deserialize;

use crate::pages::{FormErrors, activity::filter::midnight, address};

/// The address's query. Everything is a text first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Query {
    pub(super) status: String,
    pub(super) days: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) order: String,
    pub(super) store: String,
    pub(super) terminal: String,
    pub(super) customer: String,
    pub(super) older: String,
}

/// The spans of days that can be chosen; the first is meant if none is.
pub(super) const SPANS: [(&str, &str); 5] = [
    ("", "Last 7 days"),
    ("1", "Today"),
    ("30", "30 days"),
    ("180", "180 days"),
    ("all", "Any time"),
];
/// The statuses that can be chosen.
pub(super) const STATUSES: [(&str, &str); 5] = [
    ("", "All"),
    ("completed", "Paid"),
    ("partially_refunded", "Partly refunded"),
    ("refunded", "Refunded"),
    (DISPUTED, "Disputed"),
];
/// Beside the status: whatever became of the rest.
const DISPUTED: &str = "disputed";
const DAYS_DEFAULT: u64 = 7;
const ORDER_CHARS_MAX: usize = 64;

impl Query {
    /// The filter, the customer aside, and what of the address means nothing.
    pub(super) fn filter(
        &self,
        merchant: MerchantCode,
        now: DateTime<Utc>,
        zone: Tz,
    ) -> (PaymentFilter, FormErrors) {
        let mut errors = FormErrors::none();
        let status = PaymentStatus::ALL.into_iter().find(|s| s.as_str() == self.status);
        let disputed = self.status == DISPUTED;
        if status.is_none() && !disputed && !self.status.is_empty() {
            errors.add("status", "There is no such status; it was left out.");
        }
        let from = day(&self.from, "from", &mut errors);
        let to = day(&self.to, "to", &mut errors);
        let preset = if from.is_none() && to.is_none() { self.preset(now, zone) } else { None };
        let begins = |day: NaiveDate| midnight(day, zone);
        let filter = PaymentFilter {
            merchant: Some(merchant),
            status,
            disputed,
            from: from.or(preset).and_then(begins),
            until: to.and_then(|day| day.succ_opt()).and_then(begins),
            order_id: text(&self.order, ORDER_CHARS_MAX),
            store: text(&self.store, ORDER_CHARS_MAX),
            terminal: text(&self.terminal, ORDER_CHARS_MAX),
            before: self.older.parse::<Position>().ok(),
            ..PaymentFilter::default()
        };
        (filter, errors)
    }

    fn preset(&self, now: DateTime<Utc>, zone: Tz) -> Option<NaiveDate> {
        if self.days == "all" {
            return None;
        }
        let days = self.days.parse().ok().filter(|days| (1..=3_660).contains(days));
        let back = days.unwrap_or(DAYS_DEFAULT).saturating_sub(1);
        now.with_timezone(&zone).date_naive().checked_sub_days(Days::new(back))
    }

    /// Whether anything but the usual span restricts the list.
    pub(super) fn restricts(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The same filter at another address, with one field changed and from the newest on.
    pub(super) fn with(&self, path: &str, name: &'static str, value: &str) -> String {
        address::with(path, &self.pairs(), name, value)
    }

    fn pairs(&self) -> [(&'static str, &str); 8] {
        [
            ("status", &self.status),
            ("days", &self.days),
            ("from", &self.from),
            ("to", &self.to),
            ("order", &self.order),
            ("store", &self.store),
            ("terminal", &self.terminal),
            ("customer", &self.customer),
        ]
    }
}

fn text(typed: &str, chars_max: usize) -> Option<String> {
    let typed = typed.trim();
    (!typed.is_empty()).then(|| typed.chars().take(chars_max).collect())
}

/// A date of an address; what is none is said beside its field.
pub(super) fn day(text: &str, field: &'static str, errors: &mut FormErrors) -> Option<NaiveDate> {
    if text.is_empty() {
        return None;
    }
    let day = text.parse().ok();
    if day.is_none() {
        errors.add(field, "A date is written as 2026-11-22; this one was left out.");
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &str) -> Query {
        serde_urlencoded::from_str(pairs).unwrap()
    }

    fn filter(pairs: &str) -> (PaymentFilter, FormErrors) {
        let now = "2026-11-22T20:00:00Z".parse().unwrap();
        query(pairs).filter("tea".parse().unwrap(), now, Tz::Asia__Kolkata)
    }

    #[test]
    fn the_last_seven_days_are_meant_unless_others_are_named() {
        // 20:00 UTC is 01:30 of the 23rd in India.
        let from = |pairs| filter(pairs).0.from.map(|from| from.to_string());
        assert_eq!(from("").as_deref(), Some("2026-11-16 18:30:00 UTC"));
        assert_eq!(from("days=1").as_deref(), Some("2026-11-22 18:30:00 UTC"));
        assert_eq!(from("days=all"), None);
        assert_eq!(from("days=-3").as_deref(), Some("2026-11-16 18:30:00 UTC"));
        let (span, _) = filter("from=2026-11-01&to=2026-11-02&days=1");
        assert_eq!(span.from.unwrap().to_string(), "2026-10-31 18:30:00 UTC");
        assert_eq!(span.until.unwrap().to_string(), "2026-11-02 18:30:00 UTC");
        // An end alone is not cut by the usual week.
        assert_eq!(filter("to=2020-11-02").0.from, None);
    }

    #[test]
    fn case_163_what_means_nothing_is_left_out_and_said() {
        let (found, errors) = filter("status=nope&from=soon&to=%3Cb%3E&order=%20A-1%20&older=x");
        assert_eq!(found.status, None);
        assert_eq!(found.order_id.as_deref(), Some("A-1"));
        assert_eq!(found.before, None);
        for field in ["status", "from", "to"] {
            assert!(!errors.of(field).is_empty(), "{field}");
        }
    }

    #[test]
    fn a_tab_keeps_the_other_filters_and_starts_from_the_newest() {
        let here = query("order=a%26b&older=17");
        let path = "/merchant/payments";
        assert_eq!(
            here.with(path, "status", "refunded"),
            "/merchant/payments?status=refunded&order=a%26b"
        );
        assert_eq!(query("status=refunded").with(path, "status", ""), path);
        assert_eq!(here.with(path, "older", "9"), "/merchant/payments?order=a%26b&older=9");
        assert!(here.restricts() && !query("older=1").restricts());
    }
}
