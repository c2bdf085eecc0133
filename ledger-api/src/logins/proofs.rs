//! Logins that were proved and lead to nobody yet: between the provider's answer and the page where
//! a password is given or a handle chosen. Sealed for the browser that has the cookie.

use chrono::TimeDelta;
use ledger_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::{
    attempts::AttemptError,
    provider::Identity,
    secrets::{BrowserSecret, NoRandom},
};
use crate::people::PersonId;

/// How long people may take for the page.
const LASTS: TimeDelta = TimeDelta::minutes(30);

/// What was proved, and what is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Proof {
    pub(crate) identity: Identity,
    /// The account that has the same address, whose password is missing; nothing for new people.
    pub(crate) account: Option<PersonId>,
    pub(crate) return_to: String,
}

/// The table.
#[derive(Debug, Clone)]
pub(super) struct Proofs(pub(super) PgPool);

impl Proofs {
    /// Keeps a proof, in place of the browser's last one.
    pub(super) async fn keep(
        &self,
        browser: &BrowserSecret,
        proof: &Proof,
        now: Timestamp,
    ) -> Result<(), AttemptError> {
        let plain = serde_json::to_vec(proof).map_err(|_| NoRandom)?;
        let sealed = browser.seal(&plain)?;
        sqlx::query(
            "with past as (
                 delete from login_proofs where expires_at <= $3 and browser_sha256 <> $1
             )
             insert into login_proofs (browser_sha256, sealed, expires_at)
             values ($1, $2, $3 + $4)
             on conflict (browser_sha256)
                 do update set sealed = excluded.sealed, expires_at = excluded.expires_at",
        )
        .bind(browser.hash().as_slice())
        .bind(sealed)
        .bind(now)
        .bind(LASTS)
        .execute(&self.0)
        .await?;
        Ok(())
    }

    /// The proof of a browser, which stays until it is dropped.
    pub(super) async fn find(
        &self,
        browser: &BrowserSecret,
        now: Timestamp,
    ) -> Result<Option<Proof>, AttemptError> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "select sealed from login_proofs where browser_sha256 = $1 and expires_at > $2",
        )
        .bind(browser.hash().as_slice())
        .bind(now)
        .fetch_optional(&self.0)
        .await?;
        let plain = sealed.and_then(|sealed| browser.open(&sealed));
        Ok(plain.and_then(|plain| serde_json::from_slice(&plain).ok()))
    }

    /// Takes the proof away; whether it was there: of two who come at once, one goes on.
    pub(super) async fn drop(&self, browser: &BrowserSecret) -> Result<bool, AttemptError> {
        let dropped = sqlx::query("delete from login_proofs where browser_sha256 = $1")
            .bind(browser.hash().as_slice())
            .execute(&self.0)
            .await?;
        Ok(dropped.rows_affected() == 1)
    }
}
