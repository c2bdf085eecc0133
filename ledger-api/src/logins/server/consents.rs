//! What somebody lets frontends do at the moment, as they see and end it.
//!
//! A consent is listed while a token of it is good for anything. Ending one ends its tokens at
//! once, in all processes: they are looked up for each request.

use std::{fmt, str::FromStr};

use ledger_core::clock::Timestamp;
use sqlx::{PgPool, Row as _, types::Uuid};

use super::grants::{IN_FORCE, scopes};
use crate::{identity::ScopeSet, people::PersonId};

const PREFIX: &str = "grant_";

/// Which consent: `grant_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConsentId(Uuid);

/// A text that names no consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a consent is grant_ and 32 hexadecimal digits")]
pub(crate) struct ConsentIdError;

impl fmt::Display for ConsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.simple())
    }
}

impl FromStr for ConsentId {
    type Err = ConsentIdError;

    fn from_str(text: &str) -> Result<Self, ConsentIdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(ConsentIdError)?;
        let id = Self(Uuid::try_parse(digits).map_err(|_| ConsentIdError)?);
        // One name for one thing: no capitals, no hyphens.
        if id.to_string() == text { Ok(id) } else { Err(ConsentIdError) }
    }
}

/// A frontend that may act for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Consent {
    /// Which.
    pub(crate) id: ConsentId,
    /// The frontend's id.
    pub(crate) client_id: String,
    /// What it calls itself.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) scopes: ScopeSet,
    /// Since when.
    pub(crate) since: Timestamp,
    /// When it stops at the latest.
    pub(crate) until: Timestamp,
}

/// The table; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Consents(PgPool);

impl Consents {
    pub(super) const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// What somebody lets frontends do, the newest first.
    pub(crate) async fn of(&self, person: PersonId, now: Timestamp) -> sqlx::Result<Vec<Consent>> {
        let sql = format!(
            "select g.id, g.client_id, c.name, g.scopes, g.created_at, g.expires_at
             from oauth_grants g
             join oauth_clients c on c.id = g.client_id
             join people p on p.id = g.person_id
             where g.person_id = $1 and {IN_FORCE} and exists (
                 select from oauth_secrets s where s.grant_id = g.id and s.kind <> $2
                     and s.used_at is null and s.expires_at > $3)
             order by g.created_at desc, g.id"
        );
        let rows =
            sqlx::query(&sql).bind(person.uuid()).bind("code").bind(now).fetch_all(&self.0).await?;
        let consent = |row: &sqlx::postgres::PgRow| {
            let names: Vec<String> = row.try_get("scopes")?;
            Ok(Consent {
                id: ConsentId(row.try_get("id")?),
                client_id: row.try_get("client_id")?,
                name: row.try_get("name")?,
                scopes: scopes(&names),
                since: row.try_get("created_at")?,
                until: row.try_get("expires_at")?,
            })
        };
        rows.iter().map(consent).collect()
    }

    /// Ends one of somebody's; whether it was theirs and still counted.
    pub(crate) async fn end(
        &self,
        person: PersonId,
        id: ConsentId,
        now: Timestamp,
    ) -> sqlx::Result<bool> {
        let ended = sqlx::query(
            "update oauth_grants set revoked_at = $3
             where id = $1 and person_id = $2 and revoked_at is null",
        )
        .bind(id.0)
        .bind(person.uuid())
        .bind(now)
        .execute(&self.0)
        .await?;
        Ok(ended.rows_affected() == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let text = "grant_01935c3a5e7c7d3e8f00a1b2c3d4e5f6";
        assert_eq!(text.parse::<ConsentId>().unwrap().to_string(), text);
        for bad in [
            "01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "grant_01935C3A5E7C7D3E8F00A1B2C3D4E5F6",
            "grant_01935c3a-5e7c-7d3e-8f00-a1b2c3d4e5f6",
            "grant_",
        ] {
            assert_eq!(bad.parse::<ConsentId>(), Err(ConsentIdError), "{bad}");
        }
    }
}
