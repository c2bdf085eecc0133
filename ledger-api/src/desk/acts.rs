//! What the people who run the service did, or were refused, beside what the log has of it: who,
//! when, what, on what, and why (`migrations/26_desk.sql`). Nobody changes a line of it.

use sqlx::PgPool;

use ledger_core::clock::Timestamp;

use crate::http::{Problem, writer::Writer};

/// The most acts that are read at once.
const ACTS_MAX: i64 = 100;

/// Something that somebody did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<'a> {
    what: &'static str,
    subject: &'a str,
    reason: &'a str,
    refused: &'a str,
}

impl<'a> Act<'a> {
    /// What was done to what, and why.
    pub(crate) const fn new(what: &'static str, subject: &'a str, reason: &'a str) -> Self {
        Self { what, subject, reason, refused: "" }
    }

    /// The same, as something that was refused, with the code of the refusal.
    pub(crate) const fn refused(self, code: &'a str) -> Self {
        Self { refused: code, ..self }
    }

    /// Writes it down, in the name of whoever does it.
    pub(crate) async fn keep(self, writer: &Writer) -> Result<(), Problem> {
        let (who, at) = (writer.caller.principal.as_str(), writer.state.clock.now());
        self.keep_of(&writer.state.reads, who, at).await.map_err(Problem::from)
    }

    async fn keep_of(self, pool: &PgPool, who: &str, at: Timestamp) -> sqlx::Result<()> {
        let sql = "insert into desk_acts (at, who, what, subject, reason, refused)
                   values ($1, $2, $3, $4, $5, nullif($6, ''))";
        sqlx::query(sql)
            .bind(at)
            .bind(who)
            .bind(self.what)
            .bind(self.subject)
            .bind(self.reason)
            .bind(self.refused)
            .execute(pool)
            .await
            .map(drop)
    }
}

/// An act as it was written down.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct KeptAct {
    /// When.
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) who: String,
    /// What: `bank.pause` and the like.
    pub(crate) what: String,
    /// To what.
    pub(crate) subject: String,
    /// Why.
    pub(crate) reason: String,
    /// The code of the refusal, if it was refused.
    pub(crate) refused: Option<String>,
}

/// The last acts, those on one subject if one is given, the last first.
///
/// # Errors
/// What the database says.
pub(crate) async fn last(pool: &PgPool, subject: Option<&str>) -> sqlx::Result<Vec<KeptAct>> {
    let sql = "select at, who, what, subject, reason, refused from desk_acts
               where $1::text is null or subject = $1 order by id desc limit $2";
    sqlx::query_as(sql).bind(subject).bind(ACTS_MAX).fetch_all(pool).await
}
