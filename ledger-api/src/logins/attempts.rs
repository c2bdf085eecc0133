//! Logins under way: sent to a provider and not back yet.

use chrono::TimeDelta;
use ledger_core::clock::Timestamp;
use sqlx::{PgPool, Row as _, types::Uuid};

use super::secrets::{BrowserSecret, Hidden, NoRandom, fresh, hash, is_well_formed};
use crate::{http::Problem, people::PersonId};

/// How long a browser may be away.
pub(super) const LASTS: TimeDelta = TimeDelta::minutes(10);

/// Why an attempt was not noted or found.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    #[error(transparent)]
    Random(#[from] NoRandom),
    #[error("the logins under way could not be asked for")]
    Database(#[from] sqlx::Error),
}

impl From<AttemptError> for Problem {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::Database(error) => error.into(),
            AttemptError::Random(error) => Self::internal(&error),
        }
    }
}

/// An attempt that came back.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) provider: String,
    pub(super) return_to: String,
    /// Whose login the account is to be.
    pub(super) linking: Option<PersonId>,
}

/// The table.
#[derive(Debug, Clone)]
pub(super) struct Attempts(pub(super) PgPool);

impl Attempts {
    /// Notes an attempt; its state. What was given up before is forgotten.
    pub(super) async fn begin(
        &self,
        browser: &BrowserSecret,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<Hidden, AttemptError> {
        let state = fresh()?;
        sqlx::query(
            "with past as (delete from login_attempts where expires_at <= $6)
             insert into login_attempts
                 (state_sha256, browser_sha256, provider, return_to, person_id, expires_at)
             values ($1, $2, $3, $4, $5, $6 + $7)",
        )
        .bind(hash(state.reveal()).as_slice())
        .bind(browser.hash().as_slice())
        .bind(&attempt.provider)
        .bind(&attempt.return_to)
        .bind(attempt.linking.map(PersonId::uuid))
        .bind(now)
        .bind(LASTS)
        .execute(&self.0)
        .await?;
        Ok(state)
    }

    /// Takes the attempt of this state and this browser: once. Another browser's stays where it
    /// is, so that nobody can spoil a login by guessing at it.
    pub(super) async fn take(
        &self,
        browser: &BrowserSecret,
        state: &str,
        now: Timestamp,
    ) -> Result<Option<Attempt>, AttemptError> {
        if !is_well_formed(state) {
            return Ok(None);
        }
        let row = sqlx::query(
            "delete from login_attempts where state_sha256 = $1 and browser_sha256 = $2
             returning provider, return_to, person_id, expires_at",
        )
        .bind(hash(state).as_slice())
        .bind(browser.hash().as_slice())
        .fetch_optional(&self.0)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let expires_at: Timestamp = row.try_get("expires_at")?;
        let person: Option<Uuid> = row.try_get("person_id")?;
        let attempt = Attempt {
            provider: row.try_get("provider")?,
            return_to: row.try_get("return_to")?,
            linking: person.map(PersonId::from_uuid),
        };
        Ok(Some(attempt).filter(|_| now < expires_at))
    }
}
