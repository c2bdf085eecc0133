//! Oneself.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};

use super::body::{ChangeIn, DoneOut, EmailIn, NothingIn, PasswordIn, PersonOut, PhoneIn};
use crate::{
    entry,
    http::{
        ApiState, Problem,
        json::Payload,
        query::{NoParams, Params},
        reach::Reaching as _,
        reply::Reply,
        session::{SessionCookie, SignedIn},
    },
    identity::{Caller, Scope},
    sessions::Audience,
};

/// Get oneself
///
/// By a session or a person's token.
#[utoipa::path(
    get,
    path = "/v1/me",
    tag = "People",
    responses((status = 200, description = "Who asks.", body = PersonOut)),
)]
pub(super) async fn me(
    State(state): State<ApiState>,
    caller: Caller,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<PersonOut>, Problem> {
    let id = caller.person(&[Scope::BalancesRead])?;
    let person = state.people.by_id(id).await?.ok_or_else(entry::gone)?;
    Ok(Reply::ok(PersonOut::of(&person)?))
}

/// Change name or handle
#[utoipa::path(
    patch,
    path = "/v1/me",
    tag = "People",
    request_body(content = ChangeIn, example = json!({"name": "Asha R. Rao"})),
    responses((status = 200, description = "As it is from here on.", body = PersonOut)),
)]
pub(super) async fn change(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Reply<PersonOut>, Problem> {
    let body: ChangeIn = payload.parse()?;
    let names = (body.name.as_deref(), body.handle.as_deref());
    let person = entry::rename(&state, &who, names).await?;
    Ok(Reply::ok(PersonOut::of(&person)?))
}

/// Change the e-mail address
///
/// It has to be proved again. Needs a proof of who it is that is not older than ten minutes.
#[utoipa::path(
    post,
    path = "/v1/me/email",
    tag = "People",
    request_body(content = EmailIn, example = json!({"email": "asha.rao@example.com"})),
    responses((status = 200, description = "As it is from here on.", body = PersonOut)),
)]
pub(super) async fn change_email(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Reply<PersonOut>, Problem> {
    let body: EmailIn = payload.parse()?;
    let person = entry::change_email(&state, &who, &body.email).await?;
    Ok(Reply::ok(PersonOut::of(&person)?))
}

/// Change the phone number
///
/// It has to be proved again. Needs a proof of who it is that is not older than ten minutes.
#[utoipa::path(
    post,
    path = "/v1/me/phone",
    tag = "People",
    request_body(content = PhoneIn, example = json!({"phone": "+919812345679"})),
    responses((status = 200, description = "As it is from here on.", body = PersonOut)),
)]
pub(super) async fn change_phone(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Reply<PersonOut>, Problem> {
    let body: PhoneIn = payload.parse()?;
    let person = entry::change_phone(&state, &who, body.phone.as_deref()).await?;
    Ok(Reply::ok(PersonOut::of(&person)?))
}

/// Choose another password
///
/// All other sessions end. Needs a proof of who it is that is not older than ten minutes.
#[utoipa::path(
    post,
    path = "/v1/password",
    tag = "People",
    request_body(content = PasswordIn, example = json!({"password": "another long sentence"})),
    responses((status = 200, description = "It holds from here on.", body = DoneOut)),
)]
pub(super) async fn change_password(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Reply<DoneOut>, Problem> {
    let body: PasswordIn = payload.parse()?;
    entry::change_password(&state, &who, &body.password).await?;
    Ok(Reply::ok(DoneOut::new()))
}

/// Get everything that is kept about oneself
#[utoipa::path(
    get,
    path = "/v1/me/export",
    tag = "People",
    responses((status = 200, description = "All of it.", body = serde_json::Value)),
)]
pub(super) async fn export(
    State(state): State<ApiState>,
    who: SignedIn,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<serde_json::Value>, Problem> {
    Ok(Reply::ok(entry::export(&state, &who).await?))
}

/// Close one's account
///
/// Only at a balance of zero and with nothing on its way. Nobody gets in any more; what is known is
/// kept as long as the law wants, and erased then. Needs a proof of who it is that is not older
/// than ten minutes.
#[utoipa::path(
    post,
    path = "/v1/me/close",
    tag = "People",
    request_body(content = NothingIn, example = json!({})),
    responses((status = 200, description = "It is closed.", body = DoneOut)),
)]
pub(super) async fn close(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Response, Problem> {
    let NothingIn {} = payload.parse_or_empty()?;
    entry::close(&state, &who).await?;
    let mut response = Reply::ok(DoneOut::new()).into_response();
    SessionCookie::Clear(Audience::Wallet).put(&mut response);
    Ok(response)
}
