//! What people let frontends do, and the codes and tokens that come of it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use ledger_core::clock::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool, Row as _, types::Uuid};
use subtle::ConstantTimeEq as _;

use super::super::secrets::{Hidden, NoRandom, fresh, hash};
use crate::{
    identity::{Scope, ScopeSet},
    people::PersonId,
};

/// How long a code waits.
const CODE: TimeDelta = TimeDelta::seconds(60);
/// How long an access token lasts.
pub(crate) const ACCESS: TimeDelta = TimeDelta::minutes(15);
/// How long a refresh token waits.
const REFRESH: TimeDelta = TimeDelta::days(30);
/// How long a consent lasts, however often it is refreshed.
const GRANT: TimeDelta = TimeDelta::days(90);

/// What access tokens start with, so that they are known where they must not be.
pub(super) const ACCESS_PREFIX: &str = "bahi_user_";
const REFRESH_PREFIX: &str = "bahi_refresh_";

/// Why no token was given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    /// What was shown is not worth one.
    #[error("the code or the token is not in force")]
    Refused,
    /// What was shown was used before: everything that came of the consent has ended.
    #[error("the code or the token was used before")]
    Reused,
    #[error(transparent)]
    Random(#[from] NoRandom),
    #[error("the tokens could not be asked for")]
    Database(#[from] sqlx::Error),
}

/// Tokens that were just made; told once.
pub(crate) struct Issued {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) scopes: ScopeSet,
}

/// What is shown for a code to become tokens.
pub(crate) struct Redemption<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
}

/// The tables; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Grants(PgPool);

/// A secret that was found, and locked until the transaction ends.
struct Found {
    grant: Uuid,
    scopes: ScopeSet,
    redirect_uri: Option<String>,
    challenge: Option<String>,
    in_force: bool,
    used: bool,
}

impl Grants {
    pub(crate) const fn new(pool: PgPool) -> Self {
        Self(pool)
    }

    /// Notes a consent; the code that it is worth.
    pub(crate) async fn consent(
        &self,
        (id, client_id, person): (Uuid, &str, PersonId),
        scopes: ScopeSet,
        (redirect_uri, challenge): (&str, &str),
        now: Timestamp,
    ) -> Result<Hidden, TokenError> {
        let code = fresh()?;
        let names: Vec<&str> = scopes.iter().map(Scope::as_str).collect();
        sqlx::query(
            "with past as (delete from oauth_grants where expires_at <= $5),
                  ended as (delete from oauth_secrets where expires_at <= $5),
                  made as (
                 insert into oauth_grants
                     (id, client_id, person_id, scopes, created_at, expires_at)
                 values ($1, $2, $3, $4, $5, $5 + $6) returning id
             )
             insert into oauth_secrets
                 (sha256, kind, grant_id, redirect_uri, challenge, expires_at)
             select $7, 'code', id, $8, $9, $5 + $10 from made",
        )
        .bind(id)
        .bind(client_id)
        .bind(person.uuid())
        .bind(&names)
        .bind(now)
        .bind(GRANT)
        .bind(hash(code.reveal()).as_slice())
        .bind(redirect_uri)
        .bind(challenge)
        .bind(CODE)
        .execute(&self.0)
        .await?;
        Ok(code)
    }

    /// Makes tokens of a code, once.
    pub(crate) async fn redeem(
        &self,
        shown: &Redemption<'_>,
        now: Timestamp,
    ) -> Result<Issued, TokenError> {
        let mut db_tx = self.0.begin().await?;
        let found = find(&mut db_tx, ("code", shown.client_id, shown.code), now).await?;
        let found = found.ok_or(TokenError::Refused)?;
        if found.used {
            end(&mut db_tx, found.grant, now).await?;
            db_tx.commit().await?;
            return Err(TokenError::Reused);
        }
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(shown.verifier.as_bytes()));
        let expected = found.challenge.as_deref().unwrap_or_default();
        let fits = found.redirect_uri.as_deref() == Some(shown.redirect_uri)
            && bool::from(challenge.as_bytes().ct_eq(expected.as_bytes()));
        // Who has the code and not its verifier has stolen it: it is worth nothing any more.
        used(&mut db_tx, shown.code, now).await?;
        if !fits || !found.in_force {
            db_tx.commit().await?;
            return Err(TokenError::Refused);
        }
        let issued = issue(&mut db_tx, &found, now).await?;
        db_tx.commit().await?;
        Ok(issued)
    }

    /// Makes tokens of a refresh token, once: the new one takes its place.
    pub(crate) async fn refresh(
        &self,
        client_id: &str,
        token: &str,
        now: Timestamp,
    ) -> Result<Issued, TokenError> {
        let mut db_tx = self.0.begin().await?;
        let found = find(&mut db_tx, ("refresh", client_id, token), now).await?;
        let found = found.ok_or(TokenError::Refused)?;
        if found.used {
            end(&mut db_tx, found.grant, now).await?;
            db_tx.commit().await?;
            return Err(TokenError::Reused);
        }
        if !found.in_force {
            return Err(TokenError::Refused);
        }
        used(&mut db_tx, token, now).await?;
        let issued = issue(&mut db_tx, &found, now).await?;
        db_tx.commit().await?;
        Ok(issued)
    }

    /// Ends the consent that a token of a client came of. What is not known is no error.
    pub(crate) async fn revoke(
        &self,
        client_id: &str,
        token: &str,
        now: Timestamp,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "update oauth_grants g set revoked_at = $3
             where g.client_id = $2 and g.revoked_at is null and g.id =
                 (select s.grant_id from oauth_secrets s where s.sha256 = $1)",
        )
        .bind(hash(token).as_slice())
        .bind(client_id)
        .bind(now)
        .execute(&self.0)
        .await?;
        Ok(())
    }
}

