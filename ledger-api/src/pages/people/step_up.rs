//! `/app/confirm-code`, `/merchant/confirm-code`: the code by mail that goes with the word of a
//! provider that cannot be made to ask again who sits there.

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::get,
};
use serde::Deserialize;

use super::{errors_of, shown_again};
use crate::{
    entry,
    http::{
        ApiState, Problem,
        rooms::{FormWithin, InShops, InWallet, Room, Within},
        session::{SignedForm, SignedIn},
    },
    pages::{
        FormErrors, Layout, PageContext,
        coming::{go_with, nav, onward, viewer},
        respond,
    },
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/app/confirm-code", get(page::<InWallet>).post(take::<InWallet>))
        .route("/merchant/confirm-code", get(page::<InShops>).post(take::<InShops>))
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

fn view<R: Room>(
    (state, who): (&ApiState, &SignedIn),
    context: &PageContext,
    errors: FormErrors,
    back: &str,
) -> CodeView {
    CodeView {
        layout: context.layout("One more step", nav::<R>(), Some(viewer(state, who))),
        errors,
        email: who.person.email.expose().to_owned(),
        return_to: onward(R::AUDIENCE, back).to_owned(),
        demo: state.demo,
    }
}

async fn page<R: Room>(
    State(state): State<ApiState>,
    context: PageContext,
    Within(who, _): Within<R>,
    Query(back): Query<Back>,
) -> Response {
    respond::page(&view::<R>((&state, &who), &context, FormErrors::none(), &back.return_to))
}

async fn take<R: Room>(
    State(state): State<ApiState>,
    context: PageContext,
    FormWithin(SignedForm { who, form }, _): FormWithin<R, CodeForm>,
) -> Result<Response, Problem> {
    match entry::step_up_by_code(&state, &who, &form.code).await {
        Ok(token) => Ok(go_with(R::AUDIENCE, token, &form.return_to)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["code"])?;
            let view = view::<R>((&state, &who), &context, errors, &form.return_to);
            Ok(shown_again(status, &view))
        }
    }
}
