//! Whose access token it is, for every request that shows one.

use std::sync::Arc;

use ledger_core::clock::Clock;
use sqlx::{PgPool, Row as _};

use super::{
    super::secrets::{hash, is_well_formed},
    grants::{ACCESS_PREFIX, IN_FORCE, scopes},
};
use crate::{identity::ScopeSet, people::PersonId};

/// What the names of tokens start with.
const ID_PREFIX: &str = "tok_";

/// The access tokens in force; cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

impl Tokens {
    pub(crate) const fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock }
    }

    /// Whether a text looks like one of these tokens, and not like a key of a service.
    pub fn is_one(text: &str) -> bool {
        text.strip_prefix(ACCESS_PREFIX).is_some_and(is_well_formed)
    }

    /// Whose token it is and what it may do; nothing if it is not in force. It is looked up each
    /// time: what was ended is dead at once in all processes.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn verify(&self, token: &str) -> sqlx::Result<Option<(PersonId, ScopeSet)>> {
        if !Self::is_one(token) {
            return Ok(None);
        }
        self.find(&hash(token)).await
    }

    /// What a token is called where it must not stand itself.
    pub fn id_of(token: &str) -> String {
        format!("{ID_PREFIX}{}", hex::encode(hash(token)))
    }

    /// Whether the token that is called so is still in force; nothing if it is no such name.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn in_force(&self, id: &str) -> sqlx::Result<Option<bool>> {
        let bytes = id.strip_prefix(ID_PREFIX).and_then(|text| hex::decode(text).ok());
        match bytes {
            Some(hash) => Ok(Some(self.find(&hash).await?.is_some())),
            None => Ok(None),
        }
    }

    async fn find(&self, sha256: &[u8]) -> sqlx::Result<Option<(PersonId, ScopeSet)>> {
        let sql = format!(
            "select g.person_id, g.scopes from oauth_secrets s
             join oauth_grants g on g.id = s.grant_id
             join oauth_clients c on c.id = g.client_id
             join people p on p.id = g.person_id
             where s.sha256 = $1 and s.kind = $2 and s.expires_at > $3 and {IN_FORCE}"
        );
        let row = sqlx::query(&sql)
            .bind(sha256)
            .bind("access")
            .bind(self.clock.now())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let names: Vec<String> = row.try_get("scopes")?;
        Ok(Some((PersonId::from_uuid(row.try_get("person_id")?), scopes(&names))))
    }
}
