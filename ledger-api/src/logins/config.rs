//! The login providers, by the variables that name them.
//!
//! `BAHI_LOGIN_GOOGLE_KIND=oidc` with `_ISSUER`, `_CLIENT_ID` and `_CLIENT_SECRET` (or
//! `_CLIENT_SECRET_FILE`) is all that any OpenID Connect provider needs; `_KIND=github` is for
//! plain OAuth 2 and has GitHub's addresses unless others are named. Read once, at the start; no
//! provider is called then, so one that is down delays nothing.

use std::{collections::BTreeMap, ffi::OsString, fs, sync::Arc};

use openidconnect::url::{Host, Url};

use super::{outgoing::Outgoing, secrets::Hidden};

const PREFIX: &str = "BAHI_LOGIN_";
/// Addresses of our own below `/login`.
const TAKEN: [&str; 2] = ["confirm", "finish"];
const FIELDS: [&str; 11] = [
    "_KIND",
    "_ISSUER",
    "_CLIENT_ID",
    "_CLIENT_SECRET",
    "_CLIENT_SECRET_FILE",
    "_LABEL",
    "_AUTH_URL",
    "_TOKEN_URL",
    "_USER_URL",
    "_EMAILS_URL",
    "_SCOPES",
];
const NAME_CHARS_MAX: usize = 32;
const VALUE_CHARS_MAX: usize = 1000;

/// Why the providers are not known. Never shows a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginConfigError {
    /// A provider's name is none.
    #[error(
        "{0} names no login provider: {PREFIX}, 1 to 32 upper-case letters or digits, and one of \
         _KIND _ISSUER _CLIENT_ID _CLIENT_SECRET _CLIENT_SECRET_FILE _LABEL _AUTH_URL _TOKEN_URL \
         _USER_URL _EMAILS_URL _SCOPES"
    )]
    Name(String),
    /// A variable can't be read.
    #[error("{0} is not UTF-8, or is too long")]
    NotText(String),
    /// A file can't be read.
    #[error("{0} names a file that can't be read")]
    File(String),
    /// A kind that there is not.
    #[error("{0} is neither oidc nor github")]
    Kind(String),
    /// Something is missing.
    #[error("{0} is needed")]
    Missing(String),
    /// An address is none.
    #[error(
        "{0} is no address: https://HOST/PATH without user, query or fragment (http is for the \
         demonstration on this machine only)"
    )]
    Url(String),
    /// The certificates of the system can't be read.
    #[error("the certificates of this system can't be read, and login providers need TLS")]
    Tls,
    /// The same twice.
    #[error("two login providers have the issuer {0}: people could not be told apart")]
    Twice(String),
}

/// What kind of provider it is, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one for each provider")]
pub(super) enum Kind {
    /// OpenID Connect: all else is found by discovery.
    Oidc,
    /// Plain OAuth 2, with an API for who it is, as GitHub has it.
    OAuth2 { auth: Url, token: Url, user: Url, emails: Option<Url> },
}

/// One provider.
#[derive(Debug, Clone)]
pub(super) struct ProviderConfig {
    /// Its place in our addresses: `google`.
    pub(super) name: String,
    /// What people call it.
    pub(super) label: String,
    /// What its identities are kept under.
    pub(super) issuer: String,
    pub(super) kind: Kind,
    pub(super) client_id: String,
    pub(super) client_secret: Hidden,
    pub(super) scopes: Vec<String>,
}

/// What the configuration says of logins.
#[derive(Debug, Clone, Default)]
pub struct LoginSettings {
    /// What calls them, if there is any.
    pub(super) outgoing: Option<Arc<Outgoing>>,
    pub(super) providers: Vec<ProviderConfig>,
}

type Said = BTreeMap<&'static str, String>;

impl LoginSettings {
    /// What the environment says. Stand-ins for providers are let in for the demonstration only.
    ///
    /// # Errors
    /// [`LoginConfigError`] with a variable that makes no sense.
    pub fn from_environment(demo: bool) -> Result<Self, LoginConfigError> {
        Self::from_variables(std::env::vars_os(), demo)
    }

