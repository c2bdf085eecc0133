//! `/app/security`: sessions and the password.

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{after, errors_of, shown_again};
use crate::{
    entry,
    http::{ApiState, Problem, context::RequestContext, session::SignedForm, session::see_other},
    logins::{
        pages::{LoginView, views},
        server::{Consent, ConsentId, http::in_words},
    },
    pages::{FormErrors, Layout, Nav, PageContext, Visitor, respond, ui::When},
    sessions::{Session, SessionId},
};

const PATH: &str = "/app/security";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/app/security/password", post(password))
        .route("/app/security/sessions/end", post(end))
        .route("/app/security/sessions/end-others", post(end_others))
        .route("/app/security/apps/end", post(end_app))
}

#[derive(Template)]
#[template(path = "people/security.html")]
struct SecurityView {
    layout: Layout,
    errors: FormErrors,
    sessions: Vec<SessionRow>,
    has_others: bool,
    logins: Vec<LoginRow>,
    apps: Vec<AppRow>,
}

/// A frontend of others that may act for them.
struct AppRow {
    id: String,
    name: String,
    may: Vec<&'static str>,
    since: When,
    until: When,
}

/// Another provider, and whether it is a way in.
struct LoginRow {
    name: String,
    label: String,
    linked: Option<When>,
}

struct SessionRow {
    id: String,
    browser: String,
    is_current: bool,
    began: When,
    seen: When,
}

async fn view(visitor: &Visitor, errors: FormErrors) -> Result<SecurityView, Problem> {
    let all = visitor.state.sessions.of(visitor.who.person.id).await?;
    let row = |session: &Session| SessionRow {
        id: session.id.to_string(),
        browser: browser(&session.agent),
        is_current: session.id == visitor.who.session.id,
        began: visitor.when(session.created_at),
        seen: visitor.when(session.seen_at),
    };
    let logins = views(&visitor.state, visitor.who.person.id).await?;
    let login = |view: LoginView| LoginRow {
        name: view.name,
        label: view.label,
        linked: view.linked_at.map(|at| visitor.when(at)),
    };
    let now = visitor.state.sessions.now();
    let apps = visitor.state.frontends.consents.of(visitor.who.person.id, now).await?;
    let app = |consent: Consent| AppRow {
        id: consent.id.to_string(),
        name: consent.name,
        may: consent.scopes.iter().map(in_words).collect(),
        since: visitor.when(consent.since),
        until: visitor.when(consent.until),
    };
    Ok(SecurityView {
        apps: apps.into_iter().map(app).collect(),
        logins: logins.into_iter().map(login).collect(),
        layout: visitor.layout("Security", Nav::Account),
        errors,
        has_others: all.len() > 1,
        sessions: all.iter().map(row).collect(),
    })
}

/// What people call their browser, as far as it says so.
fn browser(agent: &str) -> String {
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
    };
    let name = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (name, system) {
        (Some(name), Some(system)) => format!("{name} on {system}"),
        (Some(name), None) => name.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => "An unknown browser".to_owned(),
    }
}

async fn page(visitor: Visitor) -> Result<Response, Problem> {
    Ok(respond::page(&view(&visitor, FormErrors::none()).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordForm {
    password: String,
}

async fn password(
    State(state): State<ApiState>,
    with: (PageContext, RequestContext),
    SignedForm { who, form }: SignedForm<PasswordForm>,
) -> Result<Response, Problem> {
    let done = entry::change_password(&state, &who, &form.password).await;
    let visitor = Visitor::new(state, who, with)?;
    match done {
        Err(problem) if problem.status() == 422 => {
            let view = view(&visitor, errors_of(problem, &["password"])?).await?;
            Ok(shown_again(422, &view))
        }
        done => after(&visitor, done, (PATH, PATH), |_, problem| Err(problem)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndForm {
    id: String,
}

async fn end(
    State(state): State<ApiState>,
    SignedForm { who, form }: SignedForm<EndForm>,
) -> Result<Response, Problem> {
    // One that is gone already is what was wanted.
    if let Ok(id) = form.id.parse::<SessionId>() {
        state.sessions.end(who.person.id, id).await?;
    }
    Ok(see_other(PATH))
}

async fn end_app(
    State(state): State<ApiState>,
    SignedForm { who, form }: SignedForm<EndForm>,
) -> Result<Response, Problem> {
    if let Ok(id) = form.id.parse::<ConsentId>() {
        let now = state.sessions.now();
        state.frontends.consents.end(who.person.id, id, now).await?;
    }
    Ok(see_other(PATH))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn end_others(
    State(state): State<ApiState>,
    SignedForm { who, form: NoFields {} }: SignedForm<NoFields>,
) -> Result<Response, Problem> {
    state.sessions.end_all(who.person.id, Some(who.session.id)).await?;
    Ok(see_other(PATH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_called_as_people_call_them() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26 Safari/605";
        assert_eq!(browser(safari), "Safari on iPhone");
        assert_eq!(browser("<script>"), "An unknown browser");
    }
}
