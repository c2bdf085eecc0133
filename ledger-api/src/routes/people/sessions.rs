//! Sessions: which there are, and their end.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};

use super::body::{DoneOut, PasswordIn, SessionList, SessionOut, SignedInOut};
use crate::{
    entry,
    http::{
        ApiState, Problem,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reply::Reply,
        session::{SessionCookie, SignedIn},
    },
    sessions::{Audience, SessionId},
};

/// List one's sessions
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "People",
    responses((status = 200, description = "All that are alive.", body = SessionList)),
)]
pub(super) async fn list(
    State(state): State<ApiState>,
    who: SignedIn,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<SessionList>, Problem> {
    let all = state.sessions.of(who.person.id).await?;
    let out = |session| SessionOut::of(&state, session, session.id == who.session.id);
    let data = all.iter().map(out).collect();
    Ok(Reply::ok(SessionList { data, has_more: false }))
}

/// End one's other sessions
#[utoipa::path(
    delete,
    path = "/v1/sessions",
    tag = "People",
    responses((status = 200, description = "They have ended.", body = DoneOut)),
)]
pub(super) async fn end_others(
    State(state): State<ApiState>,
    who: SignedIn,
) -> Result<Reply<DoneOut>, Problem> {
    state.sessions.end_all(who.person.id, Some(who.session.id)).await?;
    Ok(Reply::ok(DoneOut::new()))
}

/// Get the session that asks
///
/// With the CSRF token that its requests need.
#[utoipa::path(
    get,
    path = "/v1/sessions/current",
    tag = "People",
    responses((status = 200, description = "It, and whose it is.", body = SignedInOut)),
)]
pub(super) async fn current(
    State(state): State<ApiState>,
    who: SignedIn,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<SignedInOut>, Problem> {
    Ok(Reply::ok(SignedInOut::of(&state, &who.person, &who.session)?))
}

/// Prove again who one is
///
/// For what takes a proof that is not older than ten minutes. The cookie is another one from here
/// on; the CSRF token stays.
#[utoipa::path(
    post,
    path = "/v1/sessions/current/reauthenticate",
    tag = "People",
    request_body(content = PasswordIn, example = json!({"password": "a long sentence is best"})),
    responses((status = 200, description = "It counts for ten minutes.", body = DoneOut)),
)]
pub(super) async fn reauthenticate(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Response, Problem> {
    let body: PasswordIn = payload.parse()?;
    let token = entry::step_up(&state, &who, &body.password).await?;
    let mut response = Reply::ok(DoneOut::new()).into_response();
    SessionCookie::Set(Audience::Wallet, token).put(&mut response);
    Ok(response)
}

/// End one of one's sessions
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    tag = "People",
    params(("id" = String, Path, description = "The session")),
    responses((status = 200, description = "It has ended.", body = DoneOut)),
)]
pub(super) async fn end(
    State(state): State<ApiState>,
    who: SignedIn,
    Id(id): Id<SessionId>,
) -> Result<Reply<DoneOut>, Problem> {
    if !state.sessions.end(who.person.id, id).await? {
        return Err(Problem::not_found("There is nothing of this id."));
    }
    Ok(Reply::ok(DoneOut::new()))
}
