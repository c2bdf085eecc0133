//! Appoints the demo's auditor and the two at its desk.

use chrono::TimeDelta;
use ledger_api::{
    http::ApiState,
    sessions::Audience,
    staff::{DEMO_STAFF, DemoStaff, NewAppointment},
};

use super::shops::person;

/// A demo may lie around for a while.
const FOR: TimeDelta = TimeDelta::days(365);
const BY: &str = "bahi demo";

/// All of them; who was appointed already stays so.
pub(super) async fn appoint(state: &ApiState) -> anyhow::Result<()> {
    for one in DEMO_STAFF {
        let id = person(state, (one.name, one.handle)).await?;
        // By the clock that sessions go by: the demo's own runs through the days of its history.
        let at = state.sessions.now();
        let until = at + FOR;
        for role in one.roles {
            let known = state.staff.at_desk(id, role.desk(), at).await?;
            if known.is_some_and(|(roles, _)| roles.has(*role)) {
                continue;
            }
            let appointment = state.ids.fresh();
            let new =
                NewAppointment { id: appointment, person: id, role: *role, by: BY, at, until };
            state.staff.appoint(&new).await?;
        }
    }
    Ok(())
}

/// Who works at a desk, as its login takes it.
pub(super) fn logins(desk: Audience) -> String {
    let works_there = |one: &&DemoStaff| one.roles.iter().any(|role| role.desk() == desk);
    let handles: Vec<&str> = DEMO_STAFF.iter().filter(works_there).map(|one| one.handle).collect();
    handles.join(" or ")
}
