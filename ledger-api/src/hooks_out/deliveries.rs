//! The deliveries (`migrations/20_webhook_endpoints.sql`): what is to be sent, who sends it just
//! now, and what was answered.
//!
//! Any number of processes may work on them. Who takes one has it for as long as a call can take;
//! when a process is killed, another takes it after that, and the receiver may get it twice. Leases
//! go by the database's clock, which all processes share; the schedule by the service's.

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    Attempt, Attempted, Delivery, DeliveryId, DeliveryState, EndpointId, Why,
    endpoints::{self, signed},
    messages::Message,
    schedule,
};

/// How long a delivery is somebody's, in seconds: longer than a call takes ([`PATIENCE`]), with
/// what is written after it.
///
/// [`PATIENCE`]: super::client::PATIENCE
const LEASE_S: i32 = 25;
/// How many of an endpoint may wait before no more are made: it bounds what a dead receiver costs.
/// The log keeps the rest.
pub(super) const PENDING_MAX: i64 = 1_000;
/// How long what has arrived stays in the delivery log, and how much is swept at once.
const KEPT_DAYS: i32 = 30;
const SWEPT_MAX: i64 = 1_000;

const COLUMNS: &str = "id, endpoint_id, message_id, event_type, object_id, seq, position, body, \
                       state, attempts, next_at, created_at, ended_at";

/// A delivery that is this process's to send for a while.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) delivery: Delivery,
    pub(super) url: String,
    tries: i32,
    lease: Uuid,
}

/// All deliveries; cheap to clone.
#[derive(Debug, Clone)]
pub struct Deliveries {
    pool: PgPool,
}

impl Deliveries {
    /// Those of a database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// How many of an endpoint wait.
    pub(super) async fn pending(&self, endpoint: EndpointId) -> sqlx::Result<i64> {
        let sql = "select count(*) from webhook_deliveries
                   where endpoint_id = $1 and state = 'pending'";
        sqlx::query_scalar(sql).bind(endpoint.uuid()).fetch_one(&self.pool).await
    }

