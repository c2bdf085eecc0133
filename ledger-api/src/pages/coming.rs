//! Logging in, logging out, and giving the password again: one set of pages for the wallet, for
//! shops and for the desks. What differs between them is their words and whom the demonstration
//! offers; what they do is `entry`'s.
//!
//! Signing up is not here: a person and a shop begin in different ways, and staff are appointed.

mod demo;

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    FormErrors, Layout, Nav, PageContext, Viewer,
    people::{errors_of, shown_again},
    respond,
};
use crate::{
    entry::{self, Arrival, LoginIn},
    http::{
        ApiState, Problem, return_to,
        rooms::{FormWithin, InAudit, InOps, InShops, InWallet, MaybeWithin, Room, Within},
        session::{OpenForm, SessionCookie, SignedForm, SignedIn, see_other},
    },
    logins::pages::{ProviderLink, provider_links, proving_links},
    people::DEMO_PASSWORD,
    sessions::{Audience, Token},
};
use demo::{DemoLogin, demo_logins};

/// The routes of all four.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(of::<InWallet>())
        .merge(of::<InShops>())
        .merge(of::<InAudit>())
        .merge(of::<InOps>())
}

fn of<R: Room>() -> Router<ApiState> {
    Router::new()
        .route(R::AUDIENCE.login(), get(login_page::<R>).post(log_in::<R>))
        .route(R::AUDIENCE.logout(), post(log_out::<R>))
        .route(R::AUDIENCE.confirm(), get(again_page::<R>).post(again::<R>))
}

/// What the login of an audience says.
#[derive(Debug, Clone, Copy)]
struct Words {
    title: &'static str,
    /// Over the logins of the demonstration.
    demo: &'static str,
    /// What this login does not open.
    aside: &'static str,
}

const fn words(audience: Audience) -> Words {
    match audience {
        Audience::Wallet => {
            Words { title: "Log in", demo: "Or be one of the demo people", aside: "" }
        }
        Audience::Shop => Words {
            title: "Log in for your shop",
            demo: "Or work for one of the demo shops",
            aside: "This login opens shops only.",
        },
        Audience::Audit => Words {
            title: "Log in to audit",
            demo: "Or be the demo’s auditor",
            aside: "This login reads and changes nothing.",
        },
        Audience::Ops => Words {
            title: "Log in to operate",
            demo: "Or work at the demo’s desk",
            aside: "This login is for those who were appointed.",
        },
    }
}

/// Where somebody goes on: a page of this audience. From the wallet's login frontends of others are
/// gone on to as well, by pages of no audience.
pub(super) fn onward(audience: Audience, path: &str) -> &str {
    let path = return_to::local(path);
    if audience == Audience::Wallet { path } else { audience.home_or(path) }
}

/// To a page of theirs, with another cookie.
pub(super) fn go_with(audience: Audience, token: Token, to: &str) -> Response {
    let mut response = see_other(onward(audience, to));
    SessionCookie::Set(audience, token).put(&mut response);
    response
}

#[derive(Debug, Default, Deserialize)]
struct Back {
    #[serde(default)]
    return_to: String,
}

