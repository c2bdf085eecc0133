//! What every command must know: where the data and the database are. From flags, else from the
//! environment.
//!
//! It reads no file and connects to nothing. Secrets it holds (the URLs may have passwords) never
//! appear in its `Debug` or in `--help`.
//!
//! The data folder is `.bahi` in the working directory, not one for the whole machine: two
//! checkouts beside each other are two ledgers, and to throw one away is to remove one folder. A
//! service says where it wants it (`BAHI_DATA`).

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

use sqlx::postgres::PgConnectOptions;

/// Where the data and the database are.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Where the ledger is")]
pub struct Settings {
    /// Folder for the private PostgreSQL, the secret and the demo's key
    #[arg(long, env = "BAHI_DATA", default_value = ".bahi", global = true, value_name = "DIR")]
    pub data: PathBuf,

    /// A PostgreSQL of your own; without it, Bahi starts a private one
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        global = true,
        value_name = "URL"
    )]
    pub database_url: DatabaseUrl,

    /// A database for the webhooks' inbox alone [default: the ledger's]
    #[arg(
        long,
        env = "INBOX_DATABASE_URL",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true,
        global = true,
        value_name = "URL"
    )]
    pub inbox_database_url: DatabaseUrl,

    /// File with the secret that request fingerprints are keyed with [default: secret in DIR]
    #[arg(long, env = "BAHI_SECRET_FILE", global = true, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,

    /// Start on a PostgreSQL that may lose or rewrite what was acknowledged; for trying only
    #[arg(long, env = "BAHI_ALLOW_UNSAFE_DATABASE", global = true)]
    pub allow_unsafe_database: bool,

    /// Be the demonstration: stand-ins for banks, mail and login providers are let in, and pages
    /// say so; never for real money
    #[arg(long, env = "BAHI_DEMO", global = true)]
    pub demo: bool,
}

impl Settings {
    /// Whether the inbox is in a database of its own.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] if what names it is no URL.
    pub fn has_own_inbox(&self) -> Result<bool, DatabaseUrlError> {
        Ok(self.inbox_database_url.options()?.is_some())
    }

    /// The same settings, for what works on the inbox: its database instead of the ledger's.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] if what names it is no URL.
    pub fn for_inbox(&self) -> Result<Self, DatabaseUrlError> {
        let mut settings = self.clone();
        if self.has_own_inbox()? {
            settings.database_url = self.inbox_database_url.clone();
        }
        Ok(settings)
    }

    /// The file that holds the secret.
    pub fn secret_file(&self) -> PathBuf {
        self.secret_file.clone().unwrap_or_else(|| self.data.join("secret"))
    }

    /// The file that holds the demo's API key.
    pub fn demo_key_file(&self) -> PathBuf {
        self.data.join("demo-key")
    }

    /// The file that says where the demo's banks are.
    pub fn demo_banks_file(&self) -> PathBuf {
        self.data.join("demo-banks")
    }

    /// The file that has the end of the log as it was seen last.
    pub fn anchor_file(&self) -> PathBuf {
        self.data.join("anchor.json")
    }

    /// The folder that the private PostgreSQL has for itself.
    pub fn postgres_folder(&self) -> PathBuf {
        self.data.join("postgres")
    }
}

/// The URL of a database, or nothing: an empty variable counts as none.
///
/// A malformed one is kept as such until it is used: the command line's parser would repeat it in
/// its message, and it may have a password.
#[derive(Clone, Default)]
pub struct DatabaseUrl(Given);

#[derive(Clone, Default)]
enum Given {
    #[default]
    Nothing,
    Malformed,
    Url(Box<PgConnectOptions>),
}

/// A URL that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database's URL is not of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
pub struct DatabaseUrlError;

impl DatabaseUrl {
    /// What to connect to, if a URL was given.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] if it is none.
    pub fn options(&self) -> Result<Option<&PgConnectOptions>, DatabaseUrlError> {
        match &self.0 {
            Given::Nothing => Ok(None),
            Given::Malformed => Err(DatabaseUrlError),
            Given::Url(options) => Ok(Some(options)),
        }
    }
}

impl FromStr for DatabaseUrl {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text.is_empty() {
            return Ok(Self(Given::Nothing));
        }
        let known = ["postgres://", "postgresql://"];
        let parsed = text.parse().ok();
        let parsed = parsed.filter(|_| known.iter().any(|scheme| text.starts_with(scheme)));
        Ok(Self(parsed.map_or(Given::Malformed, |options| Given::Url(Box::new(options)))))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Given::Nothing => f.write_str("none"),
            Given::Malformed => f.write_str("malformed"),
            Given::Url(options) => write!(f, "{}:{}", options.get_host(), options.get_port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> DatabaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn case_183_a_url_never_shows_its_password() {
        let good = url("postgres://app:hunter2@db.example/bahi");
        assert!(good.options().unwrap().is_some());
        let bad = url("postgres//app:hunter2@db");
        let error = bad.options().unwrap_err();
        let shown = format!("{good:?} {bad:?} {error} {error:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn the_inbox_is_in_the_ledgers_database_unless_it_has_its_own() {
        let mut settings = Settings {
            data: PathBuf::from(".bahi"),
            database_url: url("postgres://ledger/bahi"),
            inbox_database_url: DatabaseUrl::default(),
            secret_file: None,
            allow_unsafe_database: false,
            demo: false,
        };
        let host = |settings: &Settings| {
            let inbox = settings.for_inbox().unwrap();
            inbox.database_url.options().unwrap().unwrap().get_host().to_owned()
        };
        assert_eq!(host(&settings), "ledger");
        settings.inbox_database_url = url("postgres://inbox/bahi");
        assert_eq!(host(&settings), "inbox");
        settings.inbox_database_url = url("inbox");
        assert!(settings.for_inbox().is_err());
    }

    #[test]
    fn an_empty_url_is_none() {
        assert!(url("").options().unwrap().is_none());
        for bad in ["localhost", "mysql://a/b", "postgres://a:port/b"] {
            assert!(url(bad).options().is_err(), "{bad}");
        }
    }
}
