//! "Report a problem": the form on the page of a movement, and what was answered.

use axum::{extract::Path, http::StatusCode, response::Response};
use serde::Deserialize;

use super::one;
use crate::{
    http::{Problem, session::see_other},
    pages::{FormErrors, Visitor, respond, ui::When, visitor::Sent},
    reports::{Reason, Reports, report},
};

/// A report as its maker sees it.
pub(super) struct ReportView {
    pub(super) reason: &'static str,
    pub(super) words: String,
    pub(super) made: When,
    pub(super) settled: Option<When>,
    pub(super) answer: String,
}

/// What they reported about something, the newest first.
pub(super) async fn of(visitor: &Visitor, about: &str) -> Result<Vec<ReportView>, Problem> {
    let reports = Reports::of_state(&visitor.state);
    let found = reports.about(visitor.who.person.id, about).await?;
    let view = |report: crate::reports::Report| ReportView {
        reason: report.reason.words(),
        words: report.words,
        made: visitor.when(report.made_at),
        settled: report.settled_at.map(|at| visitor.when(at)),
        answer: report.answer.unwrap_or_default(),
    };
    Ok(found.into_iter().map(view).collect())
}

/// The form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportForm {
    reason: Reason,
    #[serde(default)]
    words: String,
}

/// Notes it.
pub(super) async fn send(
    Path(id): Path<String>,
    Sent { visitor, form }: Sent<ReportForm>,
) -> Result<Response, Problem> {
    let person = visitor.who.person.id;
    match report(&visitor.state, person, &id, (form.reason, &form.words)).await {
        Ok(_) => Ok(see_other(&format!("/app/activity/{id}#reported"))),
        Err(problem) if [422, 429].contains(&problem.status()) => {
            let body = problem.body();
            let said = body.errors.first().map_or(&*body.detail, |error| &error.detail);
            let errors = FormErrors::one("words", said);
            let status = if problem.status() == 429 {
                StatusCode::TOO_MANY_REQUESTS
            } else {
                StatusCode::UNPROCESSABLE_ENTITY
            };
            Ok(respond::page_with(status, &one::view(&visitor, &id, errors).await?))
        }
        Err(problem) => Err(problem),
    }
}
