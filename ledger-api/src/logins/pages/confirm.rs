//! The password of the account that has the same address, before a login is linked with it.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;

use super::{browser, callback::signed_in, said};
use crate::{
    entry::{Arrival, throttle},
    http::{ApiState, Problem, session::OpenForm},
    logins::{BrowserSecret, OutcomeError, Proof},
    pages::{Layout, Nav, PageContext, forms::FormErrors, respond},
    people::{Checked, PersonId, Rate},
};

/// The page.
#[derive(Template)]
#[template(path = "logins/confirm.html")]
struct Confirm {
    layout: Layout,
    label: String,
    email: String,
    errors: FormErrors,
}

/// What comes with the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    password: String,
}

/// A proof that waits for a password.
struct Waiting {
    browser: BrowserSecret,
    proof: Proof,
    account: PersonId,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    headers: HeaderMap,
    context: PageContext,
) -> Result<Response, Problem> {
    match waiting(&state, &headers).await? {
        Some(waiting) => Ok(page(&state, &context, &waiting.proof, StatusCode::OK, None)),
        None => Ok(said::too_late(&context)),
    }
}

pub(super) async fn send(
    State(state): State<ApiState>,
    headers: HeaderMap,
    arrival: Arrival,
    context: PageContext,
    OpenForm(given): OpenForm<Given>,
) -> Result<Response, Problem> {
    let Some(Waiting { browser, proof, account }) = waiting(&state, &headers).await? else {
        return Ok(said::too_late(&context));
    };
    let subject = account.uuid();
    throttle(&state, Rate::STEP_UP, subject.as_bytes()).await?;
    let credential = state.people.credential_of(account).await?;
    let kept = credential.as_ref().and_then(|credential| credential.password.as_ref());
    if state.passwords.check(&given.password, kept).await? == Checked::Wrong {
        let wrong = Some("This is not the password of that account.");
        return Ok(page(&state, &context, &proof, StatusCode::UNPROCESSABLE_ENTITY, wrong));
    }
    state.throttles.give_back(Rate::STEP_UP, subject.as_bytes()).await?;
    if !state.logins.drop_proof(&browser).await? {
        return Ok(said::too_late(&context));
    }
    let now = state.sessions.now();
    if let Err(error) = state.logins.link(account, &proof.identity, now).await {
        let provider = state.logins.provider(&proof.identity.provider);
        let provider = provider.ok_or_else(said::no_provider)?;
        return Ok(said::undecided(&context, provider, &OutcomeError::Link(error)));
    }
    signed_in(&state, &arrival, account, &proof.return_to).await
}

async fn waiting(state: &ApiState, headers: &HeaderMap) -> Result<Option<Waiting>, Problem> {
    let Some(browser) = browser(headers) else { return Ok(None) };
    let proof = state.logins.proof(&browser, state.sessions.now()).await?;
    Ok(proof.and_then(|proof| {
        let account = proof.account?;
        Some(Waiting { browser, proof, account })
    }))
}

fn page(
    state: &ApiState,
    context: &PageContext,
    proof: &Proof,
    status: StatusCode,
    wrong: Option<&str>,
) -> Response {
    let name = &proof.identity.provider;
    let label = state.logins.provider(name).map_or(name.as_str(), |provider| provider.label());
    let layout = context.layout(format!("Link {label}"), Nav::None, None);
    let errors = wrong.map_or_else(FormErrors::none, |text| FormErrors::one("password", text));
    let email = proof.identity.email.clone().unwrap_or_default();
    respond::page_with(status, &Confirm { layout, label: label.to_owned(), email, errors })
}