    /// Writes messages down and moves the endpoint on, if it is where it was; whether it was.
    pub(super) async fn write(
        &self,
        endpoint: EndpointId,
        (from, to): (u64, u64),
        messages: &[(Uuid, &Message)],
        now: DateTime<Utc>,
    ) -> sqlx::Result<bool> {
        let all = |of: fn(&Message) -> String| -> Vec<String> {
            messages.iter().map(|(_, message)| of(message)).collect()
        };
        let ids: Vec<Uuid> = messages.iter().map(|(id, _)| *id).collect();
        let names: Vec<String> =
            messages.iter().map(|(_, message)| message.id_for(endpoint)).collect();
        let moved = sqlx::query_scalar(
            "with moved as (
                 update webhook_endpoints set position = $3
                 where id = $1 and position = $2 and status = 'enabled' returning id
             ), written as (
                 insert into webhook_deliveries (id, endpoint_id, message_id, event_type, object_id,
                                                 seq, position, body, next_at, created_at)
                 select new.id, moved.id, new.message_id, new.event_type, new.object_id, new.seq,
                        new.position, new.body, $4, $4
                 from moved, unnest($5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                                    $10::bigint[], $11::bytea[])
                      as new (id, message_id, event_type, object_id, seq, position, body)
                 on conflict (endpoint_id, message_id) do nothing
             )
             select count(*) = 1 from moved",
        )
        .bind(endpoint.uuid())
        .bind(signed(from))
        .bind(signed(to))
        .bind(now)
        .bind(ids)
        .bind(names)
        .bind(all(|message| message.event_type.to_owned()))
        .bind(all(|message| message.object_id.clone()))
        .bind(messages.iter().map(|(_, message)| signed(message.seq)).collect::<Vec<_>>())
        .bind(messages.iter().map(|(_, message)| signed(message.position)).collect::<Vec<_>>())
        .bind(messages.iter().map(|(_, message)| message.body.to_vec()).collect::<Vec<_>>())
        .fetch_one(&self.pool)
        .await?;
        Ok(moved)
    }

    /// Writes a test message down.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn write_test(
        &self,
        endpoint: EndpointId,
        id: DeliveryId,
        body: &[u8],
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "insert into webhook_deliveries
                 (id, endpoint_id, message_id, event_type, body, next_at, created_at)
             values ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(id.uuid())
        .bind(endpoint.uuid())
        .bind(format!("msg_{}", id.uuid().simple()))
        .bind(super::TEST)
        .bind(body)
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The endpoints that something is due for.
    pub(super) async fn due(&self, now: DateTime<Utc>) -> sqlx::Result<Vec<EndpointId>> {
        let sql = "select id from webhook_endpoints e
                   where status = 'enabled' and exists (
                       select from webhook_deliveries d
                       where d.endpoint_id = e.id and d.state = 'pending' and d.next_at <= $1
                         and (d.leased_until is null or d.leased_until < clock_timestamp())
                         and not exists (
                             select from webhook_deliveries before
                             where before.endpoint_id = d.endpoint_id
                               and before.state = 'pending' and before.object_id = d.object_id
                               and before.position < d.position))";
        let ids: Vec<Uuid> = sqlx::query_scalar(sql).bind(now).fetch_all(&self.pool).await?;
        Ok(ids.into_iter().map(EndpointId::from_uuid).collect())
    }

    /// Takes the next delivery of an endpoint that is due and that no earlier one of its object
    /// stands before.
    pub(super) async fn take(
        &self,
        endpoint: EndpointId,
        lease: Uuid,
        now: DateTime<Utc>,
    ) -> sqlx::Result<Option<Taken>> {
        let sql = format!(
            "with taken as (
                 update webhook_deliveries d
                 set lease = $2, leased_until = clock_timestamp() + make_interval(secs => $4::int)
                 from (
                     select w.id from webhook_deliveries w
                     join webhook_endpoints e on e.id = w.endpoint_id and e.status = 'enabled'
                     where w.endpoint_id = $1 and w.state = 'pending' and w.next_at <= $3
                       and (w.leased_until is null or w.leased_until < clock_timestamp())
                       and not exists (
                           select from webhook_deliveries before
                           where before.endpoint_id = w.endpoint_id and before.state = 'pending'
                             and before.object_id = w.object_id and before.position < w.position)
                     order by w.next_at, w.position limit 1 for update of w skip locked
                 ) due
                 where d.id = due.id
                 returning d.*
             )
             select {COLUMNS}, tries,
                    (select url from webhook_endpoints e where e.id = taken.endpoint_id) as url
             from taken"
        );
        let row = sqlx::query(&sql)
            .bind(endpoint.uuid())
            .bind(lease)
            .bind(now)
            .bind(LEASE_S)
            .fetch_optional(&self.pool)
            .await?;
        let taken = row.map(|row| {
            let (url, tries) = (row.try_get("url")?, row.try_get("tries")?);
            Ok(Taken { delivery: delivery(&row)?, url, tries, lease })
        });
        taken.transpose()
    }

    /// Writes down what came of a call: it has arrived, is due again, or is given up, which
    /// disables the endpoint. Nothing, if the lease is another's by now.
    pub(super) async fn note(
        &self,
        taken: &Taken,
        attempt: &Attempt,
        (began, now): (DateTime<Utc>, DateTime<Utc>),
    ) -> sqlx::Result<Option<Why>> {
        let id = taken.delivery.id.uuid();
        let tries = taken.tries.saturating_add(1);
        let pause = schedule::pause_after(tries, id);
        let (state, why) = match (&attempt.status, pause) {
            (Ok(200..=299), _) => (DeliveryState::Delivered, None),
            (Ok(410), _) => (DeliveryState::Failed, Some(Why::Gone)),
            (_, None) => (DeliveryState::Failed, Some(Why::Failing)),
            (_, Some(_)) => (DeliveryState::Pending, None),
        };
        let next_at = pause.and_then(|pause| now.checked_add_signed(pause)).unwrap_or(now);
        let mut db_tx = self.pool.begin().await?;
        let updated = sqlx::query_scalar(
            "update webhook_deliveries
             set state = $3, tries = $4, attempts = attempts + 1, next_at = $5, lease = null,
                 leased_until = null, ended_at = case when $3 = 'pending' then null else $6 end
             where id = $1 and lease = $2 and state = 'pending' returning attempts",
        )
        .bind(id)
        .bind(taken.lease)
        .bind(state.as_str())
        .bind(tries)
        .bind(next_at)
        .bind(now)
        .fetch_optional(&mut *db_tx)
        .await?;
        let Some(number): Option<i32> = updated else { return Ok(None) };
        insert_attempt(&mut *db_tx, id, number, attempt, began).await?;
        let mut disabled = None;
        if let Some(why) = why
            && endpoints::disable(&mut *db_tx, taken.delivery.endpoint, why, now).await?
        {
            disabled = Some(why);
        }
        db_tx.commit().await?;
        Ok(disabled)
    }

    /// An endpoint's, the newest first: at most so many, older than `before`.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(
        &self,
        endpoint: EndpointId,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> sqlx::Result<Vec<Delivery>> {
        let sql = format!(
            "select {COLUMNS} from webhook_deliveries
             where endpoint_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3"
        );
        let query = sqlx::query(&sql).bind(endpoint.uuid()).bind(before.map(DeliveryId::uuid));
        let rows = query.bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(delivery).collect()
    }

    /// One by its id.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn get(&self, id: DeliveryId) -> sqlx::Result<Option<Delivery>> {
        let sql = format!("select {COLUMNS} from webhook_deliveries where id = $1");
        let row = sqlx::query(&sql).bind(id.uuid()).fetch_optional(&self.pool).await?;
        row.as_ref().map(delivery).transpose()
    }

    /// How often and when these were sent, the first first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn attempts(&self, ids: &[DeliveryId]) -> sqlx::Result<Vec<(DeliveryId, Attempted)>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let sql = "select delivery_id, number, at, duration_ms, status, error, request_headers,
                          response_headers, response_body
                   from webhook_attempts where delivery_id = any($1) order by delivery_id, number";
        let rows = sqlx::query(sql).bind(ids).fetch_all(&self.pool).await?;
        rows.iter().map(attempted).collect()
    }

    /// Sends one again, at once, by the whole schedule if need be.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn redeliver(&self, id: DeliveryId, now: DateTime<Utc>) -> sqlx::Result<()> {
        let sql = "update webhook_deliveries
                   set state = 'pending', tries = 0, next_at = $2, ended_at = null where id = $1";
        sqlx::query(sql).bind(id.uuid()).bind(now).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets what has arrived long ago, a bounded number; how many.
    pub(super) async fn sweep(&self, now: DateTime<Utc>) -> sqlx::Result<u64> {
        let swept = sqlx::query(
            "delete from webhook_deliveries where id in (
                 select id from webhook_deliveries
                 where state = 'delivered' and ended_at < $1 - make_interval(days => $2) limit $3)",
        )
        .bind(now)
        .bind(KEPT_DAYS)
        .bind(SWEPT_MAX)
        .execute(&self.pool)
        .await?;
        Ok(swept.rows_affected())
    }
}

