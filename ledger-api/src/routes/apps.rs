//! `/v1/me/apps`: the frontends of others that somebody lets act for them.
//!
//! For sessions alone: a frontend that was let in must see no other one, nor end its access.

use axum::extract::State;
use ledger_core::clock::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    http::{
        ApiState, Problem,
        path::Id,
        query::{NoParams, Params},
        reply::Reply,
        session::SignedIn,
    },
    identity::Scope,
    logins::server::{Consent, ConsentId},
    people::PersonId,
};

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(end))
}

/// A frontend that acts for you.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = App)]
struct AppOut {
    /// Which consent of yours.
    #[schema(example = "grant_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `app`.
    #[schema(example = "app")]
    object: &'static str,
    /// The frontend's id.
    #[schema(example = "app_3x8f0k2m9q7c5v1z4t6b")]
    client_id: String,
    /// What it calls itself.
    #[schema(example = "Asha pays")]
    name: String,
    /// What you let it do.
    scopes: Vec<&'static str>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it stops at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// All frontends that act for you.
#[derive(Debug, Serialize, ToSchema)]
struct AppList {
    /// The newest first.
    data: Vec<AppOut>,
    /// Always false: all of them are here.
    has_more: bool,
}

impl From<Consent> for AppOut {
    fn from(consent: Consent) -> Self {
        Self {
            id: consent.id.to_string(),
            object: "app",
            client_id: consent.client_id,
            name: consent.name,
            scopes: consent.scopes.iter().map(Scope::as_str).collect(),
            created_at: consent.since,
            expires_at: consent.until,
        }
    }
}

async fn all(state: &ApiState, person: PersonId) -> Result<AppList, Problem> {
    let now = state.sessions.now();
    let consents = state.frontends.consents.of(person, now).await?;
    Ok(AppList { data: consents.into_iter().map(AppOut::from).collect(), has_more: false })
}

/// List the apps that I let in
///
/// Frontends of others whose tokens act for you at the moment.
#[utoipa::path(
    get,
    path = "/v1/me/apps",
    tag = "People",
    responses((
        status = 200,
        description = "All of them.",
        body = AppList,
        example = json!({"data": [{"id": "grant_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "object": "app", "client_id": "app_3x8f0k2m9q7c5v1z4t6b", "name": "Asha pays",
            "scopes": ["balances:read", "transfers:write"],
            "created_at": "2026-11-22T14:02:11.004000Z",
            "expires_at": "2027-02-20T14:02:11.004000Z"}], "has_more": false})
    )),
)]
async fn list(
    State(state): State<ApiState>,
    who: SignedIn,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<AppList>, Problem> {
    Ok(Reply::ok(all(&state, who.person.id).await?))
}

/// End the access of an app
///
/// All tokens that it has of you are worth nothing from here on.
#[utoipa::path(
    delete,
    path = "/v1/me/apps/{id}",
    tag = "People",
    params(("id" = String, Path, description = "The consent")),
    responses((
        status = 200,
        description = "What is left.",
        body = AppList,
        example = json!({"data": [], "has_more": false})
    )),
)]
async fn end(
    State(state): State<ApiState>,
    who: SignedIn,
    Id(id): Id<ConsentId>,
) -> Result<Reply<AppList>, Problem> {
    let now = state.sessions.now();
    if !state.frontends.consents.end(who.person.id, id, now).await? {
        return Err(Problem::not_found("There is nothing of this id."));
    }
    Ok(Reply::ok(all(&state, who.person.id).await?))
}
