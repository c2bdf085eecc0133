//! Bank accounts on the wire.

use std::fmt;

use chrono::{DateTime, Utc};
use ledger_core::ids::{BankAccountId, BankCode, Owner};
use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use utoipa::ToSchema;

use crate::{
    banks::{
        Payee, PayeeError,
        accounts::{BankAccount, BankAccountStatus},
    },
    http::{Problem, codes},
};

/// A text that no error shows, whatever stands in its place.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Unshown(String);

impl fmt::Debug for Unshown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hidden")
    }
}

impl<'de> Deserialize<'de> for Unshown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        macro_rules! refuse {
            ($($method:ident: $type:ty),*) => {$(
                fn $method<E: serde::de::Error>(self, _: $type) -> Result<Unshown, E> {
                    Err(E::custom("a number where a string is expected"))
                }
            )*};
        }

        impl Visitor<'_> for Text {
            type Value = Unshown;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Unshown, E> {
                Ok(Unshown(text.to_owned()))
            }

            refuse! { visit_u64: u64, visit_i64: i64, visit_u128: u128, visit_i128: i128 }

            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Unshown, E> {
                Err(E::custom("a number where a string is expected"))
            }
        }

        deserializer.deserialize_any(Text)
    }
}

/// A bank account to keep.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankAccountInput)]
pub(super) struct BankAccountIn {
    /// Whose it is: the owner of the accounts that may be withdrawn from to it. People may leave
    /// it out: it is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "asha")]
    pub(super) owner: Option<Owner>,
    /// 6 to 18 digits.
    #[schema(value_type = String, example = "001234567890")]
    account_number: Unshown,
    /// The branch: four letters, a zero, six letters or digits.
    #[schema(value_type = String, example = "TEST0000001")]
    ifsc: Unshown,
    /// The account's owner as the bank knows them; at most 140 characters.
    #[schema(value_type = String, example = "Asha Rao")]
    name: Unshown,
}

impl BankAccountIn {
    /// The name on the account, as it was given.
    pub(super) fn name(&self) -> &str {
        &self.name.0
    }

    /// Who would be paid.
    pub(super) fn payee(&self) -> Result<Payee, Problem> {
        Payee::parse(&self.account_number.0, &self.ifsc.0, &self.name.0).map_err(|error| {
            let pointer = match error {
                PayeeError::AccountNumber => "/account_number",
                PayeeError::Ifsc => "/ifsc",
                PayeeError::Name => "/name",
            };
            Problem::field(codes::INVALID, pointer, format!("{error}."))
        })
    }
}

/// Which bank is to check the name.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankAccountCheck)]
pub(super) struct CheckIn {
    /// The bank; without it, one of those that are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "hdfc")]
    pub(super) bank: Option<BankCode>,
}

/// A bank account.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = BankAccount)]
pub(crate) struct BankAccountOut {
    /// Its id.
    #[schema(value_type = String, example = "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(crate) id: BankAccountId,
    /// Always `bank_account`.
    #[schema(example = "bank_account")]
    object: String,
    /// Whose it is.
    #[schema(value_type = String, example = "asha")]
    owner: Owner,
    /// `unverified`, `verified`, `refused` or `deleted`. Money is sent to verified ones only.
    #[schema(example = "verified")]
    status: String,
    /// Why it was refused: `name_differs`, `account_closed` or `account_unknown`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The number, all but its end hidden; null once it was erased, like the next three.
    #[schema(example = "****7890")]
    account_number: Option<String>,
    /// The branch.
    #[schema(example = "TEST0000001")]
    ifsc: Option<String>,
    /// The owner's name as it was given.
    #[schema(example = "Asha Rao")]
    name: Option<String>,
    /// The owner's name as the bank has it, where it is close to the one given and not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    registered_name: Option<String>,
    /// When the name was last checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checked_at: Option<DateTime<Utc>>,
    /// The bank that checked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    checked_by: Option<BankCode>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<BankAccount> for BankAccountOut {
    fn from(account: BankAccount) -> Self {
        let (status, reason) = match account.status {
            BankAccountStatus::Unverified => ("unverified", None),
            BankAccountStatus::Verified => ("verified", None),
            BankAccountStatus::Refused(why) => ("refused", Some(why.code().to_owned())),
            BankAccountStatus::Deleted => ("deleted", None),
        };
        let (checked_at, checked_by) = account.checked.unzip();
        let shown = account.shown.as_ref();
        Self {
            id: account.id,
            object: "bank_account".to_owned(),
            owner: account.owner,
            status: status.to_owned(),
            reason,
            account_number: shown.map(|shown| format!("****{}", shown.last_four)),
            ifsc: shown.map(|shown| shown.ifsc.clone()),
            name: shown.map(|shown| shown.name.clone()),
            registered_name: shown.and_then(|shown| shown.registered_name.clone()),
            checked_at,
            checked_by,
            created_at: account.created_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_183_no_error_shows_a_number_or_a_name() {
        let good = r#"{"owner":"asha","account_number":"001234567890","ifsc":"TEST0000001",
            "name":"Asha Rao"}"#;
        let body: BankAccountIn = serde_json::from_str(good).unwrap();
        assert!(body.payee().is_ok());
        assert!(!format!("{body:?}").contains("1234"));
        for (good, bad) in [
            ("\"001234567890\"", "1234567890"),
            ("\"001234567890\"", "-1234567890"),
            ("\"001234567890\"", "12345678901234567890123"),
            ("\"001234567890\"", "123456.7890"),
            ("\"001234567890\"", "\"12345678901234567890\""),
            ("\"001234567890\"", "[\"1234567890\"]"),
        ] {
            let json = r#"{"owner":"asha","account_number":"001234567890","ifsc":"TEST0000001",
                "name":"Asha Rao"}"#
                .replace(good, bad);
            let shown = match serde_json::from_str::<BankAccountIn>(&json) {
                Ok(body) => format!("{:?}", body.payee().unwrap_err()),
                Err(error) => error.to_string(),
            };
            assert!(!shown.contains("1234"), "{shown}");
        }
    }
}
