//! Which withdrawals a person has to look at before they are sent: three simple rules.
//!
//! `BAHI_REVIEW_ABOVE`: more than this much. `BAHI_REVIEW_NEW_PAYEE_ABOVE`: more than this much to
//! a bank account whose name was checked less than a day ago. `BAHI_REVIEW_VELOCITY_ABOVE` and
//! `BAHI_REVIEW_VELOCITY`: more than this much, when the account had so many withdrawals within the
//! last hour. All in rupees; withdrawals in other currencies are not looked at.
//!
//! One of claims: `BAHI_REVIEW_CLAIM_ABOVE`. What is sent to a number that nobody had verified, and
//! is more than this, goes to whoever verified it since only after a person has looked.
//!
//! And one of what people decide themselves: `BAHI_REVIEW_SUSPENSE_ABOVE`. A credit in suspense of
//! more than this much, or in another currency, goes nowhere by one person alone.
//!
//! Amounts that no rule is about cost nothing: no question is asked. What the rules look at can be
//! a moment old (read models follow the log), so they are no limits: those are the account's own.

use std::ffi::OsString;

use chrono::TimeDelta;
use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, BankAccountId, Reference},
    money::{CurrencyCode, Money},
};
use projections::ReadModels;
use rust_decimal::Decimal;

use crate::{
    banks::accounts::{BankAccountStatus, BankAccounts},
    http::{ApiState, Problem},
};

const CURRENCY: &str = "INR";
/// How long a payee is new, and how far back withdrawals are counted.
const NEW_FOR: TimeDelta = TimeDelta::hours(24);
const COUNTED_FOR: TimeDelta = TimeDelta::hours(1);
/// The greatest number that velocity can be set to.
const VELOCITY_MAX: u32 = 10_000;

/// The rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewRules {
    above: Decimal,
    new_payee_above: Decimal,
    velocity_above: Decimal,
    velocity: u32,
    suspense_above: Decimal,
    claim_above: Decimal,
}

impl Default for ReviewRules {
    fn default() -> Self {
        Self {
            above: Decimal::ONE_HUNDRED.saturating_mul(Decimal::ONE_THOUSAND),
            new_payee_above: Decimal::from(50_000),
            velocity_above: Decimal::from(10_000),
            velocity: 20,
            suspense_above: Decimal::from(10_000),
            claim_above: Decimal::from(10_000),
        }
    }
}

/// A rule that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is no {what}")]
pub struct ReviewError {
    variable: String,
    what: &'static str,
}

impl ReviewRules {
    /// Each bound in words, in rupees, for who works by them.
    pub(crate) fn told(&self) -> [(&'static str, String); 6] {
        let above = |amount: Decimal| format!("more than {CURRENCY} {amount}");
        let often =
            format!("{}, after {} within an hour", above(self.velocity_above), self.velocity);
        [
            ("A withdrawal is looked at", above(self.above)),
            ("… to a new payee", above(self.new_payee_above)),
            ("… of who sends often", often),
            ("A claim is looked at", above(self.claim_above)),
            ("Suspense takes two", above(self.suspense_above)),
            ("… in other currencies", "always".to_owned()),
        ]
    }

    /// The rules that some variables say; what they do not say is as usual.
    ///
    /// # Errors
    /// [`ReviewError`] with the variable that makes no sense.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ReviewError> {
        let mut rules = Self::default();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str().filter(|v| v.starts_with("BAHI_REVIEW_")) else {
                continue;
            };
            let wrong = |what| ReviewError { variable: variable.to_owned(), what };
            let value = value.to_str().ok_or_else(|| wrong("text"))?.trim();
            // As with other variables, an empty one counts as none.
            if value.is_empty() {
                continue;
            }
            let amount = || {
                let plain = value.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                let amount = value.parse::<Decimal>().ok().filter(|_| plain);
                amount.ok_or_else(|| wrong("amount of rupees, such as 100000.00"))
            };
            match variable {
                "BAHI_REVIEW_ABOVE" => rules.above = amount()?,
                "BAHI_REVIEW_NEW_PAYEE_ABOVE" => rules.new_payee_above = amount()?,
                "BAHI_REVIEW_VELOCITY_ABOVE" => rules.velocity_above = amount()?,
                "BAHI_REVIEW_SUSPENSE_ABOVE" => rules.suspense_above = amount()?,
                "BAHI_REVIEW_CLAIM_ABOVE" => rules.claim_above = amount()?,
                "BAHI_REVIEW_VELOCITY" => {
                    let number = value.parse().ok().filter(|n| (1..=VELOCITY_MAX).contains(n));
                    rules.velocity = number.ok_or_else(|| wrong("number from 1 to 10000"))?;
                }
                _ => return Err(wrong("rule that there is")),
            }
        }
        Ok(rules)
    }

    /// Whether two people have to agree on what becomes of so much that lies in suspense.
    pub(crate) fn suspense_takes_two(&self, amount: Decimal, currency: CurrencyCode) -> bool {
        currency.as_str() != CURRENCY || amount > self.suspense_above
    }

    /// The rule by which a person has to look at the claim of so much, if there is one.
    pub(crate) fn of_claim(
        &self,
        amount: Decimal,
        currency: CurrencyCode,
    ) -> Result<Option<Reference>, Problem> {
        if currency.as_str() == CURRENCY && amount > self.claim_above {
            return rule("claim_amount");
        }
        Ok(None)
    }

    /// The rule by which a person has to look at a withdrawal of `amount`, if there is one.
    pub(crate) async fn required(
        &self,
        state: &ApiState,
        account: &AccountId,
        bank_account: BankAccountId,
        amount: Money,
    ) -> Result<Option<Reference>, Problem> {
        let with = (&state.bank_accounts, &state.read_models, state.clock.now());
        self.required_by(with, (account, bank_account), amount).await
    }

    /// The same, by what is known at a moment.
    pub(crate) async fn required_by(
        &self,
        (bank_accounts, models, now): (&BankAccounts, &ReadModels, Timestamp),
        (account, bank_account): (&AccountId, BankAccountId),
        amount: Money,
    ) -> Result<Option<Reference>, Problem> {
        let value = amount.amount();
        if amount.currency().code.as_str() != CURRENCY {
            return Ok(None);
        }
        if value > self.above {
            return rule("amount");
        }
        if value > self.new_payee_above {
            let payee = bank_accounts.get(bank_account).await?;
            let checked = payee.and_then(|payee| {
                let (at, _) = payee.checked?;
                (payee.status == BankAccountStatus::Verified).then_some(at)
            });
            if checked.is_some_and(|at| now.signed_duration_since(at) < NEW_FOR) {
                return rule("new_payee");
            }
        }
        if value > self.velocity_above {
            let since = now.checked_sub_signed(COUNTED_FOR).unwrap_or(now);
            let count = models.withdrawals_since(account, since, self.velocity).await?;
            if count >= self.velocity {
                return rule("velocity");
            }
        }
        Ok(None)
    }
}

