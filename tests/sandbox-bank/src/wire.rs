//! What callers send, parsed into types that can hold nothing else; and what they are answered.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{accounts::Account, clock::Timestamp, contract::Rail, money::Amount};

/// A text that is checked when it is read.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:expr, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err($what) }
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }
    };
}

fn made_of(text: &str, lengths: std::ops::RangeInclusive<usize>, ok: fn(u8) -> bool) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(ok)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

checked_text!(
    /// Our reference of a transfer, or the token of a deposit.
    Reference,
    |text| made_of(text, 1..=35, is_word),
    "1 to 35 letters, digits, - and _"
);
checked_text!(
    /// What a payer writes: one of our references, or the address of whom is paid (`chai@bahi`).
    PayerReference,
    |text| made_of(text, 1..=64, |b| is_word(b) || b == b'@' || b == b'.'),
    "1 to 64 letters, digits, -, _, . and @"
);
checked_text!(
    /// The number of an account at a bank.
    AccountNumber,
    |text| made_of(text, 4..=34, |b| b.is_ascii_digit() || b.is_ascii_uppercase()),
    "an account number is 4 to 34 digits and upper-case letters"
);
checked_text!(
    /// The code of a bank's branch.
    Ifsc,
    |text| {
        let bank = text.get(..4).is_some_and(|b| made_of(b, 4..=4, |b| b.is_ascii_uppercase()));
        let branch = text.get(5..).unwrap_or_default();
        bank && text.get(4..5) == Some("0")
            && made_of(branch, 6..=6, |b| b.is_ascii_digit() || b.is_ascii_uppercase())
    },
    "an IFSC is four upper-case letters, a zero, and six letters or digits"
);
checked_text!(
    /// A person's or a company's name.
    PersonName,
    |text| {
        let length = text.chars().count();
        (1..=140).contains(&length) && !text.trim().is_empty() && !text.contains(char::is_control)
    },
    "a name is 1 to 140 characters on one line"
);
checked_text!(
    /// What a line of a statement says.
    Narration,
    |text| made_of(text, 1..=80, |b| b.is_ascii_graphic() || b == b' '),
    "a narration is 1 to 80 plain characters"
);
checked_text!(
    /// An address to send somebody back to.
    ReturnUrl,
    |text| {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let visible = made_of(text, 8..=2000, |b| b.is_ascii_graphic());
        visible && rest.is_some_and(|rest| !rest.starts_with('/') && !rest.contains(['"', '<']))
    },
    "a URL starts with http:// or https://"
);

impl Ifsc {
    /// Whether failures may be chosen by the amount.
    pub fn is_test(&self) -> bool {
        self.0.starts_with("TEST")
    }
}

/// An account somewhere, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Its number.
    pub account_number: AccountNumber,
    /// Its branch.
    pub ifsc: Ifsc,
    /// Its owner's name.
    pub name: PersonName,
}

/// `POST /v1/transfers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferRequest {
    /// What makes it once.
    pub reference: Reference,
    /// How much.
    pub amount: Amount,
    /// Which way.
    pub rail: Rail,
    /// From which of our accounts.
    #[serde(default = "escrow")]
    pub from: Account,
    /// To whom.
    pub beneficiary: Party,
}

/// `POST /v1/collect-links`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRequest {
    /// What makes it once.
    pub token: Reference,
    /// How much is asked for.
    pub amount: Amount,
    /// To which of our accounts.
    #[serde(default = "escrow")]
    pub account: Account,
    /// Where the payer goes afterwards.
    #[serde(default)]
    pub return_url: Option<ReturnUrl>,
    /// Who should pay.
    #[serde(default)]
    pub payer: Option<Party>,
}

/// `POST /v1/name-checks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameCheck {
    /// The account asked about.
    pub account_number: AccountNumber,
    /// Its branch.
    pub ifsc: Ifsc,
    /// The name to compare with.
    #[serde(default)]
    pub name: Option<PersonName>,
}

/// `POST /control/banks/{bank}/credits`: money that somebody just sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditRequest {
    /// How much arrives.
    pub amount: Amount,
    /// To which of our accounts.
    #[serde(default = "escrow")]
    pub account: Account,
    /// What the payer wrote as the reference: a deposit's token, a shop's request, or, from a code
    /// on a wall, the shop's address.
    #[serde(default)]
    pub token: Option<PayerReference>,
    /// The virtual account that it was sent to.
    #[serde(default)]
    pub virtual_account: Option<AccountNumber>,
    /// Who sends it.
    #[serde(default)]
    pub payer: Option<Party>,
}

