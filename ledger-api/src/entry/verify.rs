//! Proving that an address and a number are theirs, and (in the demonstration) saying that papers
//! were seen.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{throttle, with_wallet};
use crate::{
    http::{ApiState, Problem, codes, peer::ClientAddress, session::SignedIn},
    identity::Caller,
    people::{Issued, Person, PersonId, Purpose, Rate},
    post::Letter,
    sessions::Token,
};

/// What is to be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = VerificationKind)]
pub(crate) enum Kind {
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
}

impl Kind {
    const fn purpose(self) -> Purpose {
        match self {
            Self::Email => Purpose::Email,
            Self::Phone => Purpose::Phone,
        }
    }
}

/// Sends a code; by mail a link as well.
pub(crate) async fn send_code(
    state: &ApiState,
    who: &SignedIn,
    client: ClientAddress,
    kind: Kind,
) -> Result<(), Problem> {
    throttle(state, Rate::SEND_ADDRESS, &client.counted()).await?;
    send(state, &who.person, kind).await
}

/// Sends the codes that somebody new is asked for next, by themselves. That one is not sent is no
/// failure of the sign-up: the page that asks for it has a button.
pub(super) async fn send_first(state: &ApiState, person: &Person) {
    let phone = person.phone.as_ref().map(|_| Kind::Phone);
    for kind in std::iter::once(Kind::Email).chain(phone) {
        if let Err(problem) = send(state, person, kind).await {
            tracing::warn!(person = %person.id, code = problem.code(), "a first code was not sent");
        }
    }
}

async fn send(state: &ApiState, person: &Person, kind: Kind) -> Result<(), Problem> {
    let key = state.people.key();
    let target = match (kind, &person.phone) {
        (Kind::Email, _) => key.email(&person.email),
        (Kind::Phone, Some(phone)) => key.phone(phone),
        (Kind::Phone, None) => {
            return Err(Problem::field(codes::INVALID, "/kind", "There is no phone number."));
        }
    };
    throttle(state, Rate::SEND, &subject(person.id, kind)).await?;
    let now = state.sessions.now();
    let Issued { code, link } = state.people.issue(person.id, kind.purpose(), &target, now).await?;
    match (kind, &person.phone) {
        (Kind::Phone, Some(phone)) => {
            let text = format!(
                "{code} is your Bahi code. It is good for 10 minutes. Nobody of us ever asks for \
                 it."
            );
            state.people_settings.post.message(phone.expose().to_owned(), text);
        }
        (Kind::Email | Kind::Phone, _) => {
            let address = state.people_settings.link(&format!("/verify?token={}", link.reveal()));
            let text = format!(
                "Hello {name},\n\nyour code is {code}. Or follow this link:\n\n{address}\n\nBoth \
                 are good for 10 minutes, once. If you did not ask for this, do nothing.\n",
                name = person.name.expose(),
            );
            let subject = "Confirm your e-mail address".to_owned();
            let to = person.email.expose().to_owned();
            state.people_settings.post.mail(Letter { to, subject, text });
        }
    }
    Ok(())
}

fn subject(id: PersonId, kind: Kind) -> Vec<u8> {
    [id.uuid().as_bytes().as_slice(), kind.purpose().as_str().as_bytes()].concat()
}

fn refused(pointer: &str) -> Problem {
    let detail = "This code is not valid, or not any more. Have a new one sent.";
    Problem::field(codes::CODE_REFUSED, pointer, detail)
}

/// Takes the code that was sent.
pub(crate) async fn confirm_code(
    state: &ApiState,
    who: &SignedIn,
    kind: Kind,
    code: &str,
) -> Result<Person, Problem> {
    let id = who.person.id;
    throttle(state, Rate::CONFIRM, &subject(id, kind)).await?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let now = state.sessions.now();
    let proof = state.people.take_code(id, kind.purpose(), &code, now).await?;
    let target = proof.ok_or_else(|| refused("/code"))?;
    let is_noted = match kind {
        Kind::Email => state.people.note_email_proved(id, &target, now).await?,
        Kind::Phone => state.people.note_phone_proved(id, &target, now).await?,
    };
    if is_noted { settled(state, id).await } else { Err(refused("/code")) }
}

/// Takes the link that was sent by mail, whoever is signed in.
pub(crate) async fn confirm_link(state: &ApiState, token: &str) -> Result<Person, Problem> {
    let token: Token = token.parse().map_err(|_| refused("/token"))?;
    let now = state.sessions.now();
    let proof = state.people.take_link(Purpose::Email, &token, now).await?;
    let (id, target) = proof.ok_or_else(|| refused("/token"))?;
    let is_noted = state.people.note_email_proved(id, &target, now).await?;
    if is_noted { settled(state, id).await } else { Err(refused("/token")) }
}

/// Whether somebody has to prove who it is before anything leaves their wallet.
pub(crate) fn must_prove(state: &ApiState, person: &Person) -> bool {
    !state.people_settings.small_sends && !person.is_verified()
}

/// Goes on only for who may send: of people, those who have proved who they are.
pub(crate) async fn require_proved(state: &ApiState, caller: &Caller) -> Result<(), Problem> {
    let Some(id) = caller.person else { return Ok(()) };
    let person = state.people.by_id(id).await?.ok_or_else(super::gone)?;
    if must_prove(state, &person) {
        let detail = "Prove your address, your number and your papers first.";
        return Err(Problem::new(codes::VERIFICATION_NEEDED, detail));
    }
    Ok(())
}

/// Notes that papers were seen. No office that sees papers is connected: only the demonstration
/// takes a person's own word for it.
pub(crate) async fn say_papers_seen(state: &ApiState, who: &SignedIn) -> Result<Person, Problem> {
    if !state.demo {
        let detail = "Nobody who looks at papers is connected to this service.";
        return Err(Problem::not_found(detail));
    }
    state.people.note_papers_seen(who.person.id, state.sessions.now()).await?;
    settled(state, who.person.id).await
}

async fn settled(state: &ApiState, id: PersonId) -> Result<Person, Problem> {
    let person = state.people.by_id(id).await?.ok_or_else(super::gone)?;
    Ok(with_wallet(state, person).await)
}
