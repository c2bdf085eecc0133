//! What a shop's own programs asked of the API, for who writes them: when, what, how it was
//! answered, by which key. Never a body.
//!
//! A request hands its line over and waits for nothing. A task of the process writes what came in
//! together; if it cannot keep up, lines are dropped and counted, and if the process dies, what
//! was not written is lost. So this is a help and no record: what happened to money is in the log.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::TimeDelta;
use ledger_core::{
    clock::{Clock, Timestamp},
    ids::RequestId,
};
use sqlx::{PgPool, Row as _, types::Uuid};
use tokio::{
    sync::{mpsc, watch},
    time::{self, Instant},
};

use super::MerchantId;
use crate::shutdown;

/// How many lines wait to be written; further ones are dropped.
const QUEUE_MAX: usize = 4_096;
/// How many are written at once.
const BATCH_MAX: usize = 1_000;
/// For how long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(200);
/// How often old lines are deleted.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// How many lines of a shop are kept …
const KEPT_MAX: i64 = 10_000;
/// … and for how many days.
const KEPT_DAYS: i64 = 30;

/// A request of a shop's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// The id that its answer had.
    pub request_id: RequestId,
    /// When it was answered.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// The route, with `{id}` and not with an id.
    pub route: String,
    /// The answer's status.
    pub status: u16,
    /// The problem's code, if it was answered with one.
    pub code: Option<String>,
    /// Which of the shop's keys it was.
    pub key_id: String,
    /// How long it took.
    pub micros: u64,
}

/// A line on its way into the table.
type Line = (MerchantId, ApiRequest);

/// The log of a service; cheap to clone.
#[derive(Clone)]
pub struct ApiLog {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    stopping: watch::Receiver<bool>,
    sender: Arc<OnceLock<mpsc::Sender<Line>>>,
}

impl ApiLog {
    /// Writes to the database of `pool` until `stopping` turns true.
    pub fn new(pool: PgPool, clock: Arc<dyn Clock>, stopping: watch::Receiver<bool>) -> Self {
        Self { pool, clock, stopping, sender: Arc::default() }
    }

    /// The moment that lines are written with.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes a request, without waiting. The first one starts the task that writes.
    pub(crate) fn note(&self, shop: MerchantId, request: ApiRequest) {
        let sender = self.sender.get_or_init(|| {
            let (sender, lines) = mpsc::channel(QUEUE_MAX);
            tokio::spawn(self.clone().write(lines));
            sender
        });
        if sender.try_send((shop, request)).is_err() {
            metrics::counter!("bahi_api_log_dropped_total").increment(1);
        }
    }

    /// Writes what comes in until the service stops, then what had come.
    async fn write(mut self, mut lines: mpsc::Receiver<Line>) {
        let mut batch = Vec::new();
        let (mut seen, mut trimmed) = (BTreeSet::new(), Instant::now());
        loop {
            tokio::select! {
                more = lines.recv_many(&mut batch, BATCH_MAX) => if more == 0 { return },
                () = shutdown::wait(&mut self.stopping) => lines.close(),
            }
            if !lines.is_closed() {
                time::sleep(GATHER).await;
            }
            while batch.len() < BATCH_MAX {
                let Ok(line) = lines.try_recv() else { break };
                batch.push(line);
            }
            seen.extend(batch.iter().map(|(shop, _)| *shop));
            let count = batch.len();
            if let Err(error) = self.insert(std::mem::take(&mut batch)).await {
                let dropped = u64::try_from(count).unwrap_or(u64::MAX);
                metrics::counter!("bahi_api_log_dropped_total").increment(dropped);
                let error = projections::describe(&error);
                tracing::warn!(%error, count, "requests of shops were not noted");
            }
            if trimmed.elapsed() >= TRIM_EVERY {
                trimmed = Instant::now();
                if let Err(error) = self.trim(std::mem::take(&mut seen)).await {
                    let error = projections::describe(&error);
                    tracing::warn!(%error, "old requests of shops were not deleted");
                }
            }
            if lines.is_closed() && lines.is_empty() {
                return;
            }
        }
    }

    async fn insert(&self, batch: Vec<Line>) -> sqlx::Result<()> {
        if batch.is_empty() {
            return Ok(());
        }
        let column = |part: fn(&Line) -> Uuid| batch.iter().map(part).collect::<Vec<Uuid>>();
        let text = |part: fn(&Line) -> String| batch.iter().map(part).collect::<Vec<String>>();
        let status = batch.iter().map(|(_, one)| i16::try_from(one.status).unwrap_or_default());
        let micros = batch.iter().map(|(_, one)| i64::try_from(one.micros).unwrap_or(i64::MAX));
        sqlx::query(
            "insert into api_requests
                 (merchant, request_id, at, method, route, status, code, key_id, micros)
             select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[],
                 $5::text[], $6::smallint[], $7::text[], $8::text[], $9::bigint[])",
        )
        .bind(column(|(shop, _)| shop.uuid()))
        .bind(column(|(_, one)| one.request_id.uuid()))
        .bind(batch.iter().map(|(_, one)| one.at).collect::<Vec<_>>())
        .bind(text(|(_, one)| one.method.clone()))
        .bind(text(|(_, one)| one.route.clone()))
        .bind(status.collect::<Vec<_>>())
        .bind(batch.iter().map(|(_, one)| one.code.clone()).collect::<Vec<_>>())
        .bind(text(|(_, one)| one.key_id.clone()))
        .bind(micros.collect::<Vec<_>>())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Deletes what is too old, and what is beyond the bound of these shops.
    ///
    /// # Errors
    /// What the database says.
    pub async fn trim(&self, shops: BTreeSet<MerchantId>) -> sqlx::Result<()> {
        let due = self.now().checked_sub_signed(TimeDelta::days(KEPT_DAYS));
        sqlx::query("delete from api_requests where at < $1")
            .bind(due.unwrap_or(Timestamp::UNIX_EPOCH))
            .execute(&self.pool)
            .await?;
        for shop in shops {
            let sql = "delete from api_requests where merchant = $1 and number <= (
                           select number from api_requests where merchant = $1
                           order by number desc offset $2 limit 1)";
            sqlx::query(sql).bind(shop.uuid()).bind(KEPT_MAX).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// What a shop's programs asked, the last first, `limit` at most; of one id, if it is named.
    /// With each its number, behind which older ones follow.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(
        &self,
        shop: MerchantId,
        (id, failed): (Option<RequestId>, bool),
        before: Option<i64>,
        limit: u32,
    ) -> sqlx::Result<Vec<(i64, ApiRequest)>> {
        let rows = sqlx::query(
            "select number, request_id, at, method, route, status, code, key_id, micros
             from api_requests
             where merchant = $1 and ($2::uuid is null or request_id = $2)
               and ($3::bigint is null or number < $3) and (not $4 or status >= 400)
             order by number desc limit $5",
        )
        .bind(shop.uuid())
        .bind(id.map(RequestId::uuid))
        .bind(before)
        .bind(failed)
        .bind(i64::from(limit))
        .fetch_all(&self.pool)
        .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (status, micros): (i16, i64) = (row.try_get("status")?, row.try_get("micros")?);
            let request = ApiRequest {
                request_id: RequestId::from_uuid(row.try_get("request_id")?),
                at: row.try_get("at")?,
                method: row.try_get("method")?,
                route: row.try_get("route")?,
                status: u16::try_from(status).unwrap_or_default(),
                code: row.try_get("code")?,
                key_id: row.try_get("key_id")?,
                micros: u64::try_from(micros).unwrap_or_default(),
            };
            found.push((row.try_get("number")?, request));
        }
        Ok(found)
    }
}
