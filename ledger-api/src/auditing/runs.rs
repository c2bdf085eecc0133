//! The table of checks of the whole log: asked for by auditors, taken and finished by a worker,
//! noted by a command.

use ledger_core::clock::Timestamp;
use projections::{Comparison, TableComparison, audit::Report};
use sqlx::{
    FromRow, PgPool,
    types::{Json, Uuid},
};

/// What a check does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// The chain and the books.
    Verify,
    /// The same, and every balance made again and compared with the read models.
    Replay,
    /// Every read model made again in empty tables, and each compared with the live one.
    Rebuild,
}

impl RunKind {
    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Replay => "replay",
            Self::Rebuild => "rebuild",
        }
    }
}

/// Where a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum RunState {
    /// No worker has taken it yet.
    Asked,
    /// It goes on.
    Running,
    /// It came to an end.
    Done,
    /// It could not be made.
    Failed,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// `verify`, `replay` or `rebuild`.
    pub kind: String,
    /// Who asked for it.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// Where it is.
    pub state: RunState,
    /// When it began.
    pub began_at: Option<Timestamp>,
    /// How many events were read.
    pub events_done: i64,
    /// Out of how many.
    pub events_of: Option<i64>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Up to which event it went.
    pub position: Option<i64>,
    /// The hash of the chain there.
    pub head_hash: Option<Vec<u8>>,
    /// Whether all was well.
    pub verified: Option<bool>,
    /// How many balances were compared; of a rebuild, how many rows.
    pub compared: Option<i64>,
    /// How many differ.
    pub differ: Option<i64>,
    /// Of a rebuild: table by table.
    pub tables: Option<Json<Vec<TableComparison>>>,
    /// The report, or why it failed.
    pub said: Option<String>,
}

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunOutcome {
    /// How many events.
    pub events: i64,
    /// Up to which event.
    pub position: i64,
    /// The hash of the chain there.
    pub head_hash: Vec<u8>,
    /// Whether all was well.
    pub verified: bool,
    /// How many balances or rows were compared, and how many of them differ.
    pub compared: Option<(i64, i64)>,
    /// Of a rebuild: table by table.
    pub tables: Option<Vec<TableComparison>>,
    /// The report in words.
    pub said: String,
}

impl RunOutcome {
    /// What a report says.
    pub fn of(report: &Report) -> Self {
        let mut said = String::new();
        // Writing into a text does not fail; the figures stand beside it in any case.
        if report.render(&mut said).is_err() {
            said.clear();
        }
        Self {
            events: report.events,
            position: report.head.position,
            head_hash: hex::decode(&report.head.hash).unwrap_or_default(),
            verified: report.verified,
            compared: report.read_models.map(|f| (signed(f.compared), signed(f.differing))),
            tables: None,
            said,
        }
    }

    /// What comparing the read models with the log came to; `head_hash` is the chain's there.
    pub fn of_tables(made: Comparison, head_hash: Vec<u8>) -> Self {
        let (compared, differing) = made.sums();
        let mut said = Vec::new();
        for table in &made.tables {
            let TableComparison { table, compared, differing, examples } = table;
            said.push(format!("{table}: {differing} of {compared} rows differ"));
            said.extend(examples.iter().map(|example| format!("  {example}")));
        }
        Self {
            events: signed(made.position),
            position: signed(made.position),
            head_hash,
            verified: differing == 0,
            compared: Some((signed(compared), signed(differing))),
            tables: Some(made.tables),
            said: said.join("\n"),
        }
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const COLUMNS: &str = "id, kind, asked_by, asked_at, state, began_at, events_done, events_of, \
    ended_at, position, head_hash, verified, compared, differ, tables, said";

/// All checks; cheap to clone.
#[derive(Debug, Clone)]
pub struct AuditRuns {
    pool: PgPool,
}

impl AuditRuns {
    /// Those of a database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Asks for one; whether it was asked for by that. While one of the kind goes on it is that.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ask(
        &self,
        id: Uuid,
        kind: RunKind,
        by: &str,
        at: Timestamp,
    ) -> sqlx::Result<bool> {
        let mut db_tx = self.pool.begin_with("begin read write").await?;
        let asked = sqlx::query(
            "insert into audit_runs (id, kind, asked_by, asked_at) values ($1, $2, $3, $4)
             on conflict do nothing",
        )
        .bind(id)
        .bind(kind.as_str())
        .bind(by)
        .bind(at)
        .execute(&mut *db_tx)
        .await?;
        db_tx.commit().await?;
        Ok(asked.rows_affected() == 1)
    }

    /// The last ones, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn list(&self, most: u32) -> sqlx::Result<Vec<Run>> {
        let sql = format!("select {COLUMNS} from audit_runs order by asked_at desc, id limit $1");
        sqlx::query_as(&sql).bind(i64::from(most)).fetch_all(&self.pool).await
    }