/// Whether money leaves our account or comes to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// It leaves.
    Debit,
    /// It comes.
    Credit,
}

/// `POST /control/banks/{bank}/adjustments`: what the bank books of its own accord.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdjustmentRequest {
    /// How much.
    pub amount: Amount,
    /// Which way.
    pub direction: Direction,
    /// On which of our accounts.
    #[serde(default = "escrow")]
    pub account: Account,
    /// What the statement says of it.
    pub narration: Narration,
    /// From when it counts, if not from the day on which it is booked.
    #[serde(default)]
    pub value_date: Option<NaiveDate>,
}

const fn escrow() -> Account {
    Account::Escrow
}

/// Reads a request's body.
///
/// # Errors
/// What to answer if it is not one: 400 if it is no JSON, 422 if it is another.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Reply> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|_| Reply::problem(400, "malformed", "the body is not one JSON value"))?;
    // The library would take a list of values for an object's fields in their order.
    if !value.is_object() || has_list(&value) {
        return Err(Reply::problem(422, "invalid", "the body is one object without lists"));
    }
    // From the bytes again: the value has lost what was there twice.
    serde_json::from_slice(body).map_err(|error| Reply::problem(422, "invalid", &error.to_string()))
}

fn has_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(fields) => fields.values().any(has_list),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// When an answer is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// Now.
    AtOnce,
    /// When the bank's clock shows this.
    At(Timestamp),
    /// Never: the caller hears nothing.
    Never,
}

/// What a caller is answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body: of a problem, or what was asked for.
    pub body: Value,
    /// When.
    pub answered: Answered,
}

impl Reply {
    /// What was asked for.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body, answered: Answered::AtOnce }
    }

    /// Why not.
    pub fn problem(status: u16, code: &str, detail: &str) -> Self {
        let title = code.replace('_', " ");
        let body = json!({ "title": title, "status": status, "code": code, "detail": detail });
        Self { status, body, answered: Answered::AtOnce }
    }

    /// Unknown, now.
    pub fn not_found(what: &str) -> Self {
        Self::problem(404, "not_found", &format!("no such {what} is known now"))
    }

    /// Nothing.
    pub fn silence() -> Self {
        let silence = Self::problem(504, "no_answer", "the bank did not answer in time");
        Self { answered: Answered::Never, ..silence }
    }

    /// The same, later.
    pub fn later(self, at: Timestamp) -> Self {
        Self { answered: Answered::At(at), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"reference":"BH1","amount":{"value":"5000.13","currency":"INR"},
        "rail":"imps","beneficiary":{"account_number":"001234567890","ifsc":"TEST0000001",
        "name":"Asha Rao"}}"#;

    #[test]
    fn a_request_is_read_whole_or_refused() {
        let request: TransferRequest = parse(GOOD.as_bytes()).expect("a request");
        assert_eq!(request.from, Account::Escrow);
        let bad = [
            ("BH1", "B H", 422),
            ("BH1", "", 422),
            ("BH1", "é", 422),
            ("imps", "swift", 422),
            ("TEST0000001", "TEST1000001", 422),
            ("TEST0000001", "test0000001", 422),
            ("TEST0000001", "TES\u{e9}000001", 422),
            ("001234567890", "12", 422),
            ("Asha Rao", " ", 422),
            ("Asha Rao", "A\\nB", 422),
            ("5000.13", "-1", 422),
            ("\"rail\"", "\"unknown\":1,\"rail\"", 422),
            ("\"rail\"", "\"reference\":\"BH2\",\"rail\"", 422),
            ("{\"value\":\"5000.13\",\"currency\":\"INR\"}", "[\"5000.13\",\"INR\"]", 422),
            ("{\"reference\"", "[{\"reference\"", 400),
            ("\"BH1\",", "7,", 422),
        ];
        for (good, bad, status) in bad {
            let body = GOOD.replacen(good, bad, 1);
            let refused = parse::<TransferRequest>(body.as_bytes()).expect_err(&body);
            assert_eq!(refused.status, status, "{body}");
        }
        let long = GOOD.replace("BH1", &"x".repeat(36));
        assert!(parse::<TransferRequest>(long.as_bytes()).is_err());
    }
}
