//! The table of the access log.

use std::sync::Arc;

use ledger_core::clock::{Clock, Timestamp};
use sqlx::{PgConnection, PgPool, Row as _, postgres::PgRow};

use super::{Entry, one_line};

/// The access log of a database; cheap to clone.
#[derive(Clone)]
pub struct AccessLog {
    pool: PgPool,
    clock: Arc<dyn Clock>,
}

/// A line that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Its number: they grow, and some may be missing where a transaction was rolled back.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// What.
    pub what: String,
    /// About whom or what.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// Which lines are wanted, the last one first.
#[derive(Debug, Clone, Default)]
pub struct AccessQuery {
    /// Only by them.
    pub who: Option<String>,
    /// Only this.
    pub what: Option<String>,
    /// Only about this.
    pub subject: Option<String>,
    /// Only before this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: i64,
}

impl AccessLog {
    /// That of a database, by a clock.
    pub const fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock }
    }

    /// Writes a line. The pool may be one that only reads by default.
    ///
    /// # Errors
    /// If the database does not answer, or the line is none.
    pub async fn record(&self, entry: &Entry<'_>) -> Result<(), sqlx::Error> {
        let mut db_tx = self.pool.begin_with("begin read write").await?;
        record_in_tx(&mut db_tx, entry, self.clock.now()).await?;
        db_tx.commit().await
    }

    /// What was written.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self, query: &AccessQuery) -> Result<Vec<Logged>, sqlx::Error> {
        // A text of which no database has heard takes nothing.
        let texts = [&query.who, &query.what, &query.subject];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "select number, at, who, what, subject, reason from access_log
             where ($1::text is null or who = $1) and ($2::text is null or what = $2)
               and ($3::text is null or subject = $3) and ($4::bigint is null or number < $4)
             order by number desc limit $5",
        )
        .bind(query.who.as_deref())
        .bind(query.what.as_deref())
        .bind(query.subject.as_deref())
        .bind(query.before)
        .bind(query.limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(logged).collect()
    }
}

/// Writes a line in the caller's transaction.
pub(crate) async fn record_in_tx(
    db_tx: &mut PgConnection,
    entry: &Entry<'_>,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into access_log (at, who, what, subject, reason) values ($1, $2, $3, $4, $5)",
    )
    .bind(at)
    .bind(entry.who)
    .bind(entry.what)
    .bind(one_line(entry.subject))
    .bind(one_line(entry.reason))
    .execute(db_tx)
    .await
    .map(drop)
}

fn logged(row: &PgRow) -> Result<Logged, sqlx::Error> {
    Ok(Logged {
        number: row.try_get("number")?,
        at: row.try_get("at")?,
        who: row.try_get("who")?,
        what: row.try_get("what")?,
        subject: row.try_get("subject")?,
        reason: row.try_get("reason")?,
    })
}