/// What must be true of a consent for anything of it to count.
pub(super) const IN_FORCE: &str = "g.revoked_at is null and g.expires_at > $3 \
    and c.revoked_at is null and p.status = 'active' and not exists ( \
        select from credentials k where k.person_id = g.person_id and k.changed_at > g.created_at)";

/// The secret of this kind and client, locked, so that of two who come with it one is the second.
async fn find(
    db_tx: &mut PgConnection,
    (kind, client_id, secret): (&str, &str, &str),
    now: Timestamp,
) -> Result<Option<Found>, TokenError> {
    let sql = format!(
        "select s.grant_id, s.redirect_uri, s.challenge, s.used_at is not null as used, g.scopes,
             s.expires_at > $3 and {IN_FORCE} as in_force
         from oauth_secrets s
         join oauth_grants g on g.id = s.grant_id
         join oauth_clients c on c.id = g.client_id
         join people p on p.id = g.person_id
         where s.sha256 = $1 and s.kind = $2 and g.client_id = $4
         for update of s"
    );
    let row = sqlx::query(&sql)
        .bind(hash(secret).as_slice())
        .bind(kind)
        .bind(now)
        .bind(client_id)
        .fetch_optional(db_tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let names: Vec<String> = row.try_get("scopes")?;
    Ok(Some(Found {
        grant: row.try_get("grant_id")?,
        scopes: scopes(&names),
        redirect_uri: row.try_get("redirect_uri")?,
        challenge: row.try_get("challenge")?,
        in_force: row.try_get("in_force")?,
        used: row.try_get("used")?,
    }))
}

/// Those that there still are.
pub(super) fn scopes(names: &[String]) -> ScopeSet {
    let known: Vec<Scope> = names.iter().filter_map(|name| name.parse().ok()).collect();
    ScopeSet::of(&known)
}

async fn used(db_tx: &mut PgConnection, secret: &str, now: Timestamp) -> sqlx::Result<()> {
    sqlx::query("update oauth_secrets set used_at = $2 where sha256 = $1")
        .bind(hash(secret).as_slice())
        .bind(now)
        .execute(db_tx)
        .await
        .map(drop)
}

async fn end(db_tx: &mut PgConnection, grant: Uuid, now: Timestamp) -> sqlx::Result<()> {
    tracing::warn!(%grant, "a used code or token came again: what came of the consent has ended");
    sqlx::query("update oauth_grants set revoked_at = coalesce(revoked_at, $2) where id = $1")
        .bind(grant)
        .bind(now)
        .execute(db_tx)
        .await
        .map(drop)
}

async fn issue(
    db_tx: &mut PgConnection,
    found: &Found,
    now: Timestamp,
) -> Result<Issued, TokenError> {
    let access = format!("{ACCESS_PREFIX}{}", fresh()?.reveal());
    let refresh = format!("{REFRESH_PREFIX}{}", fresh()?.reveal());
    sqlx::query(
        "insert into oauth_secrets (sha256, kind, grant_id, expires_at)
         values ($1, 'access', $3, $4 + $5), ($2, 'refresh', $3, $4 + $6)",
    )
    .bind(hash(&access).as_slice())
    .bind(hash(&refresh).as_slice())
    .bind(found.grant)
    .bind(now)
    .bind(ACCESS)
    .bind(REFRESH)
    .execute(db_tx)
    .await?;
    Ok(Issued { access, refresh, scopes: found.scopes })
}
