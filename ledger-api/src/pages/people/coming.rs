//! `/signup`, `/forgot`, `/reset`. Logging in and out is `pages::coming`, for everybody.

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
    entry::{self, Arrival, SignUpIn},
    http::{
        ApiState, Problem,
        peer::ClientAddress,
        return_to,
        session::{MaybeSignedIn, OpenForm, see_other},
    },
    logins::pages::{ProviderLink, provider_links},
    pages::{FormErrors, Layout, Nav, PageContext, respond},
    sessions::Audience,
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/signup", get(sign_up_page).post(sign_up))
        .route("/forgot", get(forgot_page).post(forgot))
        .route("/reset", get(reset_page).post(reset))
}

#[derive(Debug, Default, Deserialize)]
struct Back {
    #[serde(default)]
    return_to: String,
}

#[derive(Template)]
#[template(path = "people/signup.html")]
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
    #[serde(default)]
    phone: String,
    password: String,
    #[serde(default)]
    return_to: String,
}

async fn sign_up_page(
    State(state): State<ApiState>,
    context: PageContext,
    MaybeSignedIn(who): MaybeSignedIn,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    if who.is_some() {
        return Ok(see_other(return_to::local(&back.return_to)));
    }
    if !state.people_settings.sign_up {
        return Err(Problem::not_found("Nobody can sign up here."));
    }
    let layout = context.layout("Sign up", Nav::None, None);
    let form = SignUpForm { return_to: back.return_to, ..SignUpForm::default() };
    let providers = provider_links(&state, &form.return_to);
    Ok(respond::page(&SignUpView { layout, errors: FormErrors::none(), form, providers }))
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
        phone: Some(given.phone),
        password: given.password,
    };
    match entry::sign_up(&state, &arrival, (&wanted, Audience::Wallet)).await {
        Ok(entered) => {
            let back: String =
                form_urlencoded::byte_serialize(return_to::local(&form.return_to).as_bytes())
                    .collect();
            Ok(go_with(entered.token, &format!("/verify?return_to={back}&sent=all")))
        }
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["name", "handle", "email", "phone", "password"])?;
            let layout = context.layout("Sign up", Nav::None, None);
            let providers = provider_links(&state, &form.return_to);
            Ok(shown_again(status, &SignUpView { layout, errors, form, providers }))
        }
    }
}

#[derive(Template)]
#[template(path = "people/forgot.html")]
struct ForgotView {
    layout: Layout,
    errors: FormErrors,
    email: String,
    sent: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForgotForm {
    email: String,
}

async fn forgot_page(context: PageContext) -> Response {
    let layout = context.layout("Forgot your password?", Nav::None, None);
    let (errors, email) = (FormErrors::none(), String::new());
    respond::page(&ForgotView { layout, errors, email, sent: false })
}

async fn forgot(
    State(state): State<ApiState>,
    context: PageContext,
    client: ClientAddress,
    OpenForm(form): OpenForm<ForgotForm>,
) -> Result<Response, Problem> {
    let layout = context.layout("Forgot your password?", Nav::None, None);
    let email = form.email;
    match entry::forgot(&state, client, &email).await {
        Ok(()) => {
            let errors = FormErrors::none();
            Ok(respond::page(&ForgotView { layout, errors, email, sent: true }))
        }
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["email"])?;
            Ok(shown_again(status, &ForgotView { layout, errors, email, sent: false }))
        }
    }
}

#[derive(Template)]
#[template(path = "people/reset.html")]
struct ResetView {
    layout: Layout,
    errors: FormErrors,
    token: String,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetForm {
    token: String,
    password: String,
}

/// Looks at nothing: a link is used by the form, not by whoever loads the page.
async fn reset_page(context: PageContext, Query(link): Query<Link>) -> Response {
    let mut layout = context.layout("Choose another password", Nav::None, None);
    // The switch of colours leads back without the secret.
    "/forgot".clone_into(&mut layout.path);
    respond::page(&ResetView { layout, errors: FormErrors::none(), token: link.token })
}

async fn reset(
    State(state): State<ApiState>,
    context: PageContext,
    arrival: Arrival,
    OpenForm(form): OpenForm<ResetForm>,
) -> Result<Response, Problem> {
    match entry::reset(&state, &arrival, (&form.token, &form.password)).await {
        Ok(entered) => Ok(go_with(entered.token, return_to::HOME)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["password"])?;
            let layout = context.layout("Choose another password", Nav::None, None);
            Ok(shown_again(status, &ResetView { layout, errors, token: form.token }))
        }
    }
}
