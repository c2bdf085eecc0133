//! `/v1/activity/{id}/reports` and `/v1/ops/reports`: what people say is wrong, and the answer.

use axum::extract::State;
use ledger_core::clock::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        ApiState, Problem,
        auth::Require as _,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reach::Reaching as _,
        reader::{Listed, Reader, limit},
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
    reports::{self, Reason, Report, ReportId, Reports},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(report, list))
        .routes(routes!(waiting))
        .routes(routes!(settle))
}

/// What is wrong.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportInput)]
struct ReportIn {
    /// Which sort of thing.
    reason: Reason,
    /// In one's own words; at most 1,000 characters.
    #[serde(default)]
    #[schema(max_length = 1000, example = "I was asleep.")]
    words: String,
}

/// A report of a problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Report)]
struct ReportOut {
    /// Its id.
    #[schema(example = "rp_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `report`.
    #[schema(example = "report")]
    object: &'static str,
    /// Who made it.
    #[schema(example = "per_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    person: String,
    /// What it is about.
    #[schema(example = "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    about: String,
    /// Which sort of thing.
    reason: Reason,
    /// In the person's own words.
    words: String,
    /// `open` or `settled`.
    #[schema(example = "open")]
    status: &'static str,
    /// What they were answered.
    answer: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it was settled.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl From<Report> for ReportOut {
    fn from(report: Report) -> Self {
        Self {
            id: report.id.to_string(),
            object: "report",
            person: report.person.to_string(),
            about: report.about,
            reason: report.reason,
            words: report.words,
            status: if report.settled_at.is_some() { "settled" } else { "open" },
            answer: report.answer,
            created_at: report.made_at,
            settled_at: report.settled_at,
        }
    }
}

/// Reports about one thing.
#[derive(Debug, Serialize, ToSchema)]
struct ReportList {
    /// The newest first.
    data: Vec<ReportOut>,
    /// Always false: all of them are here.
    has_more: bool,
}

/// Report a problem
///
/// With something of one's own activity. Nothing moves by it, and nothing is stopped. While a
/// report about it is open, reporting again answers that one.
#[utoipa::path(
    post,
    path = "/v1/activity/{id}/reports",
    tag = "Wallet",
    params(("id" = String, Path, description = "What it is about")),
    request_body(content = ReportIn, example = json!({
        "reason": "not_mine", "words": "I was asleep."})),
    responses((status = 200, description = "The open report.", body = ReportOut,
        example = json!({"id": "rp_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "report",
            "person": "per_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "about": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "reason": "not_mine",
            "words": "I was asleep.", "status": "open", "answer": null,
            "created_at": "2026-11-22T14:02:11.004Z", "settled_at": null}))),
)]
async fn report(
    writer: Writer,
    Id(about): Id<String>,
    payload: Payload,
) -> Result<Reply<ReportOut>, Problem> {
    let person = writer.caller.person(&[Scope::BalancesRead])?;
    let body: ReportIn = payload.parse()?;
    let said = (body.reason, body.words.as_str());
    Ok(Reply::ok(reports::report(&writer.state, person, &about, said).await?.into()))
}

/// List my reports about something
#[utoipa::path(
    get,
    path = "/v1/activity/{id}/reports",
    tag = "Wallet",
    params(("id" = String, Path, description = "What they are about")),
    responses((status = 200, description = "All of them.", body = ReportList,
        example = json!({"data": [], "has_more": false}))),
)]
async fn list(
    reader: Reader,
    Id(about): Id<String>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<ReportList>, Problem> {
    let (person, _) = reader.admit_person(&[Scope::BalancesRead], None).await?;
    let found = Reports::of_state(&reader.state).about(person, &about).await?;
    let data = found.into_iter().map(ReportOut::from).collect();
    Ok(Reply::ok(ReportList { data, has_more: false }))
}

/// Which reports to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WaitingQuery {
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
}

/// List reports that are open
///
/// The oldest first. Needs `ops:read`.
#[utoipa::path(
    get,
    path = "/v1/ops/reports",
    tag = "Operators",
    params(WaitingQuery),
    responses((status = 200, description = "A page of them.", body = Listed<ReportOut>)),
)]
async fn waiting(
    reader: Reader,
    Params(query): Params<WaitingQuery>,
) -> Result<Reply<Listed<ReportOut>>, Problem> {
    let models = reader.admit(&[Scope::OpsRead], None).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("ops_reports", &query);
    let behind = list.resume::<ReportId>(query.cursor.as_deref())?;
    let more = limit.saturating_add(1);
    let mut found = Reports::of_state(&reader.state).waiting(behind, more).await?;
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > full;
    found.truncate(full);
    let next = found.last().filter(|_| has_more).map(|report| report.id);
    let position = models.position().await?;
    let data = found.into_iter().map(ReportOut::from).collect();
    reader.page(&list, data, next, position)
}

/// The answer.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReportSettlement)]
struct SettleIn {
    /// What the person is told; at most 1,000 characters.
    #[schema(max_length = 1000, example = "The bank paid it on the 23rd.")]
    answer: String,
}

/// Settle a report
///
/// The person reads the answer on the page of what it is about. One that is settled already stays
/// as it is. Needs `ops:write`.
#[utoipa::path(
    post,
    path = "/v1/ops/reports/{id}/settle",
    tag = "Operators",
    params(("id" = String, Path, description = "The report")),
    request_body(content = SettleIn, example = json!({"answer": "The bank paid it on the 23rd."})),
    responses((status = 200, description = "It is settled.", body = ReportOut,
        example = json!({"id": "rp_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "report",
            "person": "per_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "about": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "reason": "not_arrived",
            "words": "", "status": "settled", "answer": "The bank paid it on the 23rd.",
            "created_at": "2026-11-22T14:02:11.004Z",
            "settled_at": "2026-11-23T09:00:00.000Z"}))),
)]
async fn settle(
    State(state): State<ApiState>,
    writer: Writer,
    Id(id): Id<ReportId>,
    payload: Payload,
) -> Result<Reply<ReportOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: SettleIn = payload.parse()?;
    let answer = reports::checked("/answer", &body.answer)?;
    let by = writer.caller.principal.as_str();
    let settled = Reports::of_state(&state).settle(id, (&answer, by), state.clock.now()).await?;
    let report = settled.ok_or_else(|| Problem::not_found("There is nothing of this id."))?;
    tracing::info!(report = %id, principal = by, "a report was settled");
    Ok(Reply::ok(report.into()))
}
