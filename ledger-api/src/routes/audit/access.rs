//! The access log, as its page shows it: who looked at what, who was turned away, what was decided.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::key::AuditKey;
use crate::{
    access_log::{AccessQuery, Logged},
    http::{
        Problem,
        query::{Params, not_a_filter},
        reader::{Listed, limit},
        reply::Reply,
    },
};

/// Which lines.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccessLogQuery {
    /// Only by them: a person's or service's id, or `network …` of who was not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    who: Option<String>,
    /// Only this: `name_opened`, `desk_refused`, `key_refused` …
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<String>,
    /// Only about this.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "not_a_filter")]
    cursor: Option<String>,
}

/// A line of the access log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessLine)]
pub(super) struct LineOut {
    /// Always `access`.
    #[schema(example = "access")]
    object: &'static str,
    /// Its number: they grow, and some may be missing.
    number: i64,
    /// When.
    at: DateTime<Utc>,
    /// Who: an opaque id, or the network of who was not known.
    #[schema(example = "usr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    who: String,
    /// What they did, or were refused.
    #[schema(example = "name_opened")]
    what: String,
    /// About whom or what, by an opaque id.
    subject: String,
    /// Why, in their words or ours.
    reason: String,
}

impl From<Logged> for LineOut {
    fn from(line: Logged) -> Self {
        let Logged { number, at, who, what, subject, reason } = line;
        Self { object: "access", number, at, who, what, subject, reason }
    }
}

/// List the access log
///
/// The last line first: who opened what is personal and why, who was appointed, who was turned away
/// from a desk or by the API, what operators did. Refusals that are alike stand together: the first
/// of a minute has a line, and how many followed has another one.
#[utoipa::path(
    get,
    path = "/v1/audit/access",
    tag = "Audit",
    params(AccessLogQuery),
    responses((status = 200, description = "A page of it.", body = Listed<LineOut>)),
)]
pub(super) async fn list(
    key: AuditKey,
    Params(query): Params<AccessLogQuery>,
) -> Result<Reply<Listed<LineOut>>, Problem> {
    let limit = limit(query.limit)?;
    let list = key.list("audit_access", &query);
    let wanted = AccessQuery {
        who: query.who.clone(),
        what: query.what.clone(),
        subject: query.subject.clone(),
        before: list.resume(query.cursor.as_deref())?,
        limit: i64::from(limit).saturating_add(1),
    };
    let mut found = key.reads.access_log.list(&wanted).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|line| line.number);
    let position = key.head().await?;
    key.page(&list, found.into_iter().map(LineOut::from).collect(), next, position)
}
