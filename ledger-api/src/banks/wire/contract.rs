//! A contract on the wire.

use std::{collections::HashSet, time::Duration};

use chrono::NaiveTime;
use chrono_tz::Tz;
use ledger_core::{
    ids::{BankCode, Rail, Reference},
    money::CurrencyCode,
};
use serde::Deserialize;

use super::{Raw, RawMoney};
use crate::banks::{Answers, Contract, EnquiryTerms, Hours, OurAccount, RailTerms};

#[derive(Deserialize)]
pub(in crate::banks) struct RawContract {
    protocol: String,
    bank: BankCode,
    name: String,
    currency: CurrencyCode,
    time_zone: Tz,
    idempotency_field: String,
    reference_unique_for_days: u32,
    answers: RawAnswers,
    rate_per_second: u32,
    accounts: Vec<RawAccount>,
    rails: Vec<RawRail>,
    enquiry: RawEnquiry,
    final_codes: Vec<Reference>,
    retryable_codes: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawAnswers {
    AtOnce,
    Later,
}

#[derive(Deserialize)]
struct RawAccount {
    name: String,
    account_number: String,
    ifsc: String,
}

#[derive(Deserialize)]
struct RawRail {
    rail: Rail,
    minimum: Option<RawMoney>,
    maximum: Option<RawMoney>,
    hours: Option<RawHours>,
    final_within_seconds: u32,
}

#[derive(Deserialize)]
struct RawHours {
    opens: String,
    closes: String,
}

#[derive(Deserialize)]
struct RawEnquiry {
    first_after_seconds: u32,
    at_most: u32,
    within_seconds: u32,
}

impl Raw for RawContract {
    type Meaning = Contract;

    fn meaning(self) -> Option<Contract> {
        let mut codes = HashSet::new();
        let sound = self.protocol == "1"
            && self.idempotency_field == "reference"
            && self.rate_per_second > 0
            && self.reference_unique_for_days > 0
            // A code in both lists, or twice, would mean whatever is looked at first.
            && self.final_codes.iter().chain(&self.retryable_codes).all(|code| codes.insert(code))
            && self.accounts.iter().any(|account| account.name == "escrow");
        if !sound {
            return None;
        }
        let rails: Option<Vec<_>> =
            self.rails.into_iter().map(|rail| rail.meaning(self.currency)).collect();
        Some(Contract {
            bank: self.bank,
            name: self.name,
            currency: self.currency,
            time_zone: self.time_zone,
            reference_unique_for_days: self.reference_unique_for_days,
            answers: match self.answers {
                RawAnswers::AtOnce => Answers::AtOnce,
                RawAnswers::Later => Answers::Later,
            },
            rate_per_second: self.rate_per_second,
            accounts: self.accounts.into_iter().map(RawAccount::meaning).collect(),
            rails: rails?,
            enquiry: EnquiryTerms {
                first_after: seconds(self.enquiry.first_after_seconds),
                at_most: self.enquiry.at_most,
                within: seconds(self.enquiry.within_seconds),
            },
            final_codes: self.final_codes,
            retryable_codes: self.retryable_codes,
        })
    }
}

impl RawAccount {
    fn meaning(self) -> OurAccount {
        OurAccount { name: self.name, account_number: self.account_number, ifsc: self.ifsc }
    }
}

impl RawRail {
    fn meaning(self, currency: CurrencyCode) -> Option<RailTerms> {
        let within = |limit: Option<RawMoney>| match limit.map(|limit| limit.positive()) {
            None => Some(None),
            Some(limit) => limit.filter(|l| l.currency().code == currency).map(Some),
        };
        Some(RailTerms {
            rail: self.rail,
            minimum: within(self.minimum)?,
            maximum: within(self.maximum)?,
            hours: match self.hours {
                Some(hours) => Some(hours.meaning()?),
                None => None,
            },
            final_within: seconds(self.final_within_seconds),
        })
    }
}

impl RawHours {
    fn meaning(&self) -> Option<Hours> {
        let time = |text: &str| NaiveTime::parse_from_str(text, "%H:%M").ok();
        Some(Hours { opens: time(&self.opens)?, closes: time(&self.closes)? })
    }
}

fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::banks::{Refusal, wire::read};

    const CONTRACT: &str = r#"{
        "protocol": "1", "bank": "hdfc", "name": "HDFC Bank (sandbox)", "currency": "INR",
        "time_zone": "Asia/Kolkata", "idempotency_field": "reference",
        "reference_pattern": "^[A-Za-z0-9_-]{1,35}$", "reference_unique_for_days": 60,
        "answers": "later", "rate_per_second": 200,
        "accounts": [
            {"name": "escrow", "account_number": "50100000000011", "ifsc": "HDFC0000001"}],
        "rails": [{"rail": "imps", "minimum": {"value": "1.00", "currency": "INR"},
            "maximum": {"value": "500000.00", "currency": "INR"},
            "hours": {"opens": "08:00", "closes": "19:00"}, "final_within_seconds": 7200}],
        "enquiry": {"first_after_seconds": 90, "at_most": 3, "within_seconds": 7200},
        "final_codes": ["account_closed", "ifsc_invalid"],
        "retryable_codes": ["beneficiary_bank_offline"], "simulates": ["13", "21"] }"#;

    fn contract(json: &str) -> Option<Contract> {
        read::<RawContract>(json.as_bytes())?.meaning()
    }

    #[test]
    fn a_contract_says_what_its_codes_mean() {
        let contract = contract(CONTRACT).unwrap();
        let refusal = |code: &str| contract.refusal(&code.parse().unwrap());
        assert_eq!(refusal("account_closed"), Some(Refusal::Final));
        assert_eq!(refusal("beneficiary_bank_offline"), Some(Refusal::Retryable));
        assert_eq!(refusal("cat_on_keyboard"), None);
        let rail = contract.rail(&"imps".parse().unwrap()).unwrap();
        assert_eq!(rail.maximum.unwrap().to_string(), "500000.00 INR");
        assert!(rail.hours.is_some() && contract.rail(&"upi".parse().unwrap()).is_none());
    }

    #[test]
    fn a_contract_that_contradicts_itself_is_none() {
        let bad = [
            (r#""protocol": "1""#, r#""protocol": "2""#),
            (r#""idempotency_field": "reference""#, r#""idempotency_field": "id""#),
            ("200", "0"),
            ("60", "0"),
            (r#"["beneficiary_bank_offline"]"#, r#"["account_closed"]"#),
            (r#""escrow""#, r#""own""#),
            ("Asia/Kolkata", "Asia/Atlantis"),
            (r#"{"value": "1.00", "currency": "INR"}"#, r#"{"value": "1.00", "currency": "USD"}"#),
            (r#""08:00""#, r#""25:00""#),
            (r#""later""#, r#""sometimes""#),
        ];
        for (good, bad) in bad {
            let json = CONTRACT.replacen(good, bad, 1);
            assert_ne!(json, CONTRACT, "{good}");
            assert_eq!(contract(&json), None, "{bad}");
        }
    }
}
