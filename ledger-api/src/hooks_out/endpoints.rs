//! The endpoints (`migrations/20_webhook_endpoints.sql`): made, changed, ended, and their secrets.

use chrono::{DateTime, TimeDelta, Utc};
use ledger_core::{command::Idempotency, log::Position};
use sqlx::{PgPool, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    Change, CreateError, Created, Endpoint, EndpointId, EndpointStatus, EventTypes, NewEndpoint,
    Opened, RotateError, SECRETS_MAX, Why,
    secrets::{self, Sealed},
};
use crate::{vault::WrappingKey, webhooks::signature::public_text};

/// How long a secret is signed with beside the one that took its place.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

const SELECT: &str = "
    select e.id, e.owner, e.account_prefix, e.url, e.description, e.event_types, e.status,
           e.disabled_reason, e.disabled_at, e.position, e.created_at, s.public_key
    from webhook_endpoints e
    left join webhook_secrets s on s.endpoint_id = e.id and s.expires_at is null";

/// All endpoints; cheap to clone.
#[derive(Debug, Clone)]
pub struct Endpoints {
    pool: PgPool,
    key: WrappingKey,
}

impl Endpoints {
    /// Those of a database, of the installation with this secret.
    pub fn new(pool: PgPool, secret: &[u8; 32]) -> Self {
        Self { pool, key: WrappingKey::derive(secret) }
    }

