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
    pub(super) aim: Aim,
}

/// What a login under way is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// To come in.
    SignIn,
    /// To be a login of this person from here on.
    Link(PersonId),
    /// To prove again that it is this person, who is signed in.
    StepUp(PersonId),
}

impl Aim {
    /// Who has to be signed in for it.
    pub(crate) const fn person(self) -> Option<PersonId> {
        match self {
            Self::SignIn => None,
            Self::Link(person) | Self::StepUp(person) => Some(person),
        }
    }

    const fn is_step_up(self) -> bool {
        matches!(self, Self::StepUp(_))
    }
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
                 (state_sha256, browser_sha256, provider, return_to, person_id, proves_again,
                  expires_at)
             values ($1, $2, $3, $4, $5, $8, $6 + $7)",
        )
        .bind(hash(state.reveal()).as_slice())
        .bind(browser.hash().as_slice())
        .bind(&attempt.provider)
        .bind(&attempt.return_to)
        .bind(attempt.aim.person().map(PersonId::uuid))
        .bind(now)
        .bind(LASTS)
        .bind(attempt.aim.is_step_up())
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
             returning provider, return_to, person_id, proves_again, expires_at",
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
            aim: match (person.map(PersonId::from_uuid), row.try_get("proves_again")?) {
                (None, _) => Aim::SignIn,
                (Some(person), false) => Aim::Link(person),
                (Some(person), true) => Aim::StepUp(person),
            },
        };
        Ok(Some(attempt).filter(|_| now < expires_at))
    }
}