    /// What some variables say. Variables of other names are none of ours.
    ///
    /// # Errors
    /// As [`Self::from_environment`].
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        demo: bool,
    ) -> Result<Self, LoginConfigError> {
        let mut said: BTreeMap<String, Said> = BTreeMap::new();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str() else { continue };
            let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
            let text = value.to_str().map(str::trim).filter(|text| text.len() <= VALUE_CHARS_MAX);
            let text = text.ok_or_else(|| LoginConfigError::NotText(variable.to_owned()))?;
            // As with other variables, an empty one counts as none.
            if text.is_empty() {
                continue;
            }
            let (name, field) = split(variable, rest)?;
            said.entry(name).or_default().insert(field, text.to_owned());
        }
        let providers: Result<Vec<ProviderConfig>, _> =
            said.into_iter().map(|(name, said)| provider(&name, &said, demo)).collect();
        let providers = providers?;
        for (index, one) in providers.iter().enumerate() {
            if providers.iter().skip(index + 1).any(|other| other.issuer == one.issuer) {
                return Err(LoginConfigError::Twice(one.issuer.clone()));
            }
        }
        let mut outgoing = None;
        if !providers.is_empty() {
            outgoing = Some(Arc::new(Outgoing::new().map_err(|_| LoginConfigError::Tls)?));
        }
        Ok(Self { outgoing, providers })
    }
}

impl LoginSettings {
    /// Whether there is somewhere for browsers to come back to, if there are providers.
    ///
    /// # Errors
    /// [`LoginConfigError::Missing`].
    pub fn returning_to(&self, public_url: Option<&str>) -> Result<(), LoginConfigError> {
        if public_url.is_none() && !self.providers.is_empty() {
            return Err(LoginConfigError::Missing("BAHI_PUBLIC_URL".to_owned()));
        }
        Ok(())
    }
}

fn split(variable: &str, rest: &str) -> Result<(String, &'static str), LoginConfigError> {
    // The longest that fits: `_CLIENT_SECRET_FILE` ends like nothing else, but names may.
    let field = FIELDS.into_iter().filter(|field| rest.ends_with(field)).max_by_key(|f| f.len());
    let name = field.and_then(|field| rest.strip_suffix(field)).unwrap_or_default();
    let good = (1..=NAME_CHARS_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && !TAKEN.contains(&name.to_ascii_lowercase().as_str());
    match field.filter(|_| good) {
        Some(field) => Ok((name.to_ascii_lowercase(), field)),
        None => Err(LoginConfigError::Name(variable.to_owned())),
    }
}

fn provider(name: &str, said: &Said, demo: bool) -> Result<ProviderConfig, LoginConfigError> {
    let variable = |field: &str| format!("{PREFIX}{}{field}", name.to_ascii_uppercase());
    let must = |field: &str| {
        said.get(field).cloned().ok_or_else(|| LoginConfigError::Missing(variable(field)))
    };
    let at = |field: &'static str, usual: &str| {
        let text = said.get(field).map_or(usual, String::as_str);
        address(text, demo).ok_or_else(|| LoginConfigError::Url(variable(field)))
    };
    let label = said.get("_LABEL").cloned().unwrap_or_else(|| usual_label(name));
    let (kind, issuer, usual_scopes) = match must("_KIND")?.as_str() {
        "oidc" => {
            let issuer = must("_ISSUER")?;
            at("_ISSUER", "")?;
            (Kind::Oidc, issuer, "openid email profile")
        }
        "github" | "oauth2" => {
            let auth = at("_AUTH_URL", "https://github.com/login/oauth/authorize")?;
            let token = at("_TOKEN_URL", "https://github.com/login/oauth/access_token")?;
            let user = at("_USER_URL", "https://api.github.com/user")?;
            let emails = at("_EMAILS_URL", "https://api.github.com/user/emails")?;
            // A provider of this kind has no name for itself; where people log in is its name.
            let own = auth.origin().ascii_serialization();
            let issuer = said.get("_ISSUER").cloned().unwrap_or(own);
            let kind = Kind::OAuth2 { auth, token, user, emails: Some(emails) };
            (kind, issuer, "read:user user:email")
        }
        _other => return Err(LoginConfigError::Kind(variable("_KIND"))),
    };
    let secret = match said.get("_CLIENT_SECRET_FILE") {
        Some(path) => fs::read_to_string(path)
            .map_err(|_| LoginConfigError::File(variable("_CLIENT_SECRET_FILE")))?,
        None => must("_CLIENT_SECRET")?,
    };
    let scopes = said.get("_SCOPES").map_or(usual_scopes, String::as_str);
    Ok(ProviderConfig {
        name: name.to_owned(),
        label,
        issuer,
        kind,
        client_id: must("_CLIENT_ID")?,
        client_secret: Hidden::new(secret.trim().to_owned()),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
    })
}

