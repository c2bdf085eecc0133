//! Proofs: that an address and a number are theirs, that papers were seen.

use axum::extract::State;

use super::body::{CodeIn, DoneOut, NothingIn, PersonOut, VerificationIn};
use crate::{
    entry,
    http::{
        ApiState, Problem, json::Payload, peer::ClientAddress, reply::Reply, session::SignedIn,
    },
};

/// Have a code sent
///
/// Of six digits, good for ten minutes and five tries, once. A new one ends the one before.
#[utoipa::path(
    post,
    path = "/v1/verifications",
    tag = "People",
    request_body(content = VerificationIn, example = json!({"kind": "phone"})),
    responses((status = 200, description = "It is on its way.", body = DoneOut)),
)]
pub(super) async fn send(
    State(state): State<ApiState>,
    who: SignedIn,
    client: ClientAddress,
    payload: Payload,
) -> Result<Reply<DoneOut>, Problem> {
    let body: VerificationIn = payload.parse()?;
    entry::send_code(&state, &who, client, body.kind).await?;
    Ok(Reply::ok(DoneOut::new()))
}

/// Say the code that came
#[utoipa::path(
    post,
    path = "/v1/verifications/confirm",
    tag = "People",
    request_body(content = CodeIn, example = json!({"kind": "phone", "code": "123456"})),
    responses((status = 200, description = "It is proved.", body = PersonOut)),
)]
pub(super) async fn confirm(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Reply<PersonOut>, Problem> {
    let body: CodeIn = payload.parse()?;
    let person = entry::confirm_code(&state, &who, body.kind, &body.code).await?;
    Ok(Reply::ok(PersonOut::of(&person)?))
}

/// Say that one's papers were seen
///
/// In the demonstration alone: no office that looks at papers is connected to this service.
#[utoipa::path(
    post,
    path = "/v1/me/papers",
    tag = "People",
    request_body(content = NothingIn, example = json!({})),
    responses((status = 200, description = "It is noted.", body = PersonOut)),
)]
pub(super) async fn papers(
    State(state): State<ApiState>,
    who: SignedIn,
    payload: Payload,
) -> Result<Reply<PersonOut>, Problem> {
    let NothingIn {} = payload.parse_or_empty()?;
    let person = entry::say_papers_seen(&state, &who).await?;
    Ok(Reply::ok(PersonOut::of(&person)?))
}
