//! Logging in and out, and proving again who one is.
//!
//! A wrong password and an unknown name are one and the same answer, after the same work.

use serde::Deserialize;
use utoipa::ToSchema;

use super::{Arrival, Entered, begin, throttle};
use crate::{
    http::{ApiState, Problem, codes, session::SignedIn},
    people::{Checked, Credential, Password, Rate, Status},
    sessions::{Audience, Token},
};

/// Who wants to log in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LoginInput)]
pub(crate) struct LoginIn {
    /// The e-mail address or the handle.
    #[schema(example = "asha@example.com")]
    pub(crate) login: String,
    /// The password.
    #[schema(example = "a long sentence is best")]
    pub(crate) password: String,
}

/// Signs somebody in by their password.
pub(crate) async fn log_in(
    state: &ApiState,
    arrival: &Arrival,
    (given, audience): (&LoginIn, Audience),
) -> Result<Entered, Problem> {
    let client = arrival.client.counted();
    throttle(state, Rate::LOGIN_ADDRESS, &client).await?;
    let login = given.login.trim().to_lowercase();
    let found = state.people.credential(&login).await?;
    // One account counts as one however it is named; what is no account counts as what was typed.
    let account = match &found {
        Some(credential) => credential.id.uuid().as_bytes().to_vec(),
        None => login.into_bytes(),
    };
    let pair = [client.as_slice(), account.as_slice()].concat();
    throttle(state, Rate::LOGIN_PAIR, &pair).await?;
    throttle(state, Rate::LOGIN_ACCOUNT, &account).await?;

    let found = found.filter(|credential| credential.status == Status::Active);
    let kept = found.as_ref().and_then(|credential| credential.password.as_ref());
    let checked = state.passwords.check(&given.password, kept).await?;
    let (Some(credential), Checked::Right { is_outdated }) = (found, checked) else {
        metrics::counter!("bahi_logins_refused_total").increment(1);
        return Err(refused());
    };
    for (rate, subject) in
        [(Rate::LOGIN_ADDRESS, &client), (Rate::LOGIN_PAIR, &pair), (Rate::LOGIN_ACCOUNT, &account)]
    {
        state.throttles.give_back(rate, subject).await?;
    }
    if is_outdated {
        keep_in_todays_way(state, &credential, &given.password).await?;
    }
    begin(state, arrival, (credential.id, audience)).await
}

/// The one answer to everybody who is not let in.
fn refused() -> Problem {
    let detail = "There is no account with this e-mail address or handle and this password.";
    Problem::new(codes::LOGIN_REFUSED, detail)
}

async fn keep_in_todays_way(
    state: &ApiState,
    credential: &Credential,
    password: &str,
) -> Result<(), Problem> {
    // One of before a rule that it breaks today stays as it is.
    let Ok(password) = password.parse::<Password>() else { return Ok(()) };
    let Some(before) = &credential.password else { return Ok(()) };
    let now = state.passwords.hash(password).await?;
    Ok(state.people.rehash(credential.id, before, &now).await?)
}

/// Ends a session.
pub(crate) async fn log_out(state: &ApiState, who: &SignedIn) -> Result<(), Problem> {
    state.sessions.end(who.person.id, who.session.id).await?;
    Ok(())
}

/// Proves again who it is: the session gets another token.
pub(crate) async fn step_up(
    state: &ApiState,
    who: &SignedIn,
    password: &str,
) -> Result<Token, Problem> {
    let account = who.person.id.uuid();
    throttle(state, Rate::STEP_UP, account.as_bytes()).await?;
    let credential = state.people.credential_of(who.person.id).await?;
    let kept = credential.as_ref().and_then(|credential| credential.password.as_ref());
    match state.passwords.check(password, kept).await? {
        Checked::Wrong => {
            let detail = "This is not your password.";
            Err(Problem::field(codes::LOGIN_REFUSED, "/password", detail))
        }
        Checked::Right { .. } => {
            state.throttles.give_back(Rate::STEP_UP, account.as_bytes()).await?;
            let renewed = state.sessions.renew(who.session.id).await?;
            renewed.ok_or_else(crate::http::session::signed_out)
        }
    }
}
