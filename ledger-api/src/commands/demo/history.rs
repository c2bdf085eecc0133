//! When the demo's ninety days begin, and whether they have passed.
//!
//! A new folder's clock begins ninety days ago; one from before there was a history goes on without
//! it, for a ledger's time never goes back. Kept in a file, so that a history that was broken off
//! goes on, and one that was told is not told again.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};
use ledger_core::clock::{Clock as _, System};
use serde::{Deserialize, Serialize};

use super::diary::{AHEAD_OF_UTC, DAYS};

/// What is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct History {
    /// Its first day.
    pub(super) first: NaiveDate,
    /// Whether all of it has happened.
    pub(super) told: bool,
}

fn file(data: &Path) -> PathBuf {
    data.join("demo-history.json")
}

impl History {
    /// The one of a folder; a new folder's begins. Nothing where there is none to be.
    pub(super) fn of(data: &Path, may_begin: bool) -> anyhow::Result<Option<Self>> {
        let file = file(data);
        if file.exists() {
            let text = fs::read(&file).with_context(|| format!("{} is lost", file.display()))?;
            let history = serde_json::from_slice(&text);
            return history.map(Some).with_context(|| format!("{} is broken", file.display()));
        }
        if !may_begin {
            return Ok(None);
        }
        let today = (System.now() + AHEAD_OF_UTC).date_naive();
        let history = Self { first: today - Days::new(DAYS.into()), told: false };
        history.keep(data)?;
        Ok(Some(history))
    }

    /// How long ago it began.
    pub(super) fn ago(&self) -> Duration {
        let midnight = self.first.and_time(NaiveTime::MIN).and_utc() - AHEAD_OF_UTC;
        let ago: TimeDelta = System.now().signed_duration_since(midnight);
        Duration::from_secs(u64::try_from(ago.num_seconds()).unwrap_or_default())
    }

    /// Notes that it was told.
    pub(super) fn end(self, data: &Path) -> anyhow::Result<()> {
        Self { told: true, ..self }.keep(data)
    }

    fn keep(&self, data: &Path) -> anyhow::Result<()> {
        let (file, new) = (file(data), data.join("demo-history.json.new"));
        fs::write(&new, serde_json::to_vec(self)?)
            .and_then(|()| fs::rename(&new, &file))
            .with_context(|| format!("{} can't be written", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_once_in_a_new_folder_and_ends_once() {
        let folder = tempfile::tempdir().unwrap();
        assert!(History::of(folder.path(), false).unwrap().is_none());
        let begun = History::of(folder.path(), true).unwrap().unwrap();
        assert!(!begun.told);
        let days = begun.ago().as_secs() / 86_400;
        assert_eq!(days, u64::from(DAYS));
        let first = begun.first;
        begun.end(folder.path()).unwrap();
        let again = History::of(folder.path(), false).unwrap().unwrap();
        assert!(again.told && again.first == first);
    }
}
