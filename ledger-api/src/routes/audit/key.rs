//! What the routes of auditors are given: readings by the database's role `bahi_auditor`, for a key
//! with `audit:read`, and nothing of the service besides. So no mistake in one can change anything.

use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::log::{self, Position};
use projections::{AsOf, ReadError};
use serde::Serialize;

use crate::{
    auditing::AuditReads,
    http::{
        ApiState, Problem, cursor,
        reader::{Listed, Reader},
        reply::Reply,
    },
    identity::Scope,
};

/// Who may read here.
const SCOPES: &[Scope] = &[Scope::AuditRead];

/// As of when a question is: now if nothing is said, and at most one of the three.
pub(super) fn as_of(
    position: Option<Position>,
    moment: Option<DateTime<Utc>>,
    day: Option<NaiveDate>,
) -> Result<AsOf, Problem> {
    match (position, moment, day) {
        (None, None, None) => Ok(AsOf::Now),
        (Some(position), None, None) => Ok(AsOf::Position(position)),
        (None, Some(moment), None) => Ok(AsOf::Time(moment)),
        (None, None, Some(day)) => Ok(AsOf::Day(day)),
        _ => {
            let detail = "One of as_of_position, as_of_time and as_of_date.";
            Err(Problem::parameter("as_of_position", detail))
        }
    }
}

/// An auditor's key.
pub(super) struct AuditKey {
    /// Everything that they read.
    pub(super) reads: AuditReads,
    reader: Reader,
}

impl AuditKey {
    /// Who it is: never the key, but whom it belongs to.
    pub(super) fn who(&self) -> &str {
        self.reader.caller().principal.as_str()
    }

    /// Goes on when the read models have reached a position.
    pub(super) async fn wait(&self, min_position: Option<Position>) -> Result<(), Problem> {
        self.reader.admit(SCOPES, min_position).await.map(drop)
    }

    /// The end of the log.
    pub(super) async fn head(&self) -> Result<Position, Problem> {
        Ok(log::read::head(&self.reads.pool).await?.position)
    }

    /// The place in the log that a question is of; nothing for now.
    pub(super) async fn place(
        &self,
        position: Option<Position>,
        moment: Option<DateTime<Utc>>,
    ) -> Result<Option<Position>, Problem> {
        match (position, moment) {
            (None, None) => Ok(None),
            (Some(wanted), None) => {
                let head = self.head().await?;
                if wanted > head {
                    return Err(ReadError::NotRecorded { wanted, head }.into());
                }
                Ok(Some(wanted))
            }
            (None, Some(moment)) => Ok(Some(self.reads.read_models.recorded_by(moment).await?)),
            (Some(_), Some(_)) => {
                Err(Problem::parameter("as_of_position", "One of as_of_position and as_of_time."))
            }
        }
    }

    /// The same for balances: of a transaction all legs count, or none.
    pub(super) async fn whole_place(
        &self,
        position: Option<Position>,
        moment: Option<DateTime<Utc>>,
    ) -> Result<Option<Position>, Problem> {
        match self.place(position, moment).await? {
            Some(place) => Ok(Some(self.reads.read_models.whole_at(place).await?)),
            None => Ok(None),
        }
    }

    /// What the cursors of a list are bound to.
    pub(super) fn list<'a, F>(&'a self, name: &'static str, filters: &'a F) -> cursor::List<'a, F> {
        self.reader.list(name, filters)
    }

    /// A page of a list as it is answered.
    pub(super) fn page<F: Serialize, T: Serialize>(
        &self,
        list: &cursor::List<'_, F>,
        data: Vec<T>,
        next: Option<impl std::fmt::Display>,
        position: Position,
    ) -> Result<Reply<Listed<T>>, Problem> {
        self.reader.page(list, data, next, position)
    }
}

impl FromRequestParts<ApiState> for AuditKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let reader = Reader::from_request_parts(parts, state).await?;
        reader.admit(SCOPES, None).await?;
        Ok(Self { reads: state.audit.clone(), reader })
    }
}