#[derive(Template)]
#[template(path = "people/login.html")]
struct LoginView {
    layout: Layout,
    errors: FormErrors,
    words: Words,
    action: &'static str,
    login: String,
    return_to: String,
    demo: Vec<DemoLogin>,
    demo_password: &'static str,
    /// Where who has no account gets one.
    sign_up: Option<(&'static str, &'static str)>,
    providers: Vec<ProviderLink>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LoginForm {
    login: String,
    password: String,
    #[serde(default)]
    return_to: String,
}

async fn login_view<R: Room>(
    state: &ApiState,
    context: &PageContext,
    errors: FormErrors,
    (login, return_to): (String, String),
) -> Result<LoginView, Problem> {
    let (audience, words) = (R::AUDIENCE, words(R::AUDIENCE));
    let sign_up = match audience {
        Audience::Wallet => Some(("/signup", "Open a wallet")),
        Audience::Shop => Some(("/merchant/signup", "Open a shop")),
        Audience::Audit | Audience::Ops => None,
    };
    let providers = if audience.is_staff() {
        Vec::new()
    } else {
        provider_links(state, onward(audience, &return_to))
    };
    Ok(LoginView {
        layout: context.layout(words.title, Nav::None, None),
        errors,
        words,
        action: audience.login(),
        login,
        return_to,
        demo: if state.demo { demo_logins(state, audience).await? } else { Vec::new() },
        demo_password: DEMO_PASSWORD,
        sign_up: sign_up.filter(|_| state.people_settings.sign_up),
        providers,
    })
}

async fn login_page<R: Room>(
    State(state): State<ApiState>,
    context: PageContext,
    MaybeWithin(who, _): MaybeWithin<R>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    if who.is_some() {
        return Ok(see_other(onward(R::AUDIENCE, &back.return_to)));
    }
    let given = (String::new(), back.return_to);
    Ok(respond::page(&login_view::<R>(&state, &context, FormErrors::none(), given).await?))
}

async fn log_in<R: Room>(
    State(state): State<ApiState>,
    context: PageContext,
    arrival: Arrival,
    OpenForm(form): OpenForm<LoginForm>,
) -> Result<Response, Problem> {
    let given = LoginIn { login: form.login.clone(), password: form.password };
    match entry::log_in(&state, &arrival, (&given, R::AUDIENCE)).await {
        Ok(entered) => Ok(go_with(R::AUDIENCE, entered.token, &form.return_to)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &[])?;
            let given = (form.login, form.return_to);
            let view = login_view::<R>(&state, &context, errors, given).await?;
            Ok(shown_again(status, &view))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn log_out<R: Room>(
    State(state): State<ApiState>,
    FormWithin(SignedForm { who, form: NoFields {} }, _): FormWithin<R, NoFields>,
) -> Result<Response, Problem> {
    entry::log_out(&state, &who).await?;
    let mut response = see_other(R::AUDIENCE.login());
    SessionCookie::Clear(R::AUDIENCE).put(&mut response);
    Ok(response)
}

#[derive(Template)]
#[template(path = "people/confirm.html")]
struct AgainView {
    layout: Layout,
    errors: FormErrors,
    return_to: String,
    /// For those who have no password; desks can't be come to without one.
    providers: Vec<ProviderLink>,
}

async fn again_view<R: Room>(
    (state, who): (&ApiState, &SignedIn),
    context: &PageContext,
    errors: FormErrors,
    back: &str,
) -> Result<AgainView, Problem> {
    let return_to = onward(R::AUDIENCE, back).to_owned();
    let asked = (who.person.id, R::AUDIENCE);
    let providers = if R::AUDIENCE.is_staff() {
        Vec::new()
    } else {
        proving_links(state, asked, &return_to).await?
    };
    let layout = context.layout("Is it still you?", nav::<R>(), Some(viewer(state, who)));
    Ok(AgainView { layout, errors, return_to, providers })
}

/// Where pages stand that ask who somebody is.
pub(super) const fn nav<R: Room>() -> Nav {
    match R::AUDIENCE {
        Audience::Wallet => Nav::Account,
        Audience::Shop | Audience::Audit | Audience::Ops => Nav::None,
    }
}

/// Who is signed in, as pages show it.
pub(super) fn viewer(state: &ApiState, who: &SignedIn) -> Viewer {
    Viewer {
        name: who.person.name.expose().to_owned(),
        handle: who.person.handle.to_string(),
        csrf: who.csrf(state),
    }
}

async fn again_page<R: Room>(
    State(state): State<ApiState>,
    context: PageContext,
    Within(who, _): Within<R>,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    let (errors, back) = (FormErrors::none(), back.return_to);
    Ok(respond::page(&again_view::<R>((&state, &who), &context, errors, &back).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgainForm {
    password: String,
    #[serde(default)]
    return_to: String,
}

async fn again<R: Room>(
    State(state): State<ApiState>,
    context: PageContext,
    FormWithin(SignedForm { who, form }, _): FormWithin<R, AgainForm>,
) -> Result<Response, Problem> {
    match entry::step_up(&state, &who, &form.password).await {
        Ok(token) => Ok(go_with(R::AUDIENCE, token, &form.return_to)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["password"])?;
            let view = again_view::<R>((&state, &who), &context, errors, &form.return_to).await?;
            Ok(shown_again(status, &view))
        }
    }
}