    /// The last one of the chain and the books that came to an end.
    ///
    /// # Errors
    /// What the database says.
    pub async fn last_done(&self) -> sqlx::Result<Option<Run>> {
        let sql = format!(
            "select {COLUMNS} from audit_runs where state = 'done' and kind <> 'rebuild'
             order by asked_at desc, id limit 1"
        );
        sqlx::query_as(&sql).fetch_optional(&self.pool).await
    }

    /// One of them.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, id: Uuid) -> sqlx::Result<Option<Run>> {
        let sql = format!("select {COLUMNS} from audit_runs where id = $1");
        sqlx::query_as(&sql).bind(id).fetch_optional(&self.pool).await
    }

    /// Takes one that waits, or whose worker is not heard of any more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn take(&self, now: Timestamp, leased_until: Timestamp) -> sqlx::Result<Option<Run>> {
        let sql = format!(
            "update audit_runs set state = 'running', began_at = $1, leased_until = $2,
                 events_done = 0
             where id = (
                 select id from audit_runs
                 where state = 'asked' or (state = 'running' and leased_until < $1)
                 order by asked_at for update skip locked limit 1)
             returning {COLUMNS}"
        );
        let query = sqlx::query_as(&sql).bind(now).bind(leased_until);
        query.fetch_optional(&self.pool).await
    }

    /// Says how far one is.
    ///
    /// # Errors
    /// What the database says.
    pub async fn note(
        &self,
        id: Uuid,
        (done, of): (i64, Option<i64>),
        leased_until: Timestamp,
    ) -> sqlx::Result<()> {
        let sql = "update audit_runs set events_done = $2, events_of = $3, leased_until = $4
                   where id = $1 and state = 'running'";
        let query = sqlx::query(sql).bind(id).bind(done).bind(of).bind(leased_until);
        query.execute(&self.pool).await.map(drop)
    }

    /// Notes what one came to, or why it could not be made.
    ///
    /// # Errors
    /// What the database says.
    pub async fn finish(
        &self,
        id: Uuid,
        outcome: Result<&RunOutcome, &str>,
        at: Timestamp,
    ) -> sqlx::Result<()> {
        let sql = "update audit_runs set state = $2, ended_at = $3, position = $4, head_hash = $5,
                       verified = $6, compared = $7, differ = $8, said = $9,
                       events_done = coalesce($10, events_done), tables = $11
                   where id = $1 and state = 'running'";
        let state = if outcome.is_ok() { "done" } else { "failed" };
        let said = match outcome {
            Ok(outcome) => &outcome.said,
            Err(error) => error,
        };
        let done = outcome.ok();
        sqlx::query(sql)
            .bind(id)
            .bind(state)
            .bind(at)
            .bind(done.map(|done| done.position))
            .bind(done.map(|done| &done.head_hash))
            .bind(done.map(|done| done.verified))
            .bind(done.and_then(|done| Some(done.compared?.0)))
            .bind(done.and_then(|done| Some(done.compared?.1)))
            .bind(said)
            .bind(done.map(|done| done.events))
            .bind(done.and_then(|done| done.tables.as_ref()).map(Json))
            .execute(&self.pool)
            .await
            .map(drop)
    }

    /// Notes a check that was made elsewhere, by a command.
    ///
    /// # Errors
    /// What the database says.
    pub async fn record(
        &self,
        id: Uuid,
        (by, outcome): (&str, &RunOutcome),
        (began_at, ended_at): (Timestamp, Timestamp),
    ) -> sqlx::Result<()> {
        let sql = "insert into audit_runs (id, kind, asked_by, asked_at, state, began_at,
                       events_done, events_of, ended_at, position, head_hash, verified, compared,
                       differ, said)
                   values ($1, 'verify', $2, $3, 'done', $3, $4, $4, $5, $6, $7, $8, $9, $10, $11)";
        sqlx::query(sql)
            .bind(id)
            .bind(by)
            .bind(began_at)
            .bind(outcome.events)
            .bind(ended_at)
            .bind(outcome.position)
            .bind(&outcome.head_hash)
            .bind(outcome.verified)
            .bind(outcome.compared.map(|compared| compared.0))
            .bind(outcome.compared.map(|compared| compared.1))
            .bind(&outcome.said)
            .execute(&self.pool)
            .await
            .map(drop)
    }
}