fn rule(name: &str) -> Result<Option<Reference>, Problem> {
    name.parse().map(Some).map_err(|error| Problem::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<ReviewRules, ReviewError> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        ReviewRules::from_variables(variables)
    }

    #[test]
    fn what_is_not_said_is_as_usual() {
        assert_eq!(of(&[("BAHI_REVIEW_ABOVE", " "), ("PATH", "x")]), Ok(ReviewRules::default()));
        let usual = ReviewRules::default();
        assert_eq!(usual.above, Decimal::from(100_000));
        let said = of(&[("BAHI_REVIEW_ABOVE", "250000.50"), ("BAHI_REVIEW_VELOCITY", "3")]);
        let above = "250000.50".parse().unwrap();
        assert_eq!(said, Ok(ReviewRules { above, velocity: 3, ..usual }));
    }

    #[test]
    fn a_large_claim_is_looked_at_and_one_of_the_figure_itself_is_not() {
        let rules = of(&[("BAHI_REVIEW_CLAIM_ABOVE", "500")]).unwrap();
        let said = |amount: &str| {
            let rule = rules.of_claim(amount.parse().unwrap(), "INR".parse().unwrap()).unwrap();
            rule.map(|rule| rule.to_string())
        };
        assert_eq!((said("500.00"), said("500.01")), (None, Some("claim_amount".to_owned())));
        assert_eq!(rules.of_claim(501.into(), "USD".parse().unwrap()).unwrap(), None);
    }

    #[test]
    fn large_and_foreign_credits_in_suspense_take_two_people() {
        let rules = of(&[("BAHI_REVIEW_SUSPENSE_ABOVE", "500")]).unwrap();
        let two = |amount: &str, currency: &str| {
            let (amount, currency) = (amount.parse().unwrap(), currency.parse().unwrap());
            rules.suspense_takes_two(amount, currency)
        };
        assert_eq!([two("500.00", "INR"), two("500.01", "INR")], [false, true]);
        assert!(two("0.01", "USD"), "no figure is given for it");
        assert!(!ReviewRules::default().suspense_takes_two(10_000.into(), "INR".parse().unwrap()));
    }

    #[test]
    fn case_184_what_makes_no_sense_is_named() {
        let bad = [
            ("BAHI_REVIEW_ABOVE", "-1"),
            ("BAHI_REVIEW_ABOVE", "1e5"),
            ("BAHI_REVIEW_ABOVE", "1,00,000"),
            ("BAHI_REVIEW_NEW_PAYEE_ABOVE", "."),
            ("BAHI_REVIEW_VELOCITY", "0"),
            ("BAHI_REVIEW_VELOCITY", "10001"),
            ("BAHI_REVIEW_VELOCTIY", "3"),
        ];
        for (variable, value) in bad {
            let error = of(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.starts_with(variable), "{error}");
        }
    }
}
