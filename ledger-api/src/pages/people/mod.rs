//! The pages on which people come in, prove who they are, look after their account, and leave.
//! What they do is what the API does (`entry`); here it gets a form and words.

mod coming;
mod outbox;
mod proving;
mod security;
mod settings;
mod step_up;

use axum::{
    Router,
    response::{IntoResponse as _, Response},
};

use super::{FormErrors, Visitor};
use crate::{
    http::{ApiState, Problem, return_to, session::SessionCookie, session::see_other},
    sessions::{Audience, Token},
};

/// The pages' routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(coming::routes())
        .merge(proving::routes())
        .merge(security::routes())
        .merge(settings::routes())
        .merge(step_up::routes())
        .merge(outbox::routes())
}

/// What a problem says of a form's fields. Problems that are not the form's pass on: they have a
/// page of their own.
pub(super) fn errors_of(problem: Problem, fields: &[&'static str]) -> Result<FormErrors, Problem> {
    if problem.status() >= 500 || ["csrf_refused", "not_found"].contains(&problem.code()) {
        return Err(problem);
    }
    let body = problem.body();
    let mut errors = FormErrors::none();
    for error in &body.errors {
        let named = error.pointer.trim_start_matches('/');
        let field = fields.iter().find(|field| **field == named).copied().unwrap_or_default();
        errors.add(field, error.detail.clone());
    }
    if errors.is_empty() {
        errors.add("", body.detail.into_owned());
    }
    Ok(errors)
}

/// To a path, with another cookie.
fn go_with(token: Token, to: &str) -> Response {
    let mut response = see_other(return_to::local(to));
    SessionCookie::Set(Audience::Wallet, token).put(&mut response);
    response
}

/// To the page that asks for the password again, and back from there.
pub(super) fn ask_again(back: &str) -> Response {
    let path: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    see_other(&format!("/app/confirm?return_to={path}"))
}

/// What came of a form of somebody who is signed in: on to `done`, to the password if that is
/// missing, or the form again.
fn after(
    visitor: &Visitor,
    done: Result<(), Problem>,
    (to, back): (&str, &str),
    again: impl FnOnce(&Visitor, Problem) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(see_other(to)),
        Err(problem) if problem.code() == "step_up_needed" => Ok(ask_again(back)),
        Err(problem) => again(visitor, problem),
    }
}

/// The answer with the status that a form has when it is shown again.
pub(super) fn shown_again(problem_status: u16, view: &impl askama::Template) -> Response {
    let status = axum::http::StatusCode::from_u16(problem_status)
        .unwrap_or(axum::http::StatusCode::UNPROCESSABLE_ENTITY);
    super::respond::page_with(status, view).into_response()
}