async fn insert_attempt(
    db: impl sqlx::PgExecutor<'_>,
    id: Uuid,
    number: i32,
    attempt: &Attempt,
    began: DateTime<Utc>,
) -> sqlx::Result<()> {
    let status = attempt.status.as_ref().ok().and_then(|status| i16::try_from(*status).ok());
    let error = attempt.status.as_ref().err().map(|error| error.code());
    sqlx::query(
        "insert into webhook_attempts (delivery_id, number, at, duration_ms, status, error,
                                       request_headers, response_headers, response_body)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(number)
    .bind(began)
    .bind(i32::try_from(attempt.took.as_millis()).unwrap_or(i32::MAX))
    .bind(status)
    .bind(error)
    .bind(sqlx::types::Json(&attempt.request_headers))
    .bind(sqlx::types::Json(&attempt.response_headers))
    .bind(&attempt.response_body)
    .execute(db)
    .await?;
    Ok(())
}

fn delivery(row: &PgRow) -> sqlx::Result<Delivery> {
    let state = match row.try_get("state")? {
        "delivered" => DeliveryState::Delivered,
        "failed" => DeliveryState::Failed,
        _ => DeliveryState::Pending,
    };
    Ok(Delivery {
        id: DeliveryId::from_uuid(row.try_get("id")?),
        endpoint: EndpointId::from_uuid(row.try_get("endpoint_id")?),
        message_id: row.try_get("message_id")?,
        event_type: row.try_get("event_type")?,
        object_id: row.try_get("object_id")?,
        seq: row.try_get("seq")?,
        position: row.try_get("position")?,
        body: row.try_get("body")?,
        state,
        attempts: row.try_get("attempts")?,
        next_at: row.try_get("next_at")?,
        created_at: row.try_get("created_at")?,
        ended_at: row.try_get("ended_at")?,
    })
}

fn attempted(row: &PgRow) -> sqlx::Result<(DeliveryId, Attempted)> {
    type Headers = sqlx::types::Json<Vec<(String, String)>>;
    let attempted = Attempted {
        number: row.try_get("number")?,
        at: row.try_get("at")?,
        duration_ms: row.try_get("duration_ms")?,
        status: row.try_get("status")?,
        error: row.try_get("error")?,
        request_headers: row.try_get::<Headers, _>("request_headers")?.0,
        response_headers: row.try_get::<Headers, _>("response_headers")?.0,
        response_body: row.try_get("response_body")?,
    };
    Ok((DeliveryId::from_uuid(row.try_get("delivery_id")?), attempted))
}
