//! The days and the amount that lists of a shop's money are looked through by, as addresses say
//! them. What means nothing is left out and said above the list.

use chrono_tz::Tz;
use ledger_core::{clock::Timestamp, money::Money};
use rust_decimal::Decimal;

use super::sales::{day, rupees};
use crate::pages::{FormErrors, act::amount_typed, activity::filter::midnight};

/// The span of time and the amount; what is not set does not restrict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Looking {
    /// From this moment on: a day's beginning.
    pub(super) from: Option<Timestamp>,
    /// Until before this one: the end of a day.
    pub(super) until: Option<Timestamp>,
    /// Of exactly this amount.
    pub(super) amount: Option<Decimal>,
}

impl Looking {
    /// What the fields `from`, `to` and `amount` say.
    pub(super) fn of([from, to, amount]: [&str; 3], zone: Tz, errors: &mut FormErrors) -> Self {
        let begins = |day| midnight(day, zone);
        Self {
            from: day(from, "from", errors).and_then(begins),
            until: day(to, "to", errors).and_then(|day| day.succ_opt()).and_then(begins),
            amount: exact(amount, errors),
        }
    }
}

fn exact(text: &str, errors: &mut FormErrors) -> Option<Decimal> {
    if text.trim().is_empty() {
        return None;
    }
    let typed = amount_typed(text);
    let amount = rupees().and_then(|currency| Money::parse(&typed, currency).ok());
    let amount = amount.filter(Money::is_positive);
    if amount.is_none() {
        errors.add("amount", "An amount is written as 250 or 99.50; this one was left out.");
    }
    amount.map(|amount| amount.amount())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looking(fields: [&str; 3]) -> (Looking, FormErrors) {
        let mut errors = FormErrors::none();
        let looking = Looking::of(fields, Tz::Asia__Kolkata, &mut errors);
        (looking, errors)
    }

    #[test]
    fn days_are_the_books_and_the_last_one_is_in_it() {
        let (found, errors) = looking(["2026-11-01", "2026-11-02", "₹1,200.50"]);
        assert!(errors.is_empty());
        assert_eq!(found.from.unwrap().to_string(), "2026-10-31 18:30:00 UTC");
        assert_eq!(found.until.unwrap().to_string(), "2026-11-02 18:30:00 UTC");
        assert_eq!(found.amount, Some("1200.50".parse().unwrap()));
        assert_eq!(looking(["", " ", ""]).0.amount, None);
    }

    #[test]
    fn case_163_what_means_nothing_is_left_out_and_said() {
        for (fields, wrong) in [
            (["soon", "", ""], "from"),
            (["", "<b>", ""], "to"),
            (["", "", "0"], "amount"),
            (["", "", "1.234"], "amount"),
            (["", "", "tea"], "amount"),
        ] {
            let (found, errors) = looking(fields);
            assert_eq!(found, Looking::default(), "{fields:?}");
            assert!(!errors.of(wrong).is_empty(), "{fields:?}");
        }
    }
}
