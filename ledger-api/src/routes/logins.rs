//! `/v1/me/logins`: by which other providers somebody logs in.
//!
//! For sessions alone: a frontend that was let in must not change how people come in.

use axum::extract::State;
use ledger_core::clock::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        ApiState, Problem, codes,
        path::Id,
        query::{NoParams, Params},
        reply::Reply,
        session::SignedIn,
    },
    logins::pages::{LoginView, remove, views},
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(unlink))
}

/// A provider, and whether you log in by it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Login)]
struct LoginOut {
    /// Always `login`.
    #[schema(example = "login")]
    object: String,
    /// The provider's name.
    #[schema(example = "google")]
    provider: String,
    /// What people call it.
    #[schema(example = "Google")]
    label: String,
    /// Whether you log in by it.
    linked: bool,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    linked_at: Option<Timestamp>,
    /// The page that links it: a browser has to go there.
    #[schema(example = "/app/security/logins/google")]
    link: String,
}

/// All providers.
#[derive(Debug, Serialize, ToSchema)]
struct LoginList {
    /// By name.
    data: Vec<LoginOut>,
    /// Always false: all of them are here.
    has_more: bool,
}

impl From<LoginView> for LoginOut {
    fn from(view: LoginView) -> Self {
        Self {
            object: "login".to_owned(),
            link: format!("/app/security/logins/{}", view.name),
            provider: view.name,
            label: view.label,
            linked: view.linked_at.is_some(),
            linked_at: view.linked_at,
        }
    }
}

/// List my logins
///
/// The providers that one can log in by here, and which of them are linked.
#[utoipa::path(
    get,
    path = "/v1/me/logins",
    tag = "People",
    responses((status = 200, description = "All providers.", body = LoginList)),
)]
async fn list(
    State(state): State<ApiState>,
    who: SignedIn,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<LoginList>, Problem> {
    let views = views(&state, who.person.id).await?;
    let data = views.into_iter().map(LoginOut::from).collect();
    Ok(Reply::ok(LoginList { data, has_more: false }))
}

/// Unlink a login
///
/// Refused for the only way left to log in. Needs a proof of who it is that is not older than ten
/// minutes.
#[utoipa::path(
    delete,
    path = "/v1/me/logins/{provider}",
    tag = "People",
    params(("provider" = String, Path, description = "The provider's name.")),
    responses((
        status = 200,
        description = "What is left.",
        body = LoginList,
        example = json!({"data": [{"object": "login", "provider": "google", "label": "Google",
            "linked": false, "linked_at": null, "link": "/app/security/logins/google"}],
            "has_more": false})
    )),
)]
async fn unlink(
    State(state): State<ApiState>,
    who: SignedIn,
    Id(provider): Id<String>,
) -> Result<Reply<LoginList>, Problem> {
    if !who.session.is_recent(state.sessions.now()) {
        return Err(Problem::new(codes::STEP_UP_NEEDED, "Give your password again first."));
    }
    remove(&state, who.person.id, &provider).await?;
    let views = views(&state, who.person.id).await?;
    let data = views.into_iter().map(LoginOut::from).collect();
    Ok(Reply::ok(LoginList { data, has_more: false }))
}
