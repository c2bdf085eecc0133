//! The table of staff. Rows are added and ended, never rewritten.

use chrono::DateTime;
use ledger_core::clock::Timestamp;
use sqlx::{PgPool, Row as _, postgres::PgRow, types::Uuid};

use super::{StaffRole, StaffRoles};
use crate::{
    access_log::{self, Entry},
    people::PersonId,
    sessions::Audience,
};

const COLUMNS: &str = "id, person_id, role, appointed_by, appointed_at, until, ended_by, ended_at";

/// An appointment to be made.
#[derive(Debug, Clone)]
pub struct NewAppointment<'a> {
    /// Its id.
    pub id: Uuid,
    /// Who is appointed.
    pub person: PersonId,
    /// To what.
    pub role: StaffRole,
    /// Who says so.
    pub by: &'a str,
    /// From now on.
    pub at: Timestamp,
    /// Until then.
    pub until: Timestamp,
}

/// An appointment that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appointment {
    /// Who was appointed.
    pub person: PersonId,
    /// To what.
    pub role: StaffRole,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Who ended it before that, and when.
    pub ended: Option<(String, Timestamp)>,
}

impl Appointment {
    /// Whether it is in force.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.until
    }
}

/// All staff; cheap to clone.
#[derive(Debug, Clone)]
pub struct StaffStore {
    pool: PgPool,
}

impl StaffStore {
    /// That of a database.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// What somebody may do at a desk now, and until when; nothing if they do not work there.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn at_desk(
        &self,
        person: PersonId,
        desk: Audience,
        now: Timestamp,
    ) -> Result<Option<(StaffRoles, Timestamp)>, sqlx::Error> {
        let rows = sqlx::query(
            "select role, until from staff
             where person_id = $1 and ended_at is null and until > $2",
        )
        .bind(person.uuid())
        .bind(now)
        .fetch_all(&self.pool)
        .await?;
        let mut roles = Vec::with_capacity(rows.len());
        let mut last = DateTime::UNIX_EPOCH;
        for row in &rows {
            let (role, until) = (role(row)?, row.try_get("until")?);
            if role.desk() == desk {
                roles.push(role);
                last = last.max(until);
            }
        }
        let roles: StaffRoles = roles.into_iter().collect();
        Ok((!roles.is_empty()).then_some((roles, last)))
    }

    /// Appoints somebody. An appointment to the same role ends by that: it is made longer, or
    /// shorter, by a new one.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn appoint(&self, new: &NewAppointment<'_>) -> Result<(), sqlx::Error> {
        let mut db_tx = self.pool.begin().await?;
        sqlx::query(
            "update staff set ended_by = $3, ended_at = $4
             where person_id = $1 and role = $2 and ended_at is null",
        )
        .bind(new.person.uuid())
        .bind(new.role.as_str())
        .bind(new.by)
        .bind(new.at)
        .execute(&mut *db_tx)
        .await?;
        sqlx::query(
            "insert into staff (id, person_id, role, appointed_by, appointed_at, until)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id)
        .bind(new.person.uuid())
        .bind(new.role.as_str())
        .bind(new.by)
        .bind(new.at)
        .bind(new.until)
        .execute(&mut *db_tx)
        .await?;
        let reason = format!("{} until {}", new.role, new.until.format("%Y-%m-%d"));
        let entry = Entry {
            who: new.by,
            what: access_log::STAFF_APPOINTED,
            subject: &new.person.to_string(),
            reason: &reason,
        };
        access_log::record_in_tx(&mut db_tx, &entry, new.at).await?;
        db_tx.commit().await
    }

    /// Ends what somebody was appointed to, one role or all; to what.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn end(
        &self,
        person: PersonId,
        role_only: Option<StaffRole>,
        by: &str,
        at: Timestamp,
    ) -> Result<Vec<StaffRole>, sqlx::Error> {
        let mut db_tx = self.pool.begin().await?;
        let rows = sqlx::query(
            "update staff set ended_by = $3, ended_at = $4
             where person_id = $1 and ended_at is null and ($2::text is null or role = $2)
             returning role",
        )
        .bind(person.uuid())
        .bind(role_only.map(StaffRole::as_str))
        .bind(by)
        .bind(at)
        .fetch_all(&mut *db_tx)
        .await?;
        let roles = rows.iter().map(role).collect::<Result<Vec<_>, _>>()?;
        for role in &roles {
            let entry = Entry {
                who: by,
                what: access_log::STAFF_ENDED,
                subject: &person.to_string(),
                reason: role.as_str(),
            };
            access_log::record_in_tx(&mut db_tx, &entry, at).await?;
        }
        db_tx.commit().await?;
        Ok(roles)
    }

    /// All appointments there were, the last one first.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn list(&self) -> Result<Vec<Appointment>, sqlx::Error> {
        let sql = format!("select {COLUMNS} from staff order by appointed_at desc, id");
        let rows = sqlx::query(&sql).fetch_all(&self.pool).await?;
        rows.iter().map(appointment).collect()
    }
}

fn role(row: &PgRow) -> Result<StaffRole, sqlx::Error> {
    let role: &str = row.try_get("role")?;
    role.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn appointment(row: &PgRow) -> Result<Appointment, sqlx::Error> {
    let (by, at): (Option<String>, Option<Timestamp>) =
        (row.try_get("ended_by")?, row.try_get("ended_at")?);
    Ok(Appointment {
        person: PersonId::from_uuid(row.try_get("person_id")?),
        role: role(row)?,
        by: row.try_get("appointed_by")?,
        at: row.try_get("appointed_at")?,
        until: row.try_get("until")?,
        ended: by.zip(at),
    })
}
