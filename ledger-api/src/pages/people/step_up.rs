//! `/app/confirm-code`: the code by mail that goes with the word of a provider that cannot be made
//! to ask again who sits there.

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::get,
};
use serde::Deserialize;

use super::{errors_of, go_with, shown_again};
use crate::{
    entry,
    http::{ApiState, Problem, context::RequestContext, return_to, session::SignedForm},
    pages::{FormErrors, Layout, Nav, PageContext, Visitor, respond},
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/app/confirm-code", get(page).post(take))
}

#[derive(Template)]
#[template(path = "people/step_up_code.html")]
struct CodeView {
    layout: Layout,
    errors: FormErrors,
    email: String,
    return_to: String,
    demo: bool,
}

#[derive(Debug, Default, Deserialize)]
struct Back {
    #[serde(default)]
    return_to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeForm {
    code: String,
    #[serde(default)]
    return_to: String,
}

fn view(visitor: &Visitor, errors: FormErrors, back: &str) -> CodeView {
    CodeView {
        layout: visitor.layout("One more step", Nav::Account),
        errors,
        email: visitor.who.person.email.expose().to_owned(),
        return_to: return_to::local(back).to_owned(),
        demo: visitor.state.demo,
    }
}

async fn page(visitor: Visitor, Query(back): Query<Back>) -> Response {
    respond::page(&view(&visitor, FormErrors::none(), &back.return_to))
}

async fn take(
    State(state): State<ApiState>,
    (context, request): (PageContext, RequestContext),
    SignedForm { who, form }: SignedForm<CodeForm>,
) -> Result<Response, Problem> {
    match entry::step_up_by_code(&state, &who, &form.code).await {
        Ok(token) => Ok(go_with(token, &form.return_to)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["code"])?;
            let visitor = Visitor::new(state, who, (context, request))?;
            Ok(shown_again(status, &view(&visitor, errors, &form.return_to)))
        }
    }
}
