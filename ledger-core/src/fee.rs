//! What withdrawals and transfers cost: a flat fee for each service and currency, its tax in it,
//! as versions.
//!
//! A version stands in the book ([`crate::book::Book::fee`]) and is in force from a moment that is
//! never before its event; so what was charged at a moment stays what was to be charged then. Of
//! several whose moment has come the last one is in force: a new version replaces what was only
//! planned. Version 1 is what there was before the book had any, and is in no event. What a payment
//! to a shop costs is agreed with the shop ([`crate::payment::Terms`]).

use chrono::DateTime;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    clock::Timestamp,
    money::{Currency, CurrencyCode, Money, MoneyError},
    withdrawal::quote::{BasisPoints, Quote, quote},
};

/// A hundred percent, in basis points.
const WHOLE_BPS: u16 = 10_000;
/// GST, 18 %.
const FIRST_TAX_BPS: u16 = 1_800;
/// What withdrawals cost before the book had a version, by currency; others cost nothing.
const FIRST_OF_WITHDRAWALS: [(&str, &str); 1] = [("INR", "10.00")];

/// What a fee is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Money that goes to a bank account.
    Withdrawal,
    /// Money that goes to somebody else's wallet.
    Transfer,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Withdrawal, Self::Transfer];

    /// Its name in events and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Withdrawal => "withdrawal",
            Self::Transfer => "transfer",
        }
    }

    /// The service of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == name)
    }
}

/// A version of what a service costs in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFee {
    /// What it is for.
    pub service: Service,
    /// In which currency.
    pub currency: CurrencyCode,
    /// Which version this is, from 2; 1 is in no event.
    pub version: u32,
    /// What it costs, tax included, at the currency's scale; zero or more.
    pub fee: Decimal,
    /// The rate of the tax in it, in basis points: 1800 for 18 %; 10 000 at most.
    pub tax_bps: u16,
    /// It is in force from this moment on.
    pub effective_from: Timestamp,
}

impl ServiceFee {
    /// What there was before the book had a version.
    ///
    /// # Errors
    /// [`MoneyError`] if the currency does not have the scale that the first fees were made for.
    pub fn first(service: Service, currency: Currency) -> Result<Self, MoneyError> {
        let table = match service {
            Service::Withdrawal => &FIRST_OF_WITHDRAWALS[..],
            Service::Transfer => &[],
        };
        let known = table.iter().find(|(code, _)| *code == currency.code.as_str());
        let fee = match known {
            Some((_, fee)) => Money::parse(fee, currency)?,
            None => Money::zero(currency),
        };
        Ok(Self {
            service,
            currency: currency.code,
            version: 1,
            fee: fee.amount(),
            tax_bps: FIRST_TAX_BPS,
            effective_from: DateTime::UNIX_EPOCH,
        })
    }

    /// Whether it is a fee: zero or more, with a rate that is one.
    pub fn is_sound(&self) -> bool {
        (self.fee.is_zero() || self.fee.is_sign_positive()) && self.tax_bps <= WHOLE_BPS
    }

    /// The price of an amount.
    ///
    /// # Errors
    /// [`MoneyError`] if the amount is in another currency, or does not fit together with the fee.
    pub fn price(&self, amount: Money) -> Result<Quote, MoneyError> {
        let currency = amount.currency();
        if currency.code != self.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        quote(amount, Money::from_decimal(self.fee, currency)?, BasisPoints(self.tax_bps))
    }
}

/// How it is settled what an operation costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pricing {
    /// As the operation says: whoever asks answers for it.
    AsGiven,
    /// By the version in force, whatever the operation says; and not at all if a version is named
    /// and another is in force.
    InForce(Option<u32>),
}

impl Pricing {
    /// The version that was charged, once it is known.
    pub const fn version(self) -> Option<u32> {
        match self {
            Self::AsGiven => None,
            Self::InForce(version) => version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{currency, inr};

    #[test]
    fn the_first_fees_are_ten_rupees_for_a_withdrawal_and_nothing_else() {
        let first = |service, code: &str| ServiceFee::first(service, currency(code)).unwrap();
        let rupees = first(Service::Withdrawal, "INR").price(inr("5000.13")).unwrap();
        assert_eq!((rupees.total, rupees.tax), (inr("5010.13"), inr("1.53")));
        let yen = Money::parse("5000", currency("JPY")).unwrap();
        for (service, code, amount) in
            [(Service::Withdrawal, "JPY", yen), (Service::Transfer, "INR", inr("5000"))]
        {
            let free = first(service, code).price(amount).unwrap();
            assert!(free.fee.is_zero() && free.total == free.amount, "{code}");
        }
    }

    #[test]
    fn a_fee_is_for_amounts_of_its_currency() {
        let first = ServiceFee::first(Service::Withdrawal, currency("INR")).unwrap();
        let dollars = Money::parse("1", currency("USD")).unwrap();
        assert_eq!(first.price(dollars), Err(MoneyError::CurrencyMismatch));
        assert!(first.is_sound());
        assert!(!ServiceFee { tax_bps: 10_001, ..first }.is_sound());
        assert!(!ServiceFee { fee: Decimal::NEGATIVE_ONE, ..first }.is_sound());
    }

    #[test]
    fn a_service_is_known_by_its_name() {
        for service in Service::ALL {
            assert_eq!(Service::parse(service.as_str()), Some(service));
            let json = serde_json::to_value(service).unwrap();
            assert_eq!(json.as_str(), Some(service.as_str()));
        }
        assert_eq!(Service::parse("deposit"), None);
    }
}
