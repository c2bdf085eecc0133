//! How checkpoints are made: from the environment.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use projections::audit::{
    MacKey,
    proof::{KeyError, WitnessKey},
};
use reqwest::Url;

use crate::setup::Secret;

const EVENTS_DEFAULT: u64 = 10_000;
const SECONDS_DEFAULT: u64 = 60;
const SECONDS_MAX: u64 = 86_400;

/// How checkpoints are made.
#[derive(Debug, Clone)]
pub struct ProofSettings {
    /// The file with the key that signs them.
    pub key_file: PathBuf,
    /// The folder that they are also kept in.
    pub folder: PathBuf,
    /// What the log is called in them; else a name that follows from its first event.
    pub origin: Option<String>,
    /// After how many events the next one is made, however soon.
    pub every_events: u64,
    /// After how long the next one is made, if there is any event.
    pub every: Duration,
    /// Who is asked to countersign them.
    pub witnesses: Vec<Witness>,
    /// The first batch that must carry a MAC, where processes of a release that knew none went on
    /// beside others; else the first one that has one.
    pub macs_from: u64,
}

/// Somebody who countersigns checkpoints.
#[derive(Debug, Clone)]
pub struct Witness {
    /// Where it is.
    pub url: Url,
    /// What its word is verified with.
    pub key: WitnessKey,
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum ProofSettingsError {
    /// Not a number in its bounds.
    #[error("{0} is a whole number from {1} to {2}")]
    Number(&'static str, u64, u64),
    /// Not text.
    #[error("{0} is not text")]
    Text(&'static str),
    /// Not what a log may be called.
    #[error("BAHI_CHECKPOINT_ORIGIN is a name without spaces and plus signs, as example.com/log")]
    Origin,
    /// Not a list of witnesses.
    #[error("BAHI_WITNESSES is a list, with commas, of: URL KEY")]
    Witnesses,
    /// Not the address of a witness.
    #[error("BAHI_WITNESSES: {0} is not the address of a witness")]
    Url(String),
    /// Not a key of a witness.
    #[error("BAHI_WITNESSES")]
    Key(#[from] KeyError),
}

impl ProofSettings {
    /// As they are without a word in the environment.
    pub fn new(data: &Path) -> Self {
        Self {
            key_file: data.join("checkpoint-key"),
            folder: data.join("checkpoints"),
            origin: None,
            every_events: EVENTS_DEFAULT,
            every: Duration::from_secs(SECONDS_DEFAULT),
            witnesses: Vec::new(),
            macs_from: 0,
        }
    }

    /// The key that the MACs of batches are checked with, of the installation with this secret.
    pub fn mac_key(&self, secret: &Secret) -> MacKey {
        let from = i64::try_from(self.macs_from).unwrap_or(i64::MAX);
        MacKey::new(secret.batch_key()).starting_at(from)
    }

    /// From the variables of the process.
    ///
    /// # Errors
    /// [`ProofSettingsError`] if one cannot be.
    pub fn from_environment(data: &Path) -> Result<Self, ProofSettingsError> {
        Self::from_variables(data, |name| std::env::var_os(name))
    }

    /// From variables.
    ///
    /// # Errors
    /// [`ProofSettingsError`] if one cannot be.
    pub fn from_variables(
        data: &Path,
        get: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ProofSettingsError> {
        let mut settings = Self::new(data);
        let given = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &'static str| match given(name) {
            None => Ok(None),
            Some(value) => {
                value.into_string().map(Some).map_err(|_| ProofSettingsError::Text(name))
            }
        };
        if let Some(file) = given("BAHI_CHECKPOINT_KEY_FILE") {
            settings.key_file = file.into();
        }
        if let Some(folder) = given("BAHI_CHECKPOINTS_DIR") {
            settings.folder = folder.into();
        }
        if let Some(origin) = text("BAHI_CHECKPOINT_ORIGIN")? {
            if origin.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+') {
                return Err(ProofSettingsError::Origin);
            }
            settings.origin = Some(origin);
        }
        let number = |name, min, max| match text(name)? {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) if (min..=max).contains(&number) => Ok(Some(number)),
                Ok(_) | Err(_) => Err(ProofSettingsError::Number(name, min, max)),
            },
        };
        if let Some(events) = number("BAHI_CHECKPOINT_EVENTS", 1, u64::MAX)? {
            settings.every_events = events;
        }
        if let Some(seconds) = number("BAHI_CHECKPOINT_SECONDS", 0, SECONDS_MAX)? {
            settings.every = Duration::from_secs(seconds);
        }
        if let Some(batch) = number("BAHI_MACS_FROM", 0, u64::MAX)? {
            settings.macs_from = batch;
        }
        if let Some(list) = text("BAHI_WITNESSES")? {
            settings.witnesses = witnesses(&list)?;
        }
        Ok(settings)
    }
}

fn witnesses(list: &str) -> Result<Vec<Witness>, ProofSettingsError> {
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| {
            let (url, key) =
                item.split_once(char::is_whitespace).ok_or(ProofSettingsError::Witnesses)?;
            let known = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            let url = known.ok_or_else(|| ProofSettingsError::Url(url.to_owned()))?;
            Ok(Witness { url, key: key.trim().parse()? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use projections::audit::proof::Signer;

    use super::*;

    fn with(name: &'static str, value: &str) -> Result<ProofSettings, ProofSettingsError> {
        let value = OsString::from(value);
        ProofSettings::from_variables(Path::new("data"), |asked| {
            (asked == name).then(|| value.clone())
        })
    }

    #[test]
    fn every_setting_has_a_default_and_bounds() {
        let settings = with("BAHI_CHECKPOINT_SECONDS", "").unwrap();
        assert_eq!(settings.every, Duration::from_secs(60));
        assert_eq!(settings.key_file, Path::new("data/checkpoint-key"));
        assert_eq!(with("BAHI_CHECKPOINT_SECONDS", "0").unwrap().every, Duration::ZERO);
        assert_eq!(with("BAHI_CHECKPOINT_EVENTS", "7").unwrap().every_events, 7);
        assert_eq!(with("BAHI_MACS_FROM", "48").unwrap().macs_from, 48);
        assert_eq!(with("BAHI_CHECKPOINTS_DIR", "/kept").unwrap().folder, Path::new("/kept"));
        for (name, value) in [
            ("BAHI_CHECKPOINT_SECONDS", "-1"),
            ("BAHI_CHECKPOINT_SECONDS", "86401"),
            ("BAHI_CHECKPOINT_EVENTS", "0"),
            ("BAHI_MACS_FROM", "first"),
            ("BAHI_CHECKPOINT_ORIGIN", "my log"),
            ("BAHI_WITNESSES", "http://127.0.0.1:9"),
            ("BAHI_WITNESSES", "ftp://a key"),
            ("BAHI_WITNESSES", "http://127.0.0.1:9 key"),
        ] {
            assert!(with(name, value).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn witnesses_are_addresses_with_keys() {
        let key = Signer::of(&[7; 32]).witness("w.example").unwrap();
        let list = format!("http://127.0.0.1:9/a {key}, https://w.example {key}");
        let witnesses = with("BAHI_WITNESSES", &list).unwrap().witnesses;
        assert_eq!(witnesses.len(), 2);
        assert_eq!(witnesses[1].key, key);
    }
}
