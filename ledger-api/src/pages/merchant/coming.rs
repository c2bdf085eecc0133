//! `/merchant/login`, `/merchant/signup`, `/merchant/logout`, `/merchant/confirm`: coming in for a
//! shop, going, and giving the password again. What they do is what the wallet's pages do
//! (`entry`), for sessions of the other kind.

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use crate::{
    entry::{self, Arrival, LoginIn, SignUpIn},
    http::{
        ApiState, Problem, return_to,
        session::{OpenForm, SessionCookie, SignedForm, SignedIn, see_other},
        shop_session::{MaybeShopSignedIn, ShopForm, ShopSignedIn},
    },
    logins::pages::{ProviderLink, provider_links},
    pages::{
        FormErrors, Layout, Nav, PageContext, Viewer,
        people::{errors_of, shown_again},
        respond,
    },
    people::DEMO_PASSWORD,
    sessions::{Audience, Token},
    shops::DEMO_SHOPS,
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/merchant/login", get(login_page).post(log_in))
        .route("/merchant/signup", get(sign_up_page).post(sign_up))
        .route("/merchant/logout", post(log_out))
        .route("/merchant/confirm", get(again_page).post(again))
}

#[derive(Debug, Default, Deserialize)]
struct Back {
    #[serde(default)]
    return_to: String,
}

/// A path of the shops' pages; their home for all others.
fn home_or(path: &str) -> &str {
    let path = return_to::local(path);
    match Audience::of_path(path) {
        Audience::Shop => path,
        Audience::Wallet => Audience::Shop.home(),
    }
}

/// To a page of shops, with another cookie.
fn go_with(token: Token, to: &str) -> Response {
    let mut response = see_other(home_or(to));
    SessionCookie::Set(Audience::Shop, token).put(&mut response);
    response
}

/// Who is signed in, as pages without a shop show it.
pub(super) fn viewer(state: &ApiState, who: &SignedIn) -> Viewer {
    Viewer {
        name: who.person.name.expose().to_owned(),
        handle: who.person.handle.to_string(),
        csrf: who.csrf(state),
    }
}

/// Somebody of a demo shop, offered on the login page.
struct DemoLogin {
    handle: &'static str,
    name: &'static str,
    what: String,
}

#[derive(Template)]
#[template(path = "merchant/login.html")]
struct LoginView {
    layout: Layout,
    errors: FormErrors,
    login: String,
    return_to: String,
    demo: Vec<DemoLogin>,
    demo_password: &'static str,
    signs_up: bool,
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

async fn login_view(
    state: &ApiState,
    context: &PageContext,
    errors: FormErrors,
    (login, return_to): (String, String),
) -> Result<LoginView, Problem> {
    let mut demo = Vec::new();
    if state.demo {
        for shop in DEMO_SHOPS {
            let Ok(handle) = shop.handle.parse() else { continue };
            if !state.shops.is_taken(&handle).await? {
                continue;
            }
            let people = [(shop.owner, "owner"), (shop.cashier, "cashier")];
            demo.extend(people.map(|((name, handle), role)| DemoLogin {
                handle,
                name,
                what: format!("{role}, {}", shop.display_name),
            }));
        }
    }
    Ok(LoginView {
        layout: context.layout("Log in for your shop", Nav::None, None),
        errors,
        providers: provider_links(state, home_or(&return_to)),
        login,
        return_to,
        demo,
        demo_password: DEMO_PASSWORD,
        signs_up: state.people_settings.sign_up,
    })
}

async fn login_page(
    State(state): State<ApiState>,
    context: PageContext,
    MaybeShopSignedIn(who): MaybeShopSignedIn,
    Query(back): Query<Back>,
) -> Result<Response, Problem> {
    if who.is_some() {
        return Ok(see_other(home_or(&back.return_to)));
    }
    let given = (String::new(), back.return_to);
    Ok(respond::page(&login_view(&state, &context, FormErrors::none(), given).await?))
}

async fn log_in(
    State(state): State<ApiState>,
    context: PageContext,
    arrival: Arrival,
    OpenForm(form): OpenForm<LoginForm>,
) -> Result<Response, Problem> {
    let given = LoginIn { login: form.login.clone(), password: form.password };
    match entry::log_in(&state, &arrival, (&given, Audience::Shop)).await {
        Ok(entered) => Ok(go_with(entered.token, &form.return_to)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &[])?;
            let given = (form.login, form.return_to);
            Ok(shown_again(status, &login_view(&state, &context, errors, given).await?))
        }
    }
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
    MaybeShopSignedIn(who): MaybeShopSignedIn,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn log_out(
    State(state): State<ApiState>,
    ShopForm(SignedForm { who, form: NoFields {} }): ShopForm<NoFields>,
) -> Result<Response, Problem> {
    entry::log_out(&state, &who).await?;
    let mut response = see_other("/merchant/login");
    SessionCookie::Clear(Audience::Shop).put(&mut response);
    Ok(response)
}

#[derive(Template)]
#[template(path = "people/confirm.html")]
struct AgainView {
    layout: Layout,
    errors: FormErrors,
    return_to: String,
    /// None yet: a shop's step-up goes by password.
    providers: Vec<ProviderLink>,
}

fn again_view(
    (state, who): (&ApiState, &SignedIn),
    context: &PageContext,
    errors: FormErrors,
    back: &str,
) -> AgainView {
    let viewer = viewer(state, who);
    let layout = context.layout("Your password, once more", Nav::None, Some(viewer));
    AgainView { layout, errors, return_to: home_or(back).to_owned(), providers: Vec::new() }
}

async fn again_page(
    State(state): State<ApiState>,
    context: PageContext,
    ShopSignedIn(who): ShopSignedIn,
    Query(back): Query<Back>,
) -> Response {
    respond::page(&again_view((&state, &who), &context, FormErrors::none(), &back.return_to))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgainForm {
    password: String,
    #[serde(default)]
    return_to: String,
}

async fn again(
    State(state): State<ApiState>,
    context: PageContext,
    ShopForm(SignedForm { who, form }): ShopForm<AgainForm>,
) -> Result<Response, Problem> {
    match entry::step_up(&state, &who, &form.password).await {
        Ok(token) => Ok(go_with(token, &form.return_to)),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["password"])?;
            let view = again_view((&state, &who), &context, errors, &form.return_to);
            Ok(shown_again(status, &view))
        }
    }
}
