//! Whom the login pages of the demonstration offer to be.

use crate::{
    http::{ApiState, Problem},
    people::DEMO_PEOPLE,
    sessions::Audience,
    shops::DEMO_SHOPS,
    staff::DEMO_STAFF,
};

/// Somebody of the demonstration.
pub(super) struct DemoLogin {
    pub(super) login: String,
    pub(super) name: String,
    /// What they are, or are found by.
    pub(super) what: String,
}

/// Those who are there already: the demonstration moves in while its pages are open.
pub(super) async fn demo_logins(
    state: &ApiState,
    audience: Audience,
) -> Result<Vec<DemoLogin>, Problem> {
    match audience {
        Audience::Wallet => people(state).await,
        Audience::Shop => shops(state).await,
        Audience::Audit | Audience::Ops => staff(state, audience).await,
    }
}

async fn people(state: &ApiState) -> Result<Vec<DemoLogin>, Problem> {
    let mut logins = Vec::new();
    for (handle, _) in DEMO_PEOPLE {
        let Ok(recipient) = handle.parse() else { continue };
        if let Some(face) = state.people.find(&recipient).await? {
            logins.push(DemoLogin {
                login: face.handle.to_string(),
                name: face.name.expose().to_owned(),
                what: format!("@{}", face.handle),
            });
        }
    }
    Ok(logins)
}

async fn shops(state: &ApiState) -> Result<Vec<DemoLogin>, Problem> {
    let mut logins = Vec::new();
    for shop in DEMO_SHOPS {
        let Ok(handle) = shop.handle.parse() else { continue };
        if !state.shops.is_taken(&handle).await? {
            continue;
        }
        let people = [(shop.owner, "owner"), (shop.cashier, "cashier")];
        logins.extend(people.map(|((name, handle), role)| DemoLogin {
            login: handle.to_owned(),
            name: name.to_owned(),
            what: format!("{role}, {}", shop.display_name),
        }));
    }
    Ok(logins)
}

async fn staff(state: &ApiState, desk: Audience) -> Result<Vec<DemoLogin>, Problem> {
    let mut logins = Vec::new();
    for one in DEMO_STAFF {
        let Ok(recipient) = one.handle.parse() else { continue };
        let Some(face) = state.people.find(&recipient).await? else { continue };
        let now = state.sessions.now();
        if let Some((roles, _)) = state.staff.at_desk(face.id, desk, now).await? {
            logins.push(DemoLogin {
                login: face.handle.to_string(),
                name: face.name.expose().to_owned(),
                what: roles.to_string(),
            });
        }
    }
    Ok(logins)
}
