//! Answers and webhooks as they stand on the wire, and what they mean.
//!
//! Fields that the protocol does not have are ignored; those that it has must be there, once, and
//! fit together (a paid transfer has its UTR). One answer that breaks this is no answer: nothing
//! of it is used. Texts that people outside choose (a payer's reference) are taken if they can be
//! one of ours and dropped otherwise: such a text must not make a whole statement unreadable.

mod contract;
mod money_in;
mod statement;
mod transfer;

use chrono::{DateTime, SubsecRound as _, Utc};
use ledger_core::{
    clock::Timestamp,
    ids::Reference,
    money::{Currency, CurrencyCode, Money, SCALE_MAX},
};
use serde::{Deserialize, de::DeserializeOwned};

pub(super) use contract::RawContract;
pub(super) use money_in::{RawCollectLink, RawCredit, RawNameCheck};
pub(super) use statement::RawStatement;
pub(super) use transfer::RawTransfer;

use crate::http::objects::Objects;

/// What a raw form means, if it means anything.
pub(super) trait Raw: DeserializeOwned {
    /// What it means.
    type Meaning;

    /// Takes it, or nothing.
    fn meaning(self) -> Option<Self::Meaning>;
}

/// Reads one JSON object, and nothing behind it.
pub(super) fn read<R: DeserializeOwned>(body: &[u8]) -> Option<R> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = R::deserialize(Objects(&mut json)).ok()?;
    json.end().ok().map(|()| read)
}

/// Money, at the scale that it is written with: the protocol has answers write all decimals.
#[derive(Deserialize)]
pub(super) struct RawMoney {
    value: String,
    currency: CurrencyCode,
}

impl RawMoney {
    fn signed(&self) -> Option<Money> {
        let decimals = self.value.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let scale = u8::try_from(decimals).ok().filter(|scale| *scale <= SCALE_MAX)?;
        let currency = Currency { code: self.currency, scale };
        Money::parse_signed(&self.value, currency).ok()
    }

    fn positive(&self) -> Option<Money> {
        self.signed().filter(Money::is_positive)
    }
}

/// As much of a time as is stored anywhere.
fn moment(time: DateTime<Utc>) -> Timestamp {
    time.trunc_subsecs(6)
}

/// A text that somebody outside chose, if it can be one of ours.
fn if_ours(text: Option<String>) -> Option<Reference> {
    text?.parse().ok()
}

/// The code of a problem, if it has one that can be shown.
pub(super) fn problem_code(body: &[u8]) -> Option<Reference> {
    #[derive(Deserialize)]
    struct RawProblem {
        code: Reference,
    }
    let code = read::<RawProblem>(body)?.code;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    code.as_str().bytes().all(plain).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(json: &str) -> Option<Money> {
        read::<RawMoney>(json.as_bytes())?.signed()
    }

    #[test]
    fn money_has_the_scale_that_it_is_written_with() {
        let rupees = money(r#"{"value":"-5000.10","currency":"INR","more":1}"#).unwrap();
        assert_eq!((rupees.to_string().as_str(), rupees.currency().scale), ("-5000.10 INR", 2));
        for bad in [
            r#"{"value":5000,"currency":"INR"}"#,
            r#"{"value":"5,000.00","currency":"INR"}"#,
            r#"{"value":"1e3","currency":"INR"}"#,
            r#"{"value":"1.0000000000000000000","currency":"INR"}"#,
            r#"{"value":"1.00","currency":"inr"}"#,
            r#"{"value":"1.00","value":"2.00","currency":"INR"}"#,
            r#"["1.00","INR"]"#,
            r#"{"value":"1.00","currency":"INR"} x"#,
        ] {
            assert_eq!(money(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_plain_codes_of_problems_are_taken() {
        let code = |json: &str| problem_code(json.as_bytes()).map(|code| code.to_string());
        assert_eq!(code(r#"{"status":404,"code":"not_found"}"#), Some("not_found".to_owned()));
        for bad in [r#"{"code":"ASHA RAO"}"#, r#"{"code":"Asha"}"#, r#"{"code":7}"#, "<html>", ""] {
            assert_eq!(code(bad), None, "{bad}");
        }
    }
}
