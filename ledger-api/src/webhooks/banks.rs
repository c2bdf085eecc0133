//! The banks that may send webhooks, and the keys that each of them signs with.
//!
//! From variables, one for each bank: `BAHI_BANK_HDFC_WEBHOOK_SECRETS` makes `/hooks/banks/hdfc`
//! accept what is signed with one of the keys in it. Read once, at the start; a change of keys is a
//! restart, and several intakes are restarted one after the other.

use std::{collections::BTreeMap, ffi::OsString};

use super::signature::{KeyError, Keys};

const PREFIX: &str = "BAHI_BANK_";
const SUFFIX: &str = "_WEBHOOK_SECRETS";
const NAME_BYTES_MAX: usize = 32;

/// Why the banks are not known. Never shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BanksError {
    /// A bank's name is none.
    #[error(
        "{0} names no bank: between {PREFIX} and {SUFFIX} there must be 1 to {NAME_BYTES_MAX} \
         letters (upper case), digits or underscores"
    )]
    Name(String),
    /// A variable can't be read.
    #[error("{0} is not UTF-8")]
    NotText(String),
    /// A bank's keys are none.
    #[error("{variable} is not a list of webhook keys with spaces between: {source}")]
    Keys {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// Two banks have a key in common.
    #[error("the banks {0} and {1} share a webhook key: each must sign with its own")]
    Shared(String, String),
}

/// The banks and their keys.
#[derive(Debug, Clone, Default)]
pub struct Banks(BTreeMap<String, Keys>);

impl Banks {
    /// Those that the environment names.
    ///
    /// # Errors
    /// [`BanksError`] with the first variable that makes no sense.
    pub fn from_environment() -> Result<Self, BanksError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Those that some variables name. Variables of other names are none of ours.
    ///
    /// # Errors
    /// As [`Self::from_environment`].
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, BanksError> {
        let mut banks = Self::default();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str() else { continue };
            let name = variable.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
            let Some(name) = name else { continue };
            let value =
                value.to_str().ok_or_else(|| BanksError::NotText(variable.to_owned()))?.trim();
            // As with other variables, an empty one counts as none.
            if !value.is_empty() {
                banks.add(variable, name, value)?;
            }
        }
        Ok(banks)
    }

    fn add(&mut self, variable: &str, name: &str, value: &str) -> Result<(), BanksError> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(BanksError::Name(variable.to_owned()));
        }
        let bank = name.to_ascii_lowercase();
        let keys: Keys = value
            .parse()
            .map_err(|source| BanksError::Keys { variable: variable.to_owned(), source })?;
        if let Some((other, _)) = self.0.iter().find(|(_, theirs)| theirs.share_any(&keys)) {
            return Err(BanksError::Shared(other.clone(), bank));
        }
        self.0.insert(bank, keys);
        Ok(())
    }

    /// The keys of a bank, if it is one of ours.
    pub fn keys(&self, bank: &str) -> Option<&Keys> {
        self.0.get(bank)
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn of(variables: &[(&str, &str)]) -> Result<Banks, BanksError> {
        Banks::from_variables(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn each_variable_of_the_right_name_is_a_bank() {
        let both = format!(" {SECRET}  {OTHER}\n");
        let banks = of(&[
            ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", &both),
            ("BAHI_BANK_AXIS_2_WEBHOOK_SECRETS", "  "),
            ("BAHI_BANK_SBI_WEBHOOK_SECRETS_OLD", SECRET),
            ("PATH", SECRET),
        ]);
        let banks = banks.unwrap();
        assert_eq!(banks.names().collect::<Vec<_>>(), ["hdfc"]);
        assert!(banks.keys("hdfc").is_some() && banks.keys("HDFC").is_none());
        assert!(of(&[]).unwrap().is_empty());
    }

    #[test]
    fn case_184_what_makes_no_sense_is_named_and_not_shown() {
        let hdfc = "BAHI_BANK_HDFC_WEBHOOK_SECRETS";
        let long = format!("{PREFIX}{}{SUFFIX}", "A".repeat(33));
        for name in ["BAHI_BANK__WEBHOOK_SECRETS", "BAHI_BANK_hdfc_WEBHOOK_SECRETS", &long] {
            assert_eq!(of(&[(name, SECRET)]).unwrap_err(), BanksError::Name(name.to_owned()));
        }
        let twice = format!("{SECRET} {SECRET}");
        let cases = [
            ("hunter2", KeyError::Kind(1)),
            ("whsec_hunter2!", KeyError::Base64(1)),
            ("whsec_aHVudGVyMg==", KeyError::Length(1)),
            ("whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB", KeyError::Weak(1)),
            ("whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=", KeyError::Private(1)),
            ("whpk_AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", KeyError::Weak(1)),
            ("whpk_aHVudGVyMg==", KeyError::Length(1)),
            (&twice, KeyError::Repeated(2)),
        ];
        for (value, source) in cases {
            let error = of(&[(hdfc, value)]).unwrap_err();
            assert_eq!(error, BanksError::Keys { variable: hdfc.to_owned(), source }, "{value}");
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("HDFC") && !shown.contains("hunter2"), "{shown}");
            assert!(!shown.contains("MfKQ9r8"), "{shown}");
        }
    }

    #[test]
    fn two_banks_never_share_a_key() {
        let axis = "BAHI_BANK_AXIS_WEBHOOK_SECRETS";
        let both = format!("{OTHER} {SECRET}");
        let error = of(&[(axis, SECRET), ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", &both)]).unwrap_err();
        assert_eq!(error, BanksError::Shared("axis".to_owned(), "hdfc".to_owned()));
    }

    #[test]
    fn case_183_the_keys_are_never_shown() {
        let banks = of(&[("BAHI_BANK_HDFC_WEBHOOK_SECRETS", SECRET)]).unwrap();
        let shown = format!("{banks:?}");
        assert!(shown.contains("hdfc") && !shown.contains("MfKQ9"), "{shown}");
    }
}
