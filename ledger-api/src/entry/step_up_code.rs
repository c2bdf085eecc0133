//! The code by mail that goes with a provider's word.
//!
//! A provider that cannot be made to ask again who sits there vouches for whoever has the browser,
//! and whoever has the browser is the one to be told apart from its owner. So its word gets them a
//! code at their proved address, and only the code is the proof.

use super::{gone, throttle};
use crate::{
    http::{
        ApiState, Problem, codes,
        session::{SignedIn, signed_out},
    },
    people::{Issued, PersonId, Purpose, Rate},
    post::Letter,
    sessions::Token,
};

/// Sends the code, to who has proved an address.
pub(crate) async fn send_step_up_code(state: &ApiState, who: &SignedIn) -> Result<(), Problem> {
    let person = state.people.by_id(who.person.id).await?.ok_or_else(gone)?;
    if person.email_verified_at.is_none() {
        let detail = "Confirm your e-mail address first: the code goes there.";
        return Err(Problem::new(codes::VERIFICATION_NEEDED, detail));
    }
    throttle(state, Rate::SEND, &subject(person.id)).await?;
    let target = state.people.key().email(&person.email);
    let now = state.sessions.now();
    let Issued { code, .. } = state.people.issue(person.id, Purpose::StepUp, &target, now).await?;
    let text = format!(
        "Hello {name},\n\nyour code is {code}. It is good for 10 minutes, once, in the browser \
         that you asked for it in.\n\nIf you did not ask for this, somebody is at your browser: \
         end your sessions under Security.\n",
        name = person.name.expose(),
    );
    let subject = "Your code to go on".to_owned();
    let to = person.email.expose().to_owned();
    state.people_settings.post.mail(Letter { to, subject, text });
    Ok(())
}

/// Takes the code; the session's new token.
pub(crate) async fn step_up_by_code(
    state: &ApiState,
    who: &SignedIn,
    code: &str,
) -> Result<Token, Problem> {
    let id = who.person.id;
    throttle(state, Rate::CONFIRM, &subject(id)).await?;
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let proof = state.people.take_code(id, Purpose::StepUp, &code, state.sessions.now()).await?;
    // It proves nothing once they have another address.
    let is_theirs = proof == Some(state.people.key().email(&who.person.email));
    if !is_theirs {
        let detail = "This code is not valid, or not any more. Log in at the provider once more.";
        return Err(Problem::field(codes::CODE_REFUSED, "/code", detail));
    }
    state.sessions.renew(who.session.id).await?.ok_or_else(signed_out)
}

fn subject(id: PersonId) -> Vec<u8> {
    [id.uuid().as_bytes().as_slice(), Purpose::StepUp.as_str().as_bytes()].concat()
}
