//! The logins of somebody who is signed in: listed, linked, unlinked.

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use ledger_core::clock::Timestamp;
use serde::Deserialize;

use super::{ProviderLink, said, start::sent};
use crate::{
    http::{
        ApiState, Problem, codes,
        query::Params,
        return_to::local,
        rooms::{Room, Within},
        session::{SignedForm, SignedIn, SignedInPage, see_other},
    },
    logins::{Aim, LinkError},
    pages::PageContext,
    people::PersonId,
    sessions::{Audience, csrf::is_said_ours},
};

/// The page with the list.
const SECURITY: &str = "/app/security";
/// A provider and whether somebody logs in by it.
#[derive(Debug, Clone)]
pub(crate) struct LoginView {
    /// Its place in our addresses.
    pub(crate) name: String,
    /// What people call it.
    pub(crate) label: String,
    /// Since when it is linked, if it is.
    pub(crate) linked_at: Option<Timestamp>,
}

/// All providers, as somebody sees them: for the security page and the API.
pub(crate) async fn views(
    state: &ApiState,
    person: PersonId,
) -> Result<Vec<LoginView>, sqlx::Error> {
    let linked = state.logins.of(person).await?;
    let views = state.logins.providers().map(|provider| LoginView {
        name: provider.name().to_owned(),
        label: provider.label().to_owned(),
        linked_at: linked
            .iter()
            .find(|linked| linked.provider == provider.name())
            .map(|linked| linked.created_at),
    });
    Ok(views.collect())
}

/// Where somebody goes who has to give their password again first, and comes back from.
fn stepping_up(state: &ApiState, who: &SignedIn, back: &str) -> Option<Response> {
    let is_recent = who.session.is_recent(state.sessions.now());
    (!is_recent).then(|| asking(Audience::Wallet, back))
}

/// The page that asks somebody for a fresh proof, and leads back from there.
fn asking(audience: Audience, back: &str) -> Response {
    let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
    see_other(&format!("{}?return_to={back}", audience.confirm()))
}

/// The providers that somebody without a password proves by who they are, and comes back from to a
/// page of the same audience; nothing for those with a password: theirs is asked for.
pub(crate) async fn proving_links(
    state: &ApiState,
    (person, audience): (PersonId, Audience),
    return_to: &str,
) -> Result<Vec<ProviderLink>, Problem> {
    let credential = state.people.credential_of(person).await?;
    if credential.is_some_and(|credential| credential.password.is_some()) {
        return Ok(Vec::new());
    }
    let path = audience.home_or(local(return_to));
    let path: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let linked = views(state, person).await?;
    let links = linked.into_iter().filter(|view| view.linked_at.is_some()).map(|view| {
        let href = format!("{}/{}?return_to={path}", audience.confirm(), view.name);
        ProviderLink { label: view.label, href }
    });
    Ok(links.collect())
}

/// Where to go on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Onward {
    return_to: Option<String>,
}

/// Sends somebody to their provider, to prove again who they are, and back to a page of the same
/// audience: by that it is known which of their sessions the answer is for.
pub(super) async fn step_up<R: Room>(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    Params(onward): Params<Onward>,
    Within(who, _): Within<R>,
    headers: HeaderMap,
    context: PageContext,
) -> Result<Response, Problem> {
    let provider = state.logins.provider(&name).ok_or_else(said::no_provider)?;
    let back = R::AUDIENCE.home_or(local(onward.return_to.as_deref().unwrap_or_default()));
    let links = proving_links(&state, (who.person.id, R::AUDIENCE), back).await?;
    let is_theirs = links.iter().any(|link| link.label == provider.label());
    // A link on a foreign page must not begin it, and a password is not passed by.
    if !is_theirs || is_said_ours(&headers, &state.people_settings.origin()) == Some(false) {
        return Ok(asking(R::AUDIENCE, back));
    }
    let aim = Aim::StepUp(who.person.id);
    Ok(sent(&state, provider, &headers, (back, aim), &context).await)
}

/// Nothing but the token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Sends the browser to the provider, for an account there to become a login here.
pub(super) async fn start(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    SignedInPage(who): SignedInPage,
    headers: HeaderMap,
    context: PageContext,
) -> Result<Response, Problem> {
    let provider = state.logins.provider(&name).ok_or_else(said::no_provider)?;
    // A link on a foreign page must not begin it.
    if is_said_ours(&headers, &state.people_settings.origin()) == Some(false) {
        return Ok(see_other(SECURITY));
    }
    if let Some(elsewhere) = stepping_up(&state, &who, &context.path) {
        return Ok(elsewhere);
    }
    Ok(sent(&state, provider, &headers, (SECURITY, Aim::Link(who.person.id)), &context).await)
}

/// Unlinks an account at a provider.
pub(super) async fn unlink(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    form: SignedForm<Nothing>,
) -> Result<Response, Problem> {
    if let Some(elsewhere) = stepping_up(&state, &form.who, SECURITY) {
        return Ok(elsewhere);
    }
    remove(&state, form.who.person.id, &name).await?;
    Ok(see_other(SECURITY))
}

/// Unlinks it, or says why not.
pub(crate) async fn remove(state: &ApiState, person: PersonId, name: &str) -> Result<(), Problem> {
    let label = state.logins.provider(name).map_or(name, |provider| provider.label());
    state.logins.unlink(person, name).await.map_err(|error| {
        let text = said::link_text(label, &error).unwrap_or_default();
        match error {
            LinkError::Missing => Problem::not_found(text),
            LinkError::Last | LinkError::Taken | LinkError::Another => {
                Problem::new(codes::LAST_LOGIN, text)
            }
            LinkError::Database(error) => error.into(),
        }
    })
}
