//! The banks that are called, by the variables that name them.
//!
//! `BAHI_BANK_HDFC_URL` says where the adapter of the bank `hdfc` is, `BAHI_BANK_HDFC_TOKEN` what
//! it wants to be shown, `BAHI_BANK_HDFC_TIMEOUT_MS` how long a call may take. Read once, at the
//! start; no bank is called then, so one that is down delays nothing.

use std::{collections::BTreeMap, ffi::OsString, fmt, sync::Arc, time::Duration};

use ledger_core::ids::BankCode;
use reqwest::{Url, header::HeaderValue};

use super::{Bank, HttpBank, HttpBankConfig};

const PREFIX: &str = "BAHI_BANK_";
const URL: &str = "_URL";
const TOKEN: &str = "_TOKEN";
const TIMEOUT: &str = "_TIMEOUT_MS";
const TIMEOUT_USUAL: Duration = Duration::from_secs(10);
const TIMEOUT_MS: std::ops::RangeInclusive<u64> = 10..=60_000;

/// Why the banks are not known. Never shows a token, or an address, which may have one in it.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A bank's name is none.
    #[error(
        "{0} names no bank: after {PREFIX} there must be 1 to 32 letters (upper case) or digits"
    )]
    Name(String),
    /// A variable can't be read.
    #[error("{0} is not UTF-8")]
    NotText(String),
    /// An address is none.
    #[error("{0} is no address of an adapter: http://HOST:PORT/PATH, without a user or a query")]
    Url(String),
    /// A token is none.
    #[error("{0} is no token: 1 to 256 visible ASCII characters")]
    Token(String),
    /// A time-out is none.
    #[error("{0} is no time-out: 10 to 60000 milliseconds")]
    Timeout(String),
    /// A token or a time-out for a bank that has no address.
    #[error("{0} is set, but there is no {1}")]
    NoUrl(String, String),
    /// The system gives no client.
    #[error("there is no HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The banks that are called.
#[derive(Clone, Default)]
pub struct BankRegistry(BTreeMap<BankCode, Arc<dyn Bank>>);

impl fmt::Debug for BankRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What the variables say of one bank.
#[derive(Default)]
struct Said {
    url: Option<Url>,
    token: Option<HeaderValue>,
    timeout: Option<Duration>,
    /// A variable that makes sense with an address only.
    beside: Option<String>,
}

