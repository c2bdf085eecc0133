//! Which payments a page shows, as its address says it.
//!
//! What is wrong in an address does not end the page: it is left out and said above the list. A
//! file is another matter: nobody looks above it, so there it is an error.

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use ledger_core::{
    ids::{MerchantCode, PaymentId},
    money::{Currency, Money},
    payment::PaymentStatus,
};
use projections::PaymentFilter;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::{
    deposits::IncomingState,
    pages::{FormErrors, act::amount_typed, activity::filter::midnight, address},
};

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
    /// A payment's id, or an amount.
    pub(super) find: String,
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
pub(super) const STATUSES: [(&str, &str); 7] = [
    ("", "All"),
    (PROCESSING, "On its way"),
    ("completed", "Paid"),
    ("partially_refunded", "Partly refunded"),
    ("refunded", "Refunded"),
    (DISPUTED, "Disputed"),
    (FAILED, "Failed"),
];
/// Of payments from other banks that the shop does not have.
pub(super) const PROCESSING: &str = "processing";
pub(super) const FAILED: &str = "failed";
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
        let known = status.is_some() || disputed || self.outside().is_some();
        if !known && !self.status.is_empty() {
            errors.add("status", "There is no such status; it was left out.");
        }
        let from = day(&self.from, "from", &mut errors);
        let to = day(&self.to, "to", &mut errors);
        let (id, gross) = self.found(&mut errors);
        // Who has the id of a payment need not know its day.
        let is_said = from.is_some() || to.is_some() || id.is_some();
        let preset = if is_said { None } else { self.preset(now, zone) };
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
            id,
            gross,
            ..PaymentFilter::default()
        };
        (filter, errors)
    }

    /// Where payments from other banks are that the status means, if it means any.
    pub(super) fn outside(&self) -> Option<IncomingState> {
        match self.status.as_str() {
            PROCESSING => Some(IncomingState::Processing),
            FAILED => Some(IncomingState::Failed),
            _ => None,
        }
    }

    /// The payment or the amount that is looked for.
    fn found(&self, errors: &mut FormErrors) -> (Option<PaymentId>, Option<Decimal>) {
        let typed = self.find.trim();
        if typed.is_empty() {
            return (None, None);
        }
        if let Ok(id) = typed.parse() {
            return (Some(id), None);
        }
        let amount = rupees().and_then(|currency| {
            let text = amount_typed(typed);
            Money::parse(&text, currency).ok().filter(Money::is_positive)
        });
        if amount.is_none() {
            errors.add("find", "This is no payment’s id and no amount; it was left out.");
        }
        (None, amount.map(|amount| amount.amount()))
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

    fn pairs(&self) -> [(&'static str, &str); 9] {
        [
            ("status", &self.status),
            ("days", &self.days),
            ("from", &self.from),
            ("to", &self.to),
            ("order", &self.order),
            ("store", &self.store),
            ("terminal", &self.terminal),
            ("customer", &self.customer),
            ("find", &self.find),
        ]
    }
}

/// What shops are paid in.
pub(in crate::pages::merchant) fn rupees() -> Option<Currency> {
    Some(Currency { code: "INR".parse().ok()?, scale: 2 })
}

fn text(typed: &str, chars_max: usize) -> Option<String> {
    let typed = typed.trim();
    (!typed.is_empty()).then(|| typed.chars().take(chars_max).collect())
}

/// A date of an address; what is none is said beside its field.
pub(in crate::pages::merchant) fn day(
    text: &str,
    field: &'static str,
    errors: &mut FormErrors,
) -> Option<NaiveDate> {
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
    fn a_payment_is_found_by_its_id_whenever_it_was_and_by_its_amount() {
        let id = "pay_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        let (found, _) = filter(&format!("find=%20{id}"));
        assert_eq!((found.id, found.gross, found.from), (Some(id.parse().unwrap()), None, None));
        for (typed, amount) in [("120", "120"), ("1,200.50", "1200.5"), ("%E2%82%B999", "99")] {
            let (found, errors) = filter(&format!("find={typed}"));
            assert_eq!(found.gross, Some(amount.parse().unwrap()), "{typed}");
            assert!(errors.is_empty() && found.from.is_some(), "{typed}");
        }
        for wrong in ["tea", "-1", "0", "1.234", "pay_1"] {
            let (found, errors) = filter(&format!("find={wrong}"));
            assert_eq!((found.id, found.gross), (None, None), "{wrong}");
            assert!(!errors.of("find").is_empty(), "{wrong}");
        }
    }

    #[test]
    fn case_163_what_means_nothing_is_left_out_and_said() {
        let (found, errors) = filter("status=nope&from=soon&to=%3Cb%3E&order=%20A-1%20&older=x");
        assert_eq!(found.status, None);
        assert_eq!(found.order_id.as_deref(), Some("A-1"));
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
