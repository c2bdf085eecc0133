//! How people are let in, as the operator says it.
//!
//! | variable | meaning |
//! |---|---|
//! | `BAHI_PEOPLE` | `on`: people may sign up |
//! | `BAHI_PUBLIC_URL` | where browsers reach the service, for links and for telling our pages |
//! | `BAHI_TRUSTED_PROXIES` | whose `X-Forwarded-For` is believed, addresses separated by commas |
//! | `BAHI_PAYEE_COOLING` | how long a new bank account waits for its first withdrawal |
//! | `BAHI_SMALL_WALLET_SENDS` | `on`: wallets send before their owner has proved who it is |
//! | `BAHI_RETENTION_DAYS` | how long what is known of somebody is kept after they left |

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use chrono::TimeDelta;
use ledger_core::clock::{Clock, System};

use crate::{
    logins::LoginSettings,
    post::{Post, PostError},
    sessions::csrf::Origin,
};

/// Ten years: what the law on records of payments takes at most.
const RETENTION_DAYS: i64 = 3650;
const RETENTION_DAYS_MAX: i64 = 36_500;
const COOLING_MAX: TimeDelta = TimeDelta::days(30);

/// Where browsers reach the service: scheme, host and port, nothing after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The address of a path of ours.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// What browsers call it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A variable that says nothing sensible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} must be {expected}")]
pub struct PeopleSettingsError {
    /// The variable.
    pub variable: &'static str,
    /// What it may be.
    pub expected: &'static str,
}

impl PeopleSettingsError {
    fn of_post(error: &PostError) -> Self {
        let variable = match *error {
            PostError::Setting(variable) => variable,
            PostError::Address
            | PostError::Smtp(_)
            | PostError::Gateway(_)
            | PostError::Refused(_) => "BAHI_SMS_URL",
        };
        Self { variable, expected: "well formed (docs/operating.md)" }
    }
}

const PUBLIC_URL: PeopleSettingsError = PeopleSettingsError {
    variable: "BAHI_PUBLIC_URL",
    expected: "like https://wallet.example, without a path; http only for this machine",
};

impl std::str::FromStr for PublicUrl {
    type Err = PeopleSettingsError;

    fn from_str(text: &str) -> Result<Self, PeopleSettingsError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let url: reqwest::Url = text.parse().map_err(|_| PUBLIC_URL)?;
        let host = url.host_str().unwrap_or_default();
        let is_here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        // As browsers write it: lower case, the port only where it is not the usual one.
        let origin = url.origin().ascii_serialization();
        if is_safe && origin == text { Ok(Self(origin)) } else { Err(PUBLIC_URL) }
    }
}

/// How people are let in.
#[derive(Clone)]
pub struct PeopleSettings {
    /// Whether people may sign up.
    pub sign_up: bool,
    /// Where browsers reach the service.
    pub public_url: Option<PublicUrl>,
    /// Where links lead to if there is no public address.
    pub link_base: Option<PublicUrl>,
    /// Whose word about who calls is believed.
    pub proxies: Vec<IpAddr>,
    /// How long a new bank account waits for its first withdrawal.
    pub payee_cooling: TimeDelta,
    /// Whether the operator said so.
    pub cooling_is_said: bool,
    /// Whether wallets send before their owners have proved who they are.
    pub small_sends: bool,
    /// How long what is known of somebody is kept after they left.
    pub retention: TimeDelta,
    /// Who else may vouch for people.
    pub logins: LoginSettings,
    /// How they are reached.
    pub post: Post,
    /// By which clock sessions and codes end: the machine's, whatever clock the ledger goes by.
    pub clock: Arc<dyn Clock>,
}

impl Default for PeopleSettings {
    fn default() -> Self {
        Self {
            sign_up: false,
            public_url: None,
            link_base: None,
            proxies: Vec::new(),
            payee_cooling: TimeDelta::hours(1),
            cooling_is_said: false,
            small_sends: false,
            retention: TimeDelta::days(RETENTION_DAYS),
            logins: LoginSettings::default(),
            post: Post::default(),
            clock: Arc::new(System),
        }
    }
}

