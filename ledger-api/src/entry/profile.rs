//! Changing what is known of oneself: name, handle, address, number, password.

use super::{Arrival, Entered, begin, both, throttle, with_wallet, wrong_name, wrong_password};
use crate::{
    http::{ApiState, Problem, codes, peer::ClientAddress, session::SignedIn},
    people::{
        Email, Password, Person, PersonId, Purpose, Rate, Status,
        step_up::{self, Act},
    },
    post::Letter,
    sessions::{Audience, Token},
};

/// Goes on only if they proved a short while ago who they are, where the act takes that.
pub(crate) fn require_step_up(state: &ApiState, who: &SignedIn, act: Act) -> Result<(), Problem> {
    if step_up::needed(&who.session, act, state.sessions.now()) {
        let detail = "Give your password again, then repeat this.";
        return Err(Problem::new(codes::STEP_UP_NEEDED, detail));
    }
    Ok(())
}

/// Another name, another handle, or both. Papers that were seen do not speak for another name.
pub(crate) async fn rename(
    state: &ApiState,
    who: &SignedIn,
    (name, handle): (Option<&str>, Option<&str>),
) -> Result<Person, Problem> {
    let id = who.person.id;
    let name = name.map(str::parse).transpose().map_err(|error| wrong_name("/name", error));
    let handle = handle.map(str::parse).transpose().map_err(|error| wrong_name("/handle", error));
    let (name, handle) = both(name, handle)?;
    // The handle first: it may be taken, and then the name stays too.
    if let Some(handle) = handle {
        state.people.set_handle(id, &handle).await?;
    }
    if let Some(name) = name.filter(|name| *name != who.person.name) {
        state.people.rename(id, &name).await?;
    }
    settled(state, who).await
}

/// Another address; the one before is told.
pub(crate) async fn change_email(
    state: &ApiState,
    who: &SignedIn,
    email: &str,
) -> Result<Person, Problem> {
    require_step_up(state, who, Act::ChangeCredentials)?;
    let email: Email = email.parse().map_err(|error| wrong_name("/email", error))?;
    state.people.set_email(who.person.id, &email).await?;
    if email != who.person.email {
        tell(state, &who.person, "Your e-mail address was changed");
    }
    settled(state, who).await
}

/// Another number, or none.
pub(crate) async fn change_phone(
    state: &ApiState,
    who: &SignedIn,
    phone: Option<&str>,
) -> Result<Person, Problem> {
    require_step_up(state, who, Act::ChangeCredentials)?;
    let phone = phone.filter(|phone| !phone.trim().is_empty());
    let phone = phone.map(str::parse).transpose().map_err(|error| wrong_name("/phone", error))?;
    state.people.set_phone(who.person.id, phone.as_ref()).await?;
    if phone != who.person.phone {
        tell(state, &who.person, "Your phone number was changed");
    }
    settled(state, who).await
}

/// Another password: all other sessions end.
pub(crate) async fn change_password(
    state: &ApiState,
    who: &SignedIn,
    password: &str,
) -> Result<(), Problem> {
    require_step_up(state, who, Act::ChangeCredentials)?;
    let person = &who.person;
    let own = [person.name.expose(), person.handle.as_str(), person.email.expose()];
    let password: Result<Password, _> = password.parse();
    let password = password.and_then(|password| password.unlike(&own));
    let password = password.map_err(|error| wrong_password("/password", error))?;
    let hash = state.passwords.hash(password).await?;
    let now = state.sessions.now();
    state.people.set_password(person.id, &hash, Some(who.session.id), now).await?;
    tell(state, person, "Your password was changed");
    Ok(())
}

/// Sends a link that sets the password anew, if there is somebody with this address. The answer is
/// the same, and as fast, if there is not.
pub(crate) async fn forgot(
    state: &ApiState,
    client: ClientAddress,
    email: &str,
) -> Result<(), Problem> {
    let email: Email = email.parse().map_err(|error| wrong_name("/email", error))?;
    throttle(state, Rate::SEND_ADDRESS, &client.counted()).await?;
    throttle(state, Rate::SEND, &state.people.key().email(&email)).await?;
    let state = state.clone();
    tokio::spawn(async move {
        if let Err(problem) = send_reset(&state, &email).await {
            tracing::warn!(code = problem.code(), "a link for a password was not sent");
        }
    });
    Ok(())
}

async fn send_reset(state: &ApiState, email: &Email) -> Result<(), Problem> {
    let found = state.people.credential(email.expose()).await?;
    let Some(found) = found.filter(|found| found.status == Status::Active) else { return Ok(()) };
    let target = state.people.key().email(email);
    let now = state.sessions.now();
    let issued = state.people.issue(found.id, Purpose::Reset, &target, now).await?;
    let address = state.people_settings.link(&format!("/reset?token={}", issued.link.reveal()));
    let text = format!(
        "Follow this link to choose another password:\n\n{address}\n\nIt is good for 10 minutes, \
         once. All your sessions end with it. If you did not ask for this, do nothing.\n"
    );
    let (to, subject) = (email.expose().to_owned(), "Choose another password".to_owned());
    state.people_settings.post.mail(Letter { to, subject, text });
    Ok(())
}

/// Ends every way in of somebody but a proof of their address, and sends them a link for that. What
/// nobody at the desk ever sees is a password or a link.
pub(crate) async fn reset_for(state: &ApiState, id: PersonId) -> Result<(), Problem> {
    let person = state.people.by_id(id).await?.ok_or_else(super::gone)?;
    state.logins.end_all(id, state.sessions.now()).await?;
    state.people.revoke_credentials(id).await?;
    tell(state, &person, "We ended all your sessions and the ways to log in");
    send_reset(state, &person.email).await
}

/// Sets the password anew by the link, which also proves the address; ends every session there was
/// and begins one.
pub(crate) async fn reset(
    state: &ApiState,
    arrival: &Arrival,
    (token, password): (&str, &str),
) -> Result<Entered, Problem> {
    throttle(state, Rate::LOGIN_ADDRESS, &arrival.client.counted()).await?;
    let password: Password =
        password.parse().map_err(|error| wrong_password("/password", error))?;
    let refused = || {
        let detail = "This link is not valid, or not any more. Have a new one sent.";
        Problem::field(codes::CODE_REFUSED, "/token", detail)
    };
    let token: Token = token.parse().map_err(|_| refused())?;
    let hash = state.passwords.hash(password).await?;
    let now = state.sessions.now();
    let proof = state.people.take_link(Purpose::Reset, &token, now).await?;
    let (id, target) = proof.ok_or_else(refused)?;
    // Before the password: with another address meanwhile, the link is worth nothing.
    if !state.people.note_email_proved(id, &target, now).await? {
        return Err(refused());
    }
    state.people.set_password(id, &hash, None, now).await?;
    begin(state, arrival, (id, Audience::Wallet)).await
}

/// Tells somebody at the address that they had that something was changed.
fn tell(state: &ApiState, person: &Person, what: &str) {
    let text = format!(
        "Hello {},\n\n{what}. If that was not you, choose another password now: {}\n",
        person.name.expose(),
        state.people_settings.link("/forgot"),
    );
    let to = person.email.expose().to_owned();
    state.people_settings.post.mail(Letter { to, subject: what.to_owned(), text });
}

async fn settled(state: &ApiState, who: &SignedIn) -> Result<Person, Problem> {
    let person = state.people.by_id(who.person.id).await?.ok_or_else(super::gone)?;
    Ok(with_wallet(state, person).await)
}