    /// Makes one, once for each key of its owner.
    ///
    /// # Errors
    /// [`CreateError`].
    pub async fn create(&self, new: &NewEndpoint) -> Result<Created, CreateError> {
        let (sealed, _) = secrets::make(&self.key, new.id, new.secret_id)?;
        let Idempotency { key, fingerprint } = &new.idempotency;
        let made = sqlx::query(
            "with made as (
                 insert into webhook_endpoints
                     (id, owner, account_prefix, url, description, event_types, position,
                      created_at, idempotency_key, fingerprint)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 on conflict (owner, idempotency_key) do nothing
                 returning id
             )
             insert into webhook_secrets
                 (id, endpoint_id, sealed_secret, sealed_seed, public_key, created_at)
             select $11, id, $12, $13, $14, $8 from made",
        )
        .bind(new.id.uuid())
        .bind(&new.owner)
        .bind(&new.account_prefix)
        .bind(&new.url)
        .bind(&new.description)
        .bind(new.event_types.names())
        .bind(signed(new.position))
        .bind(new.at)
        .bind(key.as_str())
        .bind(fingerprint.as_slice())
        .bind(sealed.id)
        .bind(sealed.secret)
        .bind(sealed.seed)
        .bind(sealed.public_key)
        .execute(&self.pool)
        .await?;
        let replayed = made.rows_affected() == 0;
        let id = if replayed { self.made_before(new).await? } else { new.id };
        let endpoint = self.find(id).await?.ok_or(sqlx::Error::RowNotFound)?;
        let secret = self.secrets(id, new.at).await?.into_iter().next();
        Ok(Created { endpoint, secret, replayed })
    }

    async fn made_before(&self, new: &NewEndpoint) -> Result<EndpointId, CreateError> {
        let Idempotency { key, fingerprint } = &new.idempotency;
        let row = sqlx::query(
            "select id, fingerprint from webhook_endpoints
             where owner = $1 and idempotency_key = $2",
        )
        .bind(&new.owner)
        .bind(key.as_str())
        .fetch_one(&self.pool)
        .await?;
        let stored: Vec<u8> = row.try_get("fingerprint")?;
        let same = stored.as_slice() == fingerprint.as_slice();
        if same {
            Ok(EndpointId::from_uuid(row.try_get("id")?))
        } else {
            Err(CreateError::KeyReused)
        }
    }

    async fn find(&self, id: EndpointId) -> sqlx::Result<Option<Endpoint>> {
        let sql = format!("{SELECT} where e.id = $1");
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_optional(&self.pool).await?;
        row.as_ref().map(endpoint).transpose()
    }

    /// One of an owner's; deleted ones are nobody's.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn get(&self, owner: &str, id: EndpointId) -> sqlx::Result<Option<Endpoint>> {
        let found = self.find(id).await?;
        Ok(found.filter(|e| e.owner == owner && e.status != EndpointStatus::Deleted))
    }

    /// An owner's, the newest first: at most so many, older than `before`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(
        &self,
        owner: &str,
        before: Option<EndpointId>,
        limit: u32,
    ) -> sqlx::Result<Vec<Endpoint>> {
        let sql = format!(
            "{SELECT}
             where e.owner = $1 and e.status <> 'deleted' and ($2::uuid is null or e.id < $2)
             order by e.id desc limit $3"
        );
        let query = sqlx::query(&sql).bind(owner).bind(before.map(EndpointId::uuid));
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(endpoint).collect()
    }

    /// Those that are sent something, the furthest behind first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub(super) async fn enabled_behind(&self, head: Position) -> sqlx::Result<Vec<Endpoint>> {
        let sql =
            format!("{SELECT} where e.status = 'enabled' and e.position < $1 order by e.position");
        let rows = sqlx::query(&sql).bind(signed(head)).fetch_all(&self.pool).await?;
        rows.iter().map(endpoint).collect()
    }

    /// Changes one. Enabling begins the schedule of all that did not arrive again.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn change(
        &self,
        id: EndpointId,
        (change, known): (&Change, Option<&Endpoint>),
        now: DateTime<Utc>,
    ) -> sqlx::Result<bool> {
        let mut db_tx = self.pool.begin().await?;
        let changed = sqlx::query(
            "update webhook_endpoints set url = coalesce($2, url),
                 description = coalesce($3, description), event_types = coalesce($4, event_types)
             where id = $1 and status <> 'deleted' and ($5::text is null or (
                 url = $5 and description = $6 and event_types = $7 and status = $8))",
        )
        .bind(id.uuid())
        .bind(&change.url)
        .bind(&change.description)
        .bind(change.event_types.as_ref().map(EventTypes::names))
        .bind(known.map(|known| &known.url))
        .bind(known.map(|known| &known.description))
        .bind(known.map(|known| known.event_types.names()))
        .bind(known.map(|known| known.status.as_str()))
        .execute(&mut *db_tx)
        .await?;
        if known.is_some() && changed.rows_affected() == 0 {
            return Ok(false);
        }
        match change.enabled {
            Some(true) => enable_in_tx(&mut db_tx, id, now).await?,
            Some(false) => {
                disable(&mut *db_tx, id, Why::Owner, now).await?;
            }
            None => {}
        }
        db_tx.commit().await?;
        Ok(true)
    }

    /// Ends one for ever: its secrets and its deliveries are gone.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn delete(&self, id: EndpointId) -> sqlx::Result<()> {
        let mut db_tx = self.pool.begin().await?;
        for sql in [
            "update webhook_endpoints set status = 'deleted', disabled_reason = null,
                 disabled_at = null, url = '', description = '' where id = $1",
            "delete from webhook_secrets where endpoint_id = $1",
            "delete from webhook_deliveries where endpoint_id = $1",
        ] {
            sqlx::query(sql).bind(id.uuid()).execute(&mut *db_tx).await?;
        }
        db_tx.commit().await
    }

    /// Gives one a new secret; the one before is signed with as well for a day.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn rotate(
        &self,
        id: EndpointId,
        secret_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Opened, RotateError> {
        let (sealed, opened) = secrets::make(&self.key, id, secret_id)?;
        let mut db_tx = self.pool.begin().await?;
        // One at a time: the row of the endpoint is who comes first.
        let lock =
            "select 1 from webhook_endpoints where id = $1 and status <> 'deleted' for update";
        sqlx::query(lock).bind(id.uuid()).fetch_one(&mut *db_tx).await?;
        let sql = "delete from webhook_secrets where endpoint_id = $1 and expires_at <= $2";
        sqlx::query(sql).bind(id.uuid()).bind(now).execute(&mut *db_tx).await?;
        let sql = "select count(*) from webhook_secrets where endpoint_id = $1";
        let query = sqlx::query_scalar(sql).bind(id.uuid());
        let in_force: i64 = query.fetch_one(&mut *db_tx).await?;
        if usize::try_from(in_force).is_ok_and(|count| count >= SECRETS_MAX) {
            return Err(RotateError::TooMany);
        }
        let until = now.checked_add_signed(OVERLAP).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let sql = "update webhook_secrets set expires_at = $2
                   where endpoint_id = $1 and expires_at is null";
        sqlx::query(sql).bind(id.uuid()).bind(until).execute(&mut *db_tx).await?;
        let Sealed { id: secret, secret: sealed_secret, seed, public_key } = sealed;
        sqlx::query(
            "insert into webhook_secrets
                 (id, endpoint_id, sealed_secret, sealed_seed, public_key, created_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(secret)
        .bind(id.uuid())
        .bind(sealed_secret)
        .bind(seed)
        .bind(public_key)
        .bind(now)
        .execute(&mut *db_tx)
        .await?;
        db_tx.commit().await?;
        Ok(opened)
    }

    /// The secrets in force, the newest first.
    ///
    /// # Errors
    /// If the database does not answer, or one does not open.
    pub(super) async fn secrets(
        &self,
        id: EndpointId,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Vec<Opened>> {
        let rows = sqlx::query(
            "select id, endpoint_id, sealed_secret, sealed_seed from webhook_secrets
             where endpoint_id = $1 and (expires_at is null or expires_at > $2)
             order by expires_at desc nulls first",
        )
        .bind(id.uuid())
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| secrets::open(&self.key, row)).collect()
    }
}

/// Disables one that is enabled; whether it was.
pub(super) async fn disable(
    db: impl sqlx::PgExecutor<'_>,
    id: EndpointId,
    why: Why,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update webhook_endpoints set status = 'disabled', disabled_reason = $2, disabled_at = $3
         where id = $1 and status = 'enabled'",
    )
    .bind(id.uuid())
    .bind(why.as_str())
    .bind(now)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn enable_in_tx(
    db: &mut sqlx::PgConnection,
    id: EndpointId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let enabled = sqlx::query(
        "update webhook_endpoints
         set status = 'enabled', disabled_reason = null, disabled_at = null
         where id = $1 and status = 'disabled'",
    )
    .bind(id.uuid())
    .execute(&mut *db)
    .await?;
    if enabled.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        "update webhook_deliveries set state = 'pending', tries = 0, next_at = $2, ended_at = null
         where endpoint_id = $1 and state in ('pending', 'failed')",
    )
    .bind(id.uuid())
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// A position or sequence as PostgreSQL's integer; none is past it.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn endpoint(row: &PgRow) -> sqlx::Result<Endpoint> {
    let public_key: Option<Vec<u8>> = row.try_get("public_key")?;
    let position: i64 = row.try_get("position")?;
    Ok(Endpoint {
        id: EndpointId::from_uuid(row.try_get("id")?),
        owner: row.try_get("owner")?,
        account_prefix: row.try_get("account_prefix")?,
        url: row.try_get("url")?,
        description: row.try_get("description")?,
        event_types: EventTypes::stored(row.try_get("event_types")?),
        status: status(row)?,
        disabled_at: row.try_get("disabled_at")?,
        position: u64::try_from(position).unwrap_or_default(),
        created_at: row.try_get("created_at")?,
        public_key: public_key.map(|key| public_text(&key)),
    })
}

fn status(row: &PgRow) -> sqlx::Result<EndpointStatus> {
    let why: Option<&str> = row.try_get("disabled_reason")?;
    match (row.try_get("status")?, why.and_then(Why::parse)) {
        ("enabled", _) => Ok(EndpointStatus::Enabled),
        ("disabled", Some(why)) => Ok(EndpointStatus::Disabled(why)),
        ("deleted", _) => Ok(EndpointStatus::Deleted),
        _ => Err(sqlx::Error::ColumnDecode {
            index: "status".to_owned(),
            source: "an endpoint is in no known state".into(),
        }),
    }
}
