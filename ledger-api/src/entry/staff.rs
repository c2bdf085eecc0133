//! Who may come to a desk. Looked at when they log in and again with every request.

use crate::{
    access_log::{DESK_REFUSED, Entry},
    http::{ApiState, Problem, codes},
    people::{Person, PersonId},
    sessions::Audience,
    staff::Staff,
};

/// Somebody as a member of staff at a desk; nothing if they do not work there now.
pub(crate) async fn at_desk(
    state: &ApiState,
    person: &Person,
    desk: Audience,
) -> Result<Option<Staff>, Problem> {
    let appointed = state.staff.at_desk(person.id, desk, state.sessions.now()).await?;
    let staff =
        |(roles, until)| Staff { person: person.id, name: person.name.clone(), roles, until };
    Ok(appointed.map(staff))
}

/// Notes that somebody was turned away, who did prove who they are.
async fn turned_away(state: &ApiState, person: PersonId, desk: Audience) -> Result<(), Problem> {
    metrics::counter!("bahi_logins_refused_total").increment(1);
    let entry = Entry {
        who: &person.to_string(),
        what: DESK_REFUSED,
        subject: desk.home(),
        reason: "not appointed to a role at this desk",
    };
    Ok(state.access_log.record(&entry).await?)
}

/// Goes on only if they work there now.
pub(super) async fn require(
    state: &ApiState,
    person: PersonId,
    desk: Audience,
) -> Result<(), Problem> {
    if state.staff.at_desk(person, desk, state.sessions.now()).await?.is_some() {
        return Ok(());
    }
    turned_away(state, person, desk).await?;
    // The words of a wrong password: who works where is nobody's business.
    let detail = "There is no account with this e-mail address or handle and this password.";
    Err(Problem::new(codes::LOGIN_REFUSED, detail))
}
