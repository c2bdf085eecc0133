//! Coming in and going out.

use axum::{
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};

use super::body::{DoneOut, EmailIn, NothingIn, ResetIn, SignedInOut};
use crate::{
    entry::{self, Arrival, Entered, LoginIn, SignUpIn},
    http::{
        ApiState, Problem,
        json::Payload,
        peer::ClientAddress,
        reply::Reply,
        session::{SessionCookie, SignedIn},
    },
    sessions::{Audience, csrf},
};
use axum::extract::State;

/// Refuses what a browser says comes from another site: nobody signs others in unawares.
fn check_origin(state: &ApiState, headers: &HeaderMap) -> Result<(), Problem> {
    Ok(csrf::check_origin(headers, &state.people_settings.origin())?)
}

fn came_in(
    state: &ApiState,
    entered: Entered,
    reply: impl FnOnce(SignedInOut) -> Reply<SignedInOut>,
) -> Result<Response, Problem> {
    let body = SignedInOut::entered(state, &entered)?;
    let mut response = reply(body).into_response();
    SessionCookie::Set(Audience::Wallet, entered.token).put(&mut response);
    Ok(response)
}

/// Sign up
///
/// Makes a person with a wallet of the tier `small`, and a session. No key is needed. At most 30 at
/// once from one address of the network, then one in ten seconds.
#[utoipa::path(
    post,
    path = "/v1/signup",
    tag = "People",
    request_body(content = SignUpIn, example = json!(
        {"name": "Asha Rao", "handle": "asha", "email": "asha@example.com",
         "phone": "+919812345678", "password": "a long sentence is best"})),
    responses((status = 201, description = "They are in.", body = SignedInOut)),
)]
pub(super) async fn sign_up(
    State(state): State<ApiState>,
    headers: HeaderMap,
    arrival: Arrival,
    payload: Payload,
) -> Result<Response, Problem> {
    check_origin(&state, &headers)?;
    let body: SignUpIn = payload.parse()?;
    let entered = entry::sign_up(&state, &arrival, (&body, Audience::Wallet)).await?;
    came_in(&state, entered, |body| Reply::created(body, "/v1/me"))
}

/// Log in
///
/// By e-mail address or handle. A wrong password and an unknown name have one answer. Tries are
/// counted per account and per address of the network; nobody is locked out for good.
#[utoipa::path(
    post,
    path = "/v1/login",
    tag = "People",
    request_body(content = LoginIn, example = json!(
        {"login": "asha@example.com", "password": "a long sentence is best"})),
    responses((status = 200, description = "They are in.", body = SignedInOut)),
)]
pub(super) async fn log_in(
    State(state): State<ApiState>,
    headers: HeaderMap,
    arrival: Arrival,
    payload: Payload,
) -> Result<Response, Problem> {
    check_origin(&state, &headers)?;
    let body: LoginIn = payload.parse()?;
    let entered = entry::log_in(&state, &arrival, (&body, Audience::Wallet)).await?;
    came_in(&state, entered, Reply::ok)
}

/// Log out
///
/// The session is dead at once, in every process.
#[utoipa::path(
    post,
    path = "/v1/logout",
    tag = "People",
    request_body(content = NothingIn, example = json!({})),
    responses((status = 200, description = "They are out.", body = DoneOut)),
)]
pub(super) async fn log_out(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Response, Problem> {
    let NothingIn {} = payload.parse_or_empty()?;
    entry::log_out(&state, &who).await?;
    let mut response = Reply::ok(DoneOut::new()).into_response();
    SessionCookie::Clear(Audience::Wallet).put(&mut response);
    Ok(response)
}

/// Ask for another password
///
/// Sends a link, if there is somebody with this address. The answer is the same if there is not.
#[utoipa::path(
    post,
    path = "/v1/password/forgot",
    tag = "People",
    request_body(content = EmailIn, example = json!({"email": "asha@example.com"})),
    responses((status = 200, description = "Sent, if there is somebody.", body = DoneOut)),
)]
pub(super) async fn forgot(
    State(state): State<ApiState>,
    headers: HeaderMap,
    client: ClientAddress,
    payload: Payload,
) -> Result<Reply<DoneOut>, Problem> {
    check_origin(&state, &headers)?;
    let body: EmailIn = payload.parse()?;
    entry::forgot(&state, client, &body.email).await?;
    Ok(Reply::ok(DoneOut::new()))
}

/// Choose another password by the link
///
/// The link is good for ten minutes, once. All sessions end, and one begins.
#[utoipa::path(
    post,
    path = "/v1/password/reset",
    tag = "People",
    request_body(content = ResetIn, example = json!(
        {"token": "c2l4dHktZm91ciBieXRlcyB3b3VsZCBiZSB0b28gbXU", "password": "another sentence"})),
    responses((status = 200, description = "They are in.", body = SignedInOut)),
)]
pub(super) async fn reset(
    State(state): State<ApiState>,
    headers: HeaderMap,
    arrival: Arrival,
    payload: Payload,
) -> Result<Response, Problem> {
    check_origin(&state, &headers)?;
    let body: ResetIn = payload.parse()?;
    let entered = entry::reset(&state, &arrival, (&body.token, &body.password)).await?;
    came_in(&state, entered, Reply::ok)
}
