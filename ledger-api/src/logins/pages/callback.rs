//! Coming back from a provider.

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use serde::Deserialize;

use super::{RATE, browser, forget, said};
use crate::{
    entry::{Arrival, begin, send_step_up_code, throttle},
    http::{
        ApiState, Problem,
        return_to::local,
        rooms::{InShops, InWallet, MaybeWithin},
        session::{SessionCookie, SignedIn, see_other, signed_out},
    },
    logins::{Aim, Answer, BrowserSecret, LoginError, Outcome, Proved, Provider},
    pages::PageContext,
    people::PersonId,
    sessions::Audience,
};

/// What a provider answers by way of the browser. Providers add fields of their own.
#[derive(Debug, Deserialize)]
pub(super) struct Came {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
}

/// Takes the answer.
pub(super) async fn callback(
    State(state): State<ApiState>,
    Path(name): Path<String>,
    came: Result<Query<Came>, QueryRejection>,
    headers: HeaderMap,
    arrival: Arrival,
    (MaybeWithin(own, _), MaybeWithin(of_shops, _)): (MaybeWithin<InWallet>, MaybeWithin<InShops>),
    context: PageContext,
) -> Result<Response, Problem> {
    let provider = state.logins.provider(&name).ok_or_else(said::no_provider)?;
    throttle(&state, RATE, &arrival.client.counted()).await?;
    // A field that is there twice is an answer of nobody's.
    let (Some(browser), Ok(Query(came))) = (browser(&headers), came) else {
        return Ok(said::failed(&context, provider, &LoginError::Foreign));
    };
    let answer =
        Answer { state: &came.state, code: came.code.as_deref(), issuer: came.iss.as_deref() };
    let now = state.sessions.now();
    let proved = match state.logins.finish(provider, &browser, &answer, now).await {
        Ok(proved) => proved,
        Err(error) => return Ok(said::failed(&context, provider, &error)),
    };
    // Where it began, and so whose session it is about, says where it leads back to.
    let who = match Audience::of_path(local(&proved.return_to)) {
        Audience::Shop => of_shops,
        Audience::Wallet | Audience::Audit | Audience::Ops => own,
    };
    let signed_in = who.as_ref().map(|who| who.person.id);
    if proved.aim != Aim::SignIn && proved.aim.person() != signed_in {
        return Ok(said::not_yours(&context));
    }
    decided(&state, (&arrival, who), &context, (provider, &browser, &proved)).await
}

async fn decided(
    state: &ApiState,
    (arrival, who): (&Arrival, Option<SignedIn>),
    context: &PageContext,
    (provider, browser, proved): (&Provider, &BrowserSecret, &Proved),
) -> Result<Response, Problem> {
    let now = state.sessions.now();
    let outcome = match state
        .logins
        .decide((&state.people, &state.bank_accounts), browser, proved, now)
        .await
    {
        Ok(outcome) => outcome,
        Err(error) => return Ok(said::undecided(context, provider, &error)),
    };
    match outcome {
        Outcome::SignIn(person) => signed_in(state, arrival, person, &proved.return_to).await,
        Outcome::Linked => Ok(see_other(local(&proved.return_to))),
        Outcome::Again => again(state, who, &proved.return_to).await,
        Outcome::AgainByCode => by_code(state, who, &proved.return_to).await,
        Outcome::Confirm => Ok(see_other("/login/confirm")),
        Outcome::SignUp if state.people_settings.sign_up => Ok(see_other("/login/finish")),
        Outcome::SignUp
        | Outcome::OtherWay
        | Outcome::NoEmail
        | Outcome::Closed
        | Outcome::SomebodyElse => Ok(said::stuck(context, provider, &outcome)),
    }
}

/// Somebody who is signed in proved again who they are: their session gets another token.
async fn again(
    state: &ApiState,
    who: Option<SignedIn>,
    return_to: &str,
) -> Result<Response, Problem> {
    let who = who.ok_or_else(signed_out)?;
    let token = state.sessions.renew(who.session.id).await?.ok_or_else(signed_out)?;
    let mut response = see_other(local(return_to));
    SessionCookie::Set(who.session.audience, token).put(&mut response);
    forget(&mut response);
    Ok(response)
}

/// The same, at a provider whose word is not enough: a code goes to their address.
async fn by_code(
    state: &ApiState,
    who: Option<SignedIn>,
    return_to: &str,
) -> Result<Response, Problem> {
    let who = who.ok_or_else(signed_out)?;
    send_step_up_code(state, &who).await?;
    let back: String = form_urlencoded::byte_serialize(local(return_to).as_bytes()).collect();
    let page = who.session.audience.confirm();
    let mut response = see_other(&format!("{page}-code?return_to={back}"));
    forget(&mut response);
    Ok(response)
}

/// Signs somebody in who is known by now, and goes on where they wanted to.
pub(super) async fn signed_in(
    state: &ApiState,
    arrival: &Arrival,
    person: PersonId,
    return_to: &str,
) -> Result<Response, Problem> {
    // Who wanted to a page of shops comes in for shops. Staff come by password alone.
    let (back, audience) = match Audience::of_path(local(return_to)) {
        desk if desk.is_staff() => (Audience::Wallet.home(), Audience::Wallet),
        audience => (local(return_to), audience),
    };
    let entered = begin(state, arrival, (person, audience)).await?;
    let mut response = see_other(back);
    SessionCookie::Set(audience, entered.token).put(&mut response);
    forget(&mut response);
    Ok(response)
}