impl fmt::Debug for PeopleSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PeopleSettings")
            .field("sign_up", &self.sign_up)
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}

impl PeopleSettings {
    /// As variables say it.
    ///
    /// # Errors
    /// [`PeopleSettingsError`] with the first that says nothing sensible.
    pub fn from_variables(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, PeopleSettingsError> {
        let get = |name: &str| get(name).filter(|text| !text.is_empty());
        let is_on = |variable| match get(variable).as_deref() {
            None | Some("off") => Ok(false),
            Some("on") => Ok(true),
            Some(_) => Err(PeopleSettingsError { variable, expected: "on or off" }),
        };
        let (sign_up, small_sends) = (is_on("BAHI_PEOPLE")?, is_on("BAHI_SMALL_WALLET_SENDS")?);
        let mut settings = Self { sign_up, small_sends, ..Self::default() };
        settings.post =
            Post::from_variables(get).map_err(|error| PeopleSettingsError::of_post(&error))?;
        settings.public_url = get("BAHI_PUBLIC_URL").map(|url| url.parse()).transpose()?;
        if let Some(text) = get("BAHI_TRUSTED_PROXIES") {
            let parsed: Result<_, _> = text.split(',').map(|part| part.trim().parse()).collect();
            settings.proxies = parsed.map_err(|_| PeopleSettingsError {
                variable: "BAHI_TRUSTED_PROXIES",
                expected: "IP addresses separated by commas",
            })?;
        }
        if let Some(text) = get("BAHI_PAYEE_COOLING") {
            settings.payee_cooling = cooling(&text).ok_or(PeopleSettingsError {
                variable: "BAHI_PAYEE_COOLING",
                expected: "a time like 90s, 30m, 1h or 2d, at most 30d",
            })?;
        }
        settings.cooling_is_said = get("BAHI_PAYEE_COOLING").is_some();
        if let Some(text) = get("BAHI_RETENTION_DAYS") {
            let days = text.parse().ok().filter(|days| (1..=RETENTION_DAYS_MAX).contains(days));
            settings.retention = days.map(TimeDelta::days).ok_or(PeopleSettingsError {
                variable: "BAHI_RETENTION_DAYS",
                expected: "a number of days from 1 to 36500",
            })?;
        }
        Ok(settings)
    }

    /// With another time that a new bank account waits.
    pub fn with_cooling(self, payee_cooling: TimeDelta) -> Self {
        Self { payee_cooling, cooling_is_said: true, ..self }
    }

    /// The same for the demonstration, which listens here: anybody may sign up.
    pub fn for_demo(self, address: Option<SocketAddr>) -> Self {
        let here = address.map(|address| PublicUrl(format!("http://{address}")));
        let link_base = self.public_url.clone().or(here);
        let post = if self.post.has_mailer() { self.post.clone() } else { Post::demo() };
        // Whoever tries it wants to see money leave; the rule is there to be said.
        let payee_cooling =
            if self.cooling_is_said { self.payee_cooling } else { TimeDelta::zero() };
        Self { sign_up: true, link_base, post, payee_cooling, ..self }
    }

    /// Where browsers reach us, as far as we were told: never what a request says of its host.
    pub fn base(&self) -> Option<&PublicUrl> {
        self.public_url.as_ref().or(self.link_base.as_ref())
    }

    /// The address of a path of ours, for letters.
    pub fn link(&self, path: &str) -> String {
        self.base().map_or_else(|| path.to_owned(), |base| base.join(path))
    }

    /// Whether all is there that people who sign up need. The demonstration needs nothing.
    ///
    /// # Errors
    /// [`PeopleSettingsError`] with the first that is missing.
    pub fn complete(self) -> Result<Self, PeopleSettingsError> {
        if self.sign_up && !self.post.has_mailer() {
            let expected = "set where people sign up: their addresses are proved by letters";
            return Err(PeopleSettingsError { variable: "BAHI_SMTP_URL", expected });
        }
        if self.sign_up && self.public_url.is_none() {
            return Err(PUBLIC_URL);
        }
        Ok(self)
    }

    /// Where our own pages come from.
    pub fn origin(&self) -> Origin {
        match &self.public_url {
            Some(url) => Origin::Exactly(url.as_str().to_owned()),
            None => Origin::SameAsHost,
        }
    }
}

fn cooling(text: &str) -> Option<TimeDelta> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok().filter(|n| *n >= 0)?;
    let seconds: i64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let time = TimeDelta::try_seconds(number.checked_mul(seconds)?)?;
    (time <= COOLING_MAX).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> Result<PeopleSettings, PeopleSettingsError> {
        let get = |name: &str| {
            let found = pairs.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        PeopleSettings::from_variables(get)
    }

    #[test]
    fn nothing_said_is_nobody_let_in() {
        let settings = set(&[]).unwrap();
        assert!(!settings.sign_up && settings.public_url.is_none());
        assert_eq!(settings.payee_cooling, TimeDelta::hours(1));
        assert_eq!(settings.retention, TimeDelta::days(3650));
    }

    #[test]
    fn a_public_address_is_an_origin_over_tls_or_of_this_machine() {
        for good in ["https://wallet.example", "http://127.0.0.1:8080", "https://a.b:8443/"] {
            assert!(good.parse::<PublicUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "wallet.example",
            "http://wallet.example",
            "https://wallet.example/app",
            "https://Wallet.example",
            "https://wallet.example:443",
            "https://u:p@wallet.example",
            "ftp://wallet.example",
            "https://wallet.example?x",
        ] {
            assert_eq!(bad.parse::<PublicUrl>(), Err(PUBLIC_URL), "{bad}");
        }
    }

    #[test]
    fn what_is_no_setting_is_refused_by_name() {
        for (variable, value) in [
            ("BAHI_SMS_URL", "ftp://x"),
            ("BAHI_PEOPLE", "yes"),
            ("BAHI_TRUSTED_PROXIES", "proxy"),
            ("BAHI_PAYEE_COOLING", "1"),
            ("BAHI_PAYEE_COOLING", "-1h"),
            ("BAHI_PAYEE_COOLING", "31d"),
            ("BAHI_PAYEE_COOLING", "é"),
            ("BAHI_RETENTION_DAYS", "0"),
        ] {
            assert_eq!(set(&[(variable, value)]).unwrap_err().variable, variable, "{value}");
        }
        let from = ("BAHI_MAIL_FROM", "wallet@example.com");
        let unmailed = set(&[("BAHI_SMTP_URL", "nonsense"), from]).unwrap_err();
        assert_eq!(unmailed.variable, "BAHI_SMTP_URL");
        let settings = set(&[("BAHI_PAYEE_COOLING", "0s"), ("BAHI_PEOPLE", "on")]).unwrap();
        assert!(settings.sign_up && settings.payee_cooling.is_zero());
    }

    #[test]
    fn case_183_people_sign_up_only_where_letters_can_be_sent() {
        let on = ("BAHI_PEOPLE", "on");
        let smtp = ("BAHI_SMTP_URL", "smtps://mail.example");
        let from = ("BAHI_MAIL_FROM", "wallet@example.com");
        let url = ("BAHI_PUBLIC_URL", "https://wallet.example");
        let missing = |pairs: &[_]| set(pairs).unwrap().complete().err().map(|e| e.variable);
        assert_eq!(missing(&[]), None);
        assert_eq!(missing(&[on, url]), Some("BAHI_SMTP_URL"));
        assert_eq!(missing(&[on, smtp, from]), Some("BAHI_PUBLIC_URL"));
        assert_eq!(missing(&[on, smtp, from, url]), None);
        assert_eq!(set(&[on, smtp]).unwrap_err().variable, "BAHI_MAIL_FROM");
        let demo = set(&[]).unwrap().for_demo("127.0.0.1:8080".parse().ok());
        assert!(demo.sign_up && demo.post.outbox().is_some());
        assert_eq!(demo.link("/verify"), "http://127.0.0.1:8080/verify");
    }
}
