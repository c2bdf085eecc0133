//! The bank calendar in use, and the record of which list was used since when.
//!
//! The record is made before the first day is counted by a list, so that the list of every payment
//! can be told later: it is the last that was in use when the payment was made.

use std::sync::Arc;

use chrono::NaiveDate;
use ledger_core::clock::Timestamp;
use sqlx::{PgPool, Row as _};
use tokio::sync::OnceCell;

use super::BankCalendar;
use crate::http::{Problem, codes};

/// The calendar of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Calendars {
    calendar: Arc<BankCalendar>,
    pool: PgPool,
    recorded: Arc<OnceCell<()>>,
}

impl Calendars {
    /// A calendar whose use is recorded in the database of `pool`.
    pub fn new(calendar: Arc<BankCalendar>, pool: PgPool) -> Self {
        Self { calendar, pool, recorded: Arc::default() }
    }

    /// The day on which what is paid now is settled.
    pub(crate) async fn settles_on(&self, now: Timestamp, lag: u8) -> Result<NaiveDate, Problem> {
        self.recorded.get_or_try_init(|| self.record(now)).await?;
        Ok(self.calendar.settles_on(now, lag))
    }

    /// Records the list, once for all processes; refuses one whose version is another list's.
    async fn record(&self, now: Timestamp) -> Result<(), Problem> {
        let version = i32::try_from(self.calendar.version()).unwrap_or(i32::MAX);
        let days: Vec<NaiveDate> = self.calendar.holidays().collect();
        let unread = |error: sqlx::Error| Problem::from(projections::ReadError::from(error));
        sqlx::query(
            "insert into bank_calendars (version, holidays, used_from) values ($1, $2, $3)
             on conflict (version) do nothing",
        )
        .bind(version)
        .bind(&days)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(unread)?;
        let row = sqlx::query("select holidays from bank_calendars where version = $1")
            .bind(version)
            .fetch_one(&self.pool)
            .await
            .map_err(unread)?;
        let known: Vec<NaiveDate> = row.try_get("holidays").map_err(unread)?;
        if known == days {
            return Ok(());
        }
        tracing::error!(version, "the list of bank holidays changed without a new version");
        Err(Problem::new(codes::CALENDAR_CHANGED, "Give the list of bank holidays a new version."))
    }
}
