//! Which payouts a page and its file show, as the address says it.

use chrono_tz::Tz;
use projections::{ActivityCounts, ActivityFilter, ActivityStatus, Turn};
use serde::Deserialize;

use super::looking::Looking;
use crate::pages::{FormErrors, activity::counted, address, ui::Status};

pub(super) const PATH: &str = "/merchant/payouts";
/// The longest id or reference that is looked for.
const SEARCH_CHARS_MAX: usize = 64;

/// A status with how many there are of it, and where they stand.
pub(super) struct Tab {
    pub(super) word: &'static str,
    pub(super) href: String,
    pub(super) count: String,
    pub(super) current: bool,
}

/// Which payouts, and which page of them. Everything is a text first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PayoutsQuery {
    pub(super) status: String,
    /// An id, or the bank's reference.
    pub(super) find: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) amount: String,
    older: String,
    newer: String,
}

impl PayoutsQuery {
    fn status(&self) -> Option<ActivityStatus> {
        ActivityStatus::ALL.into_iter().find(|status| status.as_str() == self.status)
    }

    /// The filter, and what of the address means nothing.
    pub(super) fn filter(&self, zone: Tz) -> (ActivityFilter, FormErrors) {
        let mut errors = FormErrors::none();
        if self.status().is_none() && !self.status.is_empty() {
            errors.add("status", "There is no such status; it was left out.");
        }
        let fields = [&*self.from, &*self.to, &*self.amount];
        let Looking { from, until, amount } = Looking::of(fields, zone, &mut errors);
        let find = self.find.trim();
        let filter = ActivityFilter {
            status: self.status(),
            from,
            before: until,
            amount_min: amount,
            amount_max: amount,
            search: (!find.is_empty()).then(|| find.chars().take(SEARCH_CHARS_MAX).collect()),
            ..ActivityFilter::default()
        };
        (filter, errors)
    }

    pub(super) fn turn(&self) -> Option<Turn> {
        let older = self.older.parse().map(Turn::Older);
        older.or_else(|_| self.newer.parse().map(Turn::Newer)).ok()
    }

    pub(super) fn restricts(&self) -> bool {
        self.pairs().iter().any(|(_, value)| !value.is_empty())
    }

    /// The same filter at another address, with one field changed and from the newest on.
    pub(super) fn with(&self, path: &str, name: &'static str, value: &str) -> String {
        address::with(path, &self.pairs(), name, value)
    }

    fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("status", &self.status),
            ("find", &self.find),
            ("from", &self.from),
            ("to", &self.to),
            ("amount", &self.amount),
        ]
    }

    /// A tab for everything, and one for each status that there is or that is chosen.
    pub(super) fn tabs(&self, counts: &ActivityCounts) -> Vec<Tab> {
        let tab = |word, status: &'static str, count| Tab {
            word,
            href: self.with(PATH, "status", status),
            count: counted(count),
            current: self.status == status,
        };
        let of = |status: ActivityStatus| {
            let (count, is_all) = counts.of(status);
            let is_shown = count > 0 || self.status() == Some(status);
            is_shown.then(|| tab(Status::from(status).word(), status.as_str(), (count, is_all)))
        };
        let all = tab("All", "", counts.all());
        std::iter::once(all).chain(ActivityStatus::ALL.into_iter().filter_map(of)).collect()
    }

    pub(super) fn page(&self, name: &'static str, place: Option<u64>) -> String {
        place.map(|at| self.with(PATH, name, &at.to_string())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &str) -> PayoutsQuery {
        serde_urlencoded::from_str(pairs).unwrap()
    }

    #[test]
    fn an_address_says_days_status_amount_and_name() {
        let here =
            query("status=done&from=2026-11-01&to=2026-11-02&amount=1%2C200&find=%20wd_1%20");
        let (filter, errors) = here.filter(Tz::Asia__Kolkata);
        assert!(errors.is_empty() && here.restricts());
        assert_eq!(filter.from.unwrap().to_string(), "2026-10-31 18:30:00 UTC");
        assert_eq!(filter.before.unwrap().to_string(), "2026-11-02 18:30:00 UTC");
        assert_eq!(
            (filter.amount_min, filter.amount_max),
            (Some(1_200.into()), Some(1_200.into()))
        );
        assert_eq!(filter.search.as_deref(), Some("wd_1"));
        assert_eq!(
            query("older=1&amount=5").with(PATH, "older", "7"),
            "/merchant/payouts?amount=5&older=7"
        );
        let (filter, errors) = query("status=nope&from=soon").filter(Tz::Asia__Kolkata);
        assert_eq!((filter.status, filter.from), (None, None));
        assert!(!errors.of("status").is_empty() && !errors.of("from").is_empty());
        assert!(!query("older=1").restricts());
    }
}
