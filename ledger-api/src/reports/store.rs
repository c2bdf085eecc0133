//! The table of reports.

use ledger_core::clock::Timestamp;
use sqlx::{PgPool, Row as _, postgres::PgRow};

use super::{Reason, Report, ReportId};
use crate::{http::ApiState, people::PersonId};

const COLUMNS: &str = "id, person_id, object_id, reason, words, answer, created_at, settled_at";

/// The table; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Reports(PgPool);

impl Reports {
    /// Those of the service's database.
    pub(crate) fn of_state(state: &ApiState) -> Self {
        Self(state.reads.clone())
    }

    /// Keeps a report, unless an open one about the same thing is there: that one then.
    pub(super) async fn open(&self, report: &Report) -> sqlx::Result<Report> {
        let sql = format!(
            "with made as (
                 insert into problem_reports
                     (id, person_id, object_id, reason, words, status, created_at)
                 values ($1, $2, $3, $4, $5, 'open', $6)
                 on conflict (person_id, object_id) where status = 'open'
                     do update set status = problem_reports.status
                 returning {COLUMNS})
             select {COLUMNS} from made"
        );
        let row = sqlx::query(&sql)
            .bind(report.id.0)
            .bind(report.person.uuid())
            .bind(&report.about)
            .bind(report.reason.as_str())
            .bind(&report.words)
            .bind(report.made_at)
            .fetch_one(&self.0)
            .await?;
        read(&row)
    }

    /// A person's reports about one thing, the newest first.
    pub(crate) async fn about(&self, person: PersonId, about: &str) -> sqlx::Result<Vec<Report>> {
        let sql = format!(
            "select {COLUMNS} from problem_reports where person_id = $1 and object_id = $2
             order by created_at desc, id limit 20"
        );
        let rows = sqlx::query(&sql).bind(person.uuid()).bind(about).fetch_all(&self.0).await?;
        rows.iter().map(read).collect()
    }

    /// Everything that a person ever reported, for their export.
    pub(crate) async fn all_of(&self, person: PersonId) -> sqlx::Result<Vec<Report>> {
        let sql = format!(
            "select {COLUMNS} from problem_reports where person_id = $1 order by created_at, id"
        );
        let rows = sqlx::query(&sql).bind(person.uuid()).fetch_all(&self.0).await?;
        rows.iter().map(read).collect()
    }

    /// What is open, the oldest first, behind a place.
    pub(crate) async fn waiting(
        &self,
        behind: Option<ReportId>,
        limit: u32,
    ) -> sqlx::Result<Vec<Report>> {
        let sql = format!(
            "select {COLUMNS} from problem_reports
             where status = 'open' and ($1::uuid is null or (created_at, id) >
                 (select created_at, id from problem_reports where id = $1))
             order by created_at, id limit $2"
        );
        let behind = behind.map(|id| id.0);
        let rows = sqlx::query(&sql).bind(behind).bind(i64::from(limit)).fetch_all(&self.0).await?;
        rows.iter().map(read).collect()
    }

    /// Settles an open report; the report, or nothing if there is none of this id. One that was
    /// settled stays as it is.
    pub(crate) async fn settle(
        &self,
        id: ReportId,
        (answer, by): (&str, &str),
        now: Timestamp,
    ) -> sqlx::Result<Option<Report>> {
        sqlx::query(
            "update problem_reports
             set status = 'settled', answer = $2, settled_at = $3, settled_by = $4
             where id = $1 and status = 'open'",
        )
        .bind(id.0)
        .bind(answer)
        .bind(now)
        .bind(by)
        .execute(&self.0)
        .await?;
        let sql = format!("select {COLUMNS} from problem_reports where id = $1");
        let row = sqlx::query(&sql).bind(id.0).fetch_optional(&self.0).await?;
        row.as_ref().map(read).transpose()
    }
}

fn read(row: &PgRow) -> sqlx::Result<Report> {
    Ok(Report {
        id: ReportId(row.try_get("id")?),
        person: PersonId::from_uuid(row.try_get("person_id")?),
        about: row.try_get("object_id")?,
        reason: Reason::of(row.try_get("reason")?),
        words: row.try_get("words")?,
        answer: row.try_get("answer")?,
        made_at: row.try_get("created_at")?,
        settled_at: row.try_get("settled_at")?,
    })
}