impl BankRegistry {
    /// Those that the environment names.
    ///
    /// # Errors
    /// [`RegistryError`] with a variable that makes no sense.
    pub fn from_environment() -> Result<Self, RegistryError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Those that some variables name. Variables of other names are none of ours.
    ///
    /// # Errors
    /// As [`Self::from_environment`].
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, RegistryError> {
        let mut said: BTreeMap<BankCode, Said> = BTreeMap::new();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str() else { continue };
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            let kind = [URL, TOKEN, TIMEOUT].into_iter().find(|kind| rest.ends_with(kind));
            let Some(kind) = kind else { continue };
            let value =
                value.to_str().ok_or_else(|| RegistryError::NotText(variable.to_owned()))?;
            // As with other variables, an empty one counts as none.
            if !value.trim().is_empty() {
                let name = rest.strip_suffix(kind).unwrap_or_default();
                let bank = said.entry(bank_named(variable, name)?).or_default();
                bank.take(variable, kind, value.trim())?;
            }
        }
        let banks = said.into_iter().map(|(code, said)| said.bank(code));
        Ok(Self::of(banks.collect::<Result<Vec<_>, _>>()?))
    }

    /// These.
    pub fn of(banks: impl IntoIterator<Item = Arc<dyn Bank>>) -> Self {
        Self(banks.into_iter().map(|bank| (bank.code().clone(), bank)).collect())
    }

    /// The bank of this name, if it is one of ours.
    pub fn get(&self, code: &BankCode) -> Option<&Arc<dyn Bank>> {
        self.0.get(code)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Bank>> {
        self.0.values()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Upper case in variables, lower case everywhere else.
fn bank_named(variable: &str, name: &str) -> Result<BankCode, RegistryError> {
    let code = name.to_ascii_lowercase().parse().ok();
    code.filter(|_| name.to_ascii_uppercase() == name)
        .ok_or_else(|| RegistryError::Name(variable.to_owned()))
}

impl Said {
    fn take(&mut self, variable: &str, kind: &str, value: &str) -> Result<(), RegistryError> {
        match kind {
            URL => {
                let url = address(value);
                self.url = Some(url.ok_or_else(|| RegistryError::Url(variable.to_owned()))?);
            }
            TOKEN => {
                let token = bearer(value);
                self.token = Some(token.ok_or_else(|| RegistryError::Token(variable.to_owned()))?);
                self.beside = Some(variable.to_owned());
            }
            _ => {
                let timeout = value.parse().ok().filter(|ms| TIMEOUT_MS.contains(ms));
                let timeout = timeout.map(Duration::from_millis);
                self.timeout =
                    Some(timeout.ok_or_else(|| RegistryError::Timeout(variable.to_owned()))?);
                self.beside = Some(variable.to_owned());
            }
        }
        Ok(())
    }

    fn bank(self, code: BankCode) -> Result<Arc<dyn Bank>, RegistryError> {
        let Some(url) = self.url else {
            let wanted = format!("{PREFIX}{}{URL}", code.as_str().to_ascii_uppercase());
            return Err(RegistryError::NoUrl(self.beside.unwrap_or_default(), wanted));
        };
        let timeout = self.timeout.unwrap_or(TIMEOUT_USUAL);
        let config = HttpBankConfig { code, url, token: self.token, timeout };
        Ok(Arc::new(HttpBank::new(config).map_err(RegistryError::Client)?))
    }
}

fn address(value: &str) -> Option<Url> {
    let url = Url::parse(value).ok()?;
    let plain = url.scheme() == "http"
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

fn bearer(token: &str) -> Option<HeaderValue> {
    let visible = token.len() <= 256 && token.bytes().all(|b| b.is_ascii_graphic());
    let mut header = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| visible)?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<BankRegistry, RegistryError> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        BankRegistry::from_variables(variables)
    }

    #[test]
    fn each_address_is_a_bank() {
        let banks = of(&[
            ("BAHI_BANK_HDFC_URL", "http://127.0.0.1:9191/banks/hdfc"),
            ("BAHI_BANK_HDFC_TOKEN", "hunter2"),
            ("BAHI_BANK_HDFC_TIMEOUT_MS", "2500"),
            ("BAHI_BANK_HDFC_WEBHOOK_SECRETS", "of another part"),
            ("BAHI_BANK_AXIS_URL", "http://127.0.0.1:9191/banks/axis/"),
            ("BAHI_BANK_SBI_URL", " "),
            ("DATABASE_URL", "postgres://"),
        ]);
        let banks = banks.unwrap();
        let codes: Vec<_> = banks.iter().map(|bank| bank.code().as_str()).collect();
        assert_eq!(codes, ["axis", "hdfc"]);
        assert!(banks.get(&"hdfc".parse().unwrap()).is_some());
        assert!(banks.get(&"sbi".parse().unwrap()).is_none());
        assert_eq!(format!("{banks:?}"), "{axis, hdfc}");
        assert!(of(&[]).unwrap().is_empty());
    }

    #[test]
    fn case_184_what_makes_no_sense_is_named_and_not_shown() {
        let good = ("BAHI_BANK_HDFC_URL", "http://127.0.0.1:1");
        let bad: [(&[(&str, &str)], &str); 12] = [
            (&[("BAHI_BANK__URL", "http://127.0.0.1:1")], "BAHI_BANK__URL"),
            (&[("BAHI_BANK_hdfc_URL", "http://127.0.0.1:1")], "BAHI_BANK_hdfc_URL"),
            (&[("BAHI_BANK_AXIS_2_URL", "http://127.0.0.1:1")], "BAHI_BANK_AXIS_2_URL"),
            (&[("BAHI_BANK_HDFC_URL", "hunter2")], "BAHI_BANK_HDFC_URL"),
            (&[("BAHI_BANK_HDFC_URL", "https://hunter2.example")], "http://HOST"),
            (&[("BAHI_BANK_HDFC_URL", "http://hunter2@127.0.0.1")], "BAHI_BANK_HDFC_URL"),
            (&[("BAHI_BANK_HDFC_URL", "http://127.0.0.1/?k=hunter2")], "BAHI_BANK_HDFC_URL"),
            (&[good, ("BAHI_BANK_HDFC_TOKEN", "hunter2 and more")], "BAHI_BANK_HDFC_TOKEN"),
            (&[good, ("BAHI_BANK_HDFC_TOKEN", "hunter2\u{e9}")], "BAHI_BANK_HDFC_TOKEN"),
            (&[good, ("BAHI_BANK_HDFC_TIMEOUT_MS", "1s")], "BAHI_BANK_HDFC_TIMEOUT_MS"),
            (&[good, ("BAHI_BANK_HDFC_TIMEOUT_MS", "0")], "BAHI_BANK_HDFC_TIMEOUT_MS"),
            (&[("BAHI_BANK_AXIS_TOKEN", "hunter2")], "there is no BAHI_BANK_AXIS_URL"),
        ];
        for (variables, named) in bad {
            let error = of(variables).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(named) && !shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn case_183_a_token_is_never_shown() {
        let config = HttpBankConfig {
            code: "hdfc".parse().unwrap(),
            url: "http://127.0.0.1:1".parse().unwrap(),
            token: bearer("hunter2"),
            timeout: TIMEOUT_USUAL,
        };
        assert!(config.token.is_some());
        let shown = format!("{config:?} {:?} {:?}", config.token, HttpBank::new(config.clone()));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
