//! `/merchant/signup`: the first step to a shop of one's own. Logging in and out is
//! `pages::coming`, for everybody.

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use serde::Deserialize;

use crate::{
    entry::{self, Arrival, SignUpIn},
    http::{
        ApiState, Problem,
        rooms::{InShops, MaybeWithin},
        session::{OpenForm, SessionCookie, see_other},
    },
    logins::pages::{ProviderLink, provider_links},
    pages::{
        FormErrors, Layout, Nav, PageContext,
        people::{errors_of, shown_again},
        respond,
    },
    sessions::{Audience, Token},
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/merchant/signup", get(sign_up_page).post(sign_up))
}

/// To a page of shops, with another cookie.
fn go_with(token: Token, to: &str) -> Response {
    let mut response = see_other(to);
    SessionCookie::Set(Audience::Shop, token).put(&mut response);
    response
}

#[derive(Template)]
#[template(path = "merchant/signup.html")]
struct SignUpView {
    layout: Layout,
    errors: FormErrors,
    form: SignUpForm,
    providers: Vec<ProviderLink>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignUpForm {
    name: String,
    handle: String,
    email: String,
    password: String,
}

fn sign_up_view(
    state: &ApiState,
    context: &PageContext,
    errors: FormErrors,
    form: SignUpForm,
) -> SignUpView {
    let layout = context.layout("Open a shop", Nav::None, None);
    SignUpView { layout, errors, form, providers: provider_links(state, Audience::Shop.home()) }
}

async fn sign_up_page(
    State(state): State<ApiState>,
    context: PageContext,
    MaybeWithin(who, _): MaybeWithin<InShops>,
) -> Result<Response, Problem> {
    if who.is_some() {
        return Ok(see_other("/merchant/new"));
    }
    if !state.people_settings.sign_up {
        return Err(Problem::not_found("Nobody can sign up here."));
    }
    let form = SignUpForm::default();
    Ok(respond::page(&sign_up_view(&state, &context, FormErrors::none(), form)))
}

async fn sign_up(
    State(state): State<ApiState>,
    context: PageContext,
    arrival: Arrival,
    OpenForm(form): OpenForm<SignUpForm>,
) -> Result<Response, Problem> {
    let given = form.clone();
    let wanted = SignUpIn {
        name: given.name,
        handle: given.handle,
        email: given.email,
        phone: None,
        password: given.password,
    };
    match entry::sign_up(&state, &arrival, (&wanted, Audience::Shop)).await {
        Ok(entered) => Ok(go_with(entered.token, "/merchant/new")),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["name", "handle", "email", "password"])?;
            Ok(shown_again(status, &sign_up_view(&state, &context, errors, form)))
        }
    }
}
