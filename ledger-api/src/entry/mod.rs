//! Coming and going: signing up, logging in, proving who one is, leaving. What the routes of the
//! API and the pages share, so that one rule holds for both.
//!
//! Each function checks what it is given, counts the try, does the work and says no by a problem
//! with the fields that are wrong. Where a request comes from was checked before (`http::session`).

mod leave;
mod login;
mod payee;
mod profile;
mod sign_up;
mod staff;
mod step_up_code;
mod verify;

pub(crate) use leave::{close, close_for, export};
pub(crate) use login::{LoginIn, log_in, log_out, step_up};
pub(crate) use payee::check_payee;
pub(crate) use profile::{
    change_email, change_password, change_phone, forgot, rename, require_step_up, reset, reset_for,
};
pub(crate) use sign_up::{SignUpIn, admit, sign_up};
pub(crate) use staff::at_desk;
pub(crate) use step_up_code::{send_step_up_code, step_up_by_code};
pub(crate) use verify::{
    Kind, confirm_code, confirm_link, must_prove, require_proved, say_papers_seen, send_code,
};

use crate::{
    http::{ApiState, Problem, codes, peer::ClientAddress, session::agent},
    people::{HashingError, NameError, PasswordError, Person, PersonId, Rate, Wait},
    sessions::{Audience, Session, Token},
};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

/// Who comes, before it is known who it is.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// The address of the network.
    pub(crate) client: ClientAddress,
    /// What the browser calls itself.
    pub(crate) agent: String,
    /// The sessions that they had until now, by what they are for.
    pub(crate) before: Vec<Session>,
}

impl FromRequestParts<ApiState> for Arrival {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let client = ClientAddress::from_request_parts(parts, state).await?;
        let headers: &HeaderMap = &parts.headers;
        let mut before = Vec::new();
        for audience in Audience::ALL {
            before.extend(crate::http::session::session(headers, state, audience).await?);
        }
        Ok(Self { client, agent: agent(headers).to_owned(), before })
    }
}

/// Somebody who just came in.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    /// What the cookie holds from here on.
    pub(crate) token: Token,
    /// Their session.
    pub(crate) session: Session,
    /// Who it is.
    pub(crate) person: Person,
}

/// Begins a session for somebody who proved who they are. The one that the browser had for the same
/// audience ends; those for others stay.
pub(crate) async fn begin(
    state: &ApiState,
    arrival: &Arrival,
    (id, audience): (PersonId, Audience),
) -> Result<Entered, Problem> {
    for before in arrival.before.iter().filter(|before| before.audience == audience) {
        state.sessions.end(before.person, before.id).await?;
    }
    let mut person = state.people.by_id(id).await?.ok_or_else(gone)?;
    if audience.is_staff() {
        // Asked for before; this is the door that all of them come through.
        staff::require(state, id, audience).await?;
    } else {
        person = with_wallet(state, person).await;
    }
    let (token, session) = state.sessions.begin(id, audience, &arrival.agent).await?;
    Ok(Entered { token, session, person })
}

/// The person with the wallet that they should have. If the ledger does not answer they come in
/// all the same, and the next request tries again.
pub(crate) async fn with_wallet(state: &ApiState, person: Person) -> Person {
    let is_settled = person.wallet_opened_at.is_some()
        && person.due_tier().is_ok_and(|due| person.wallet_tier.as_ref() == Some(&due));
    if is_settled {
        return person;
    }
    match state.wallets.settle(&person).await {
        Ok(()) => state.people.by_id(person.id).await.ok().flatten().unwrap_or(person),
        Err(error) => {
            let error = projections::describe(&error);
            tracing::warn!(%error, person = %person.id, "a wallet is not as it should be");
            person
        }
    }
}

/// Counts a try, and refuses one too many.
pub(crate) async fn throttle(state: &ApiState, rate: Rate, subject: &[u8]) -> Result<(), Problem> {
    let now = state.sessions.now();
    state.throttles.take(rate, subject, now).await?.map_err(|Wait(seconds)| {
        metrics::counter!("bahi_throttled_total", "rate" => rate.name).increment(1);
        let unit = if seconds == 1 { "second" } else { "seconds" };
        let detail = format!("Too many tries. Try again in {seconds} {unit}.");
        Problem::new(codes::TOO_MANY_TRIES, detail).retry_after(seconds)
    })
}

pub(crate) fn gone() -> Problem {
    Problem::not_found("There is no such person.")
}

impl From<HashingError> for Problem {
    fn from(error: HashingError) -> Self {
        Self::internal(&error)
    }
}

/// What is wrong with a field, as a sentence.
pub(crate) fn wrong_name(pointer: &str, error: NameError) -> Problem {
    let code = match error {
        NameError::HandleReserved => codes::HANDLE_TAKEN,
        NameError::Handle | NameError::Email | NameError::Phone | NameError::Name => codes::INVALID,
    };
    Problem::field(code, pointer, crate::http::problem::sentence(&error.to_string()))
}

pub(crate) fn wrong_password(pointer: &str, error: PasswordError) -> Problem {
    let detail = crate::http::problem::sentence(&error.to_string());
    Problem::field(codes::PASSWORD_WEAK, pointer, detail)
}

/// Both, or what is wrong with either: a form is told everything at once.
pub(crate) fn both<A, B>(
    one: Result<A, Problem>,
    other: Result<B, Problem>,
) -> Result<(A, B), Problem> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(one), Err(other)) => Err(one.and(&other)),
        (Err(wrong), Ok(_)) | (Ok(_), Err(wrong)) => Err(wrong),
    }
}
