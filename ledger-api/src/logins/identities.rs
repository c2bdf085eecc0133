//! Which account at which provider is whose. By the provider's own number for it, never by an
//! e-mail address: addresses are changed and given to others.

use ledger_core::clock::Timestamp;
use sqlx::{PgPool, Row as _, types::Uuid};

use super::provider::Identity;
use crate::people::PersonId;

/// Why an account was not linked or unlinked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It is somebody else's login.
    #[error("this account is the login of somebody else")]
    Taken,
    /// There is another of this provider already.
    #[error("another account of this provider is linked already")]
    Another,
    /// There is none.
    #[error("no account of this provider is linked")]
    Missing,
    /// Nobody could log in any more.
    #[error("this is the only way left to log in")]
    Last,
    /// The database said no.
    #[error("the linked logins could not be asked for")]
    Database(#[from] sqlx::Error),
}

/// A linked login, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The provider's name in the configuration.
    pub provider: String,
    /// Since when.
    pub created_at: Timestamp,
}

/// The table.
#[derive(Debug, Clone)]
pub(super) struct Identities(pub(super) PgPool);

impl Identities {
    /// Whose login an account is.
    pub(super) async fn person_of(&self, identity: &Identity) -> sqlx::Result<Option<PersonId>> {
        let found: Option<Uuid> = sqlx::query_scalar(
            "select person_id from login_identities where issuer = $1 and subject = $2",
        )
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .fetch_optional(&self.0)
        .await?;
        Ok(found.map(PersonId::from_uuid))
    }

    /// Makes an account the login of a person. Again is no error.
    pub(super) async fn link(
        &self,
        person: PersonId,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        let linked = sqlx::query(
            "insert into login_identities (issuer, subject, provider, person_id, created_at)
             values ($1, $2, $3, $4, $5)
             on conflict (issuer, subject) do nothing",
        )
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .bind(&identity.provider)
        .bind(person.uuid())
        .bind(now)
        .execute(&self.0)
        .await;
        let linked = linked.map_err(|error| {
            let clash = error.as_database_error().and_then(|error| error.constraint());
            if clash == Some("login_identities_one_key") {
                LinkError::Another
            } else {
                LinkError::Database(error)
            }
        })?;
        if linked.rows_affected() == 1 || self.person_of(identity).await? == Some(person) {
            return Ok(());
        }
        Err(LinkError::Taken)
    }

    /// A person's, by provider.
    pub(super) async fn of(&self, person: PersonId) -> sqlx::Result<Vec<Linked>> {
        let rows = sqlx::query(
            "select provider, created_at from login_identities where person_id = $1
             order by provider",
        )
        .bind(person.uuid())
        .fetch_all(&self.0)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Linked {
                    provider: row.try_get("provider")?,
                    created_at: row.try_get("created_at")?,
                })
            })
            .collect()
    }

    /// Unlinks a person's account at a provider, unless they could not log in then.
    pub(super) async fn unlink(&self, person: PersonId, provider: &str) -> Result<(), LinkError> {
        let mut db_tx = self.0.begin().await?;
        // Two that are unlinked at once must not each take the other for the way that is left.
        sqlx::query("select from people where id = $1 for update")
            .bind(person.uuid())
            .execute(&mut *db_tx)
            .await?;
        let unlinked =
            sqlx::query("delete from login_identities where person_id = $1 and provider = $2")
                .bind(person.uuid())
                .bind(provider)
                .execute(&mut *db_tx)
                .await?;
        if unlinked.rows_affected() == 0 {
            return Err(LinkError::Missing);
        }
        let is_left: bool = sqlx::query_scalar(
            "select exists (select from credentials where person_id = $1)
                 or exists (select from login_identities where person_id = $1)",
        )
        .bind(person.uuid())
        .fetch_one(&mut *db_tx)
        .await?;
        if !is_left {
            return Err(LinkError::Last);
        }
        db_tx.commit().await?;
        Ok(())
    }

    /// Unlinks all of a person's and ends what frontends were let do: for an account that is
    /// closed, or whose true owner has come.
    pub(super) async fn end_all(&self, person: PersonId, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query(
            "with ended as (
                 update oauth_grants set revoked_at = $2
                 where person_id = $1 and revoked_at is null
             ), given_up as (delete from login_attempts where person_id = $1)
             delete from login_identities where person_id = $1",
        )
        .bind(person.uuid())
        .bind(now)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}