fn usual_label(name: &str) -> String {
    match name {
        "github" => "GitHub".to_owned(),
        other => {
            let (first, rest) = other.split_at(1);
            format!("{}{rest}", first.to_ascii_uppercase())
        }
    }
}

/// An address that may be called: over TLS, or on this machine if that is allowed.
pub(super) fn address(text: &str, loopback_allowed: bool) -> Option<Url> {
    let url: Url = text.parse().ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let secure = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => loopback_allowed && is_loopback(&url),
        _other => false,
    };
    Some(url).filter(|_| plain && secure)
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)], demo: bool) -> Result<LoginSettings, LoginConfigError> {
        LoginSettings::from_variables(
            variables.iter().map(|(name, value)| (name.into(), value.into())),
            demo,
        )
    }

    const GOOGLE: [(&str, &str); 4] = [
        ("BAHI_LOGIN_GOOGLE_KIND", "oidc"),
        ("BAHI_LOGIN_GOOGLE_ISSUER", "https://accounts.google.com"),
        ("BAHI_LOGIN_GOOGLE_CLIENT_ID", "id"),
        ("BAHI_LOGIN_GOOGLE_CLIENT_SECRET", "hunter2"),
    ];

    fn with(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        let others = GOOGLE.into_iter().filter(|(other, _)| *other != name);
        others.chain([(name, value)]).collect()
    }

    #[test]
    fn the_real_google_and_the_real_github_need_four_lines_and_three() {
        let github = [
            ("BAHI_LOGIN_GITHUB_KIND", "github"),
            ("BAHI_LOGIN_GITHUB_CLIENT_ID", "id"),
            ("BAHI_LOGIN_GITHUB_CLIENT_SECRET", "hunter2"),
        ];
        let settings = read(&[GOOGLE.as_slice(), &github].concat(), false).unwrap();
        let seen: Vec<_> =
            settings.providers.iter().map(|p| (&*p.name, &*p.label, &*p.issuer)).collect();
        let github = ("github", "GitHub", "https://github.com");
        assert_eq!(seen, [github, ("google", "Google", "https://accounts.google.com")]);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn case_183_stand_ins_and_plain_http_are_refused_outside_the_demonstration() {
        let local = with("BAHI_LOGIN_GOOGLE_ISSUER", "http://127.0.0.1:9292/google");
        let wrong = LoginConfigError::Url("BAHI_LOGIN_GOOGLE_ISSUER".to_owned());
        assert_eq!(read(&local, false).unwrap_err(), wrong);
        assert!(read(&local, true).is_ok());
        let plain = with("BAHI_LOGIN_GOOGLE_ISSUER", "http://accounts.example");
        assert_eq!(read(&plain, true).unwrap_err(), wrong);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let missing = |name: &str| LoginConfigError::Missing(name.to_owned());
        for (variables, error) in [
            (with("BAHI_LOGIN_GOOGLE_KIND", ""), missing("BAHI_LOGIN_GOOGLE_KIND")),
            (
                with("BAHI_LOGIN_GOOGLE_CLIENT_SECRET", ""),
                missing("BAHI_LOGIN_GOOGLE_CLIENT_SECRET"),
            ),
            (
                with("BAHI_LOGIN_GOOGLE_KIND", "saml"),
                LoginConfigError::Kind("BAHI_LOGIN_GOOGLE_KIND".to_owned()),
            ),
            (
                with("BAHI_LOGIN_google_KIND", "oidc"),
                LoginConfigError::Name("BAHI_LOGIN_google_KIND".to_owned()),
            ),
            (
                with("BAHI_LOGIN_GOOGLE_CLIENTID", "x"),
                LoginConfigError::Name("BAHI_LOGIN_GOOGLE_CLIENTID".to_owned()),
            ),
            (
                with("BAHI_LOGIN_FINISH_KIND", "oidc"),
                LoginConfigError::Name("BAHI_LOGIN_FINISH_KIND".to_owned()),
            ),
        ] {
            assert_eq!(read(&variables, false).unwrap_err(), error, "{variables:?}");
        }
    }
}
