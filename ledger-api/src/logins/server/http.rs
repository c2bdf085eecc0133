//! The endpoints: consent, tokens, revocation, and what there is.

use askama::Template;
use axum::{
    Json, Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Client, Redemption, TokenError,
    grants::ACCESS,
    question::{Asked, Faulty, Question, consider, sent_back},
};
use crate::{
    entry::throttle,
    http::{
        ApiState, CSP, Problem,
        peer::ClientAddress,
        session::{SignedForm, SignedInPage, form_bytes},
    },
    identity::{Caller, Scope},
    pages::{Layout, Nav, PageContext, Viewer, respond},
    people::Rate,
};

/// How often one network may ask for tokens.
const RATE: Rate = Rate { name: "oauth-token", burst: 60, seconds: 1 };

/// The routes.
pub(crate) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/oauth/authorize", get(show).post(decide))
        .route("/oauth/token", post(token))
        .route("/oauth/revoke", post(revoke))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

/// What somebody is asked.
#[derive(Template)]
#[template(path = "logins/consent.html")]
struct Consent {
    layout: Layout,
    client: String,
    host: String,
    may: Vec<&'static str>,
    asked: Asked,
}

async fn show(
    State(state): State<ApiState>,
    asked: Result<Query<Asked>, QueryRejection>,
    SignedInPage(who): SignedInPage,
    context: PageContext,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(|_| Faulty::Fields)?;
    let issuer = issuer(&state)?;
    let question = match consider(&state, &asked).await? {
        Ok(question) => question,
        Err(error) => return Ok(sent_back(&asked, issuer, &[("error", error)])),
    };
    let viewer = Viewer {
        name: who.person.name.expose().to_owned(),
        handle: who.person.handle.as_str().to_owned(),
        csrf: who.csrf(&state),
    };
    let Question { client, scopes, origin } = question;
    let mut response = respond::page(&Consent {
        layout: context.layout(format!("Let {} in?", client.name), Nav::None, Some(viewer)),
        client: client.name,
        host: origin.split("//").nth(1).unwrap_or_default().to_owned(),
        may: scopes.iter().map(in_words).collect(),
        asked,
    });
    // Browsers hold a form to where its answer leads, too.
    let policy = CSP.replace("form-action 'self'", &format!("form-action 'self' {origin}"));
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// What is pressed, and the question again.
#[derive(Deserialize)]
struct Pressed {
    decision: String,
    #[serde(flatten)]
    asked: Asked,
}

async fn decide(
    State(state): State<ApiState>,
    SignedForm { who, form }: SignedForm<Pressed>,
) -> Result<Response, Problem> {
    let Pressed { decision, asked } = form;
    let issuer = issuer(&state)?;
    let question = match consider(&state, &asked).await? {
        Ok(question) => question,
        Err(error) => return Ok(sent_back(&asked, issuer, &[("error", error)])),
    };
    if decision != "allow" {
        return Ok(sent_back(&asked, issuer, &[("error", "access_denied")]));
    }
    let of = (state.ids.fresh(), question.client.id.as_str(), who.person.id);
    let to = (asked.redirect_uri.as_str(), asked.challenge());
    let now = state.sessions.now();
    let code = state.frontends.grants.consent(of, question.scopes, to, now).await;
    let code = code.map_err(|error| Problem::internal(&projections::describe(&error)))?;
    tracing::info!(person = %who.person.id, client = question.client.id, "a frontend was let in");
    Ok(sent_back(&asked, issuer, &[("code", code.reveal())]))
}

/// What is shown for tokens.
#[derive(Deserialize)]
struct Shown {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    code_verifier: String,
    #[serde(default)]
    refresh_token: String,
}

async fn token(
    State(state): State<ApiState>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    throttle(&state, RATE, &address.counted()).await?;
    let Some(shown) = form::<Shown>(request).await? else {
        return Ok(refused(StatusCode::BAD_REQUEST, "invalid_request"));
    };
    let Some(client) = known(&state, &shown.client_id).await? else {
        return Ok(refused(StatusCode::UNAUTHORIZED, "invalid_client"));
    };
    let now = state.sessions.now();
    let grants = &state.frontends.grants;
    let issued = match shown.grant_type.as_str() {
        "authorization_code" => {
            let redemption = Redemption {
                client_id: &client.id,
                code: &shown.code,
                redirect_uri: &shown.redirect_uri,
                verifier: &shown.code_verifier,
            };
            grants.redeem(&redemption, now).await
        }
        "refresh_token" => grants.refresh(&client.id, &shown.refresh_token, now).await,
        _other => return Ok(refused(StatusCode::BAD_REQUEST, "unsupported_grant_type")),
    };
    match issued {
        Ok(issued) => {
            let scopes: Vec<&str> = issued.scopes.iter().map(Scope::as_str).collect();
            Ok(Json(json!({
                "access_token": issued.access, "token_type": "Bearer",
                "expires_in": ACCESS.num_seconds(), "refresh_token": issued.refresh,
                "scope": scopes.join(" "),
            }))
            .into_response())
        }
        Err(TokenError::Refused | TokenError::Reused) => {
            Ok(refused(StatusCode::BAD_REQUEST, "invalid_grant"))
        }
        Err(TokenError::Database(error)) => Err(error.into()),
        Err(TokenError::Random(error)) => Err(Problem::internal(&error)),
    }
}

/// What is to be worth nothing any more.
#[derive(Deserialize)]
struct Ended {
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    token: String,
}

async fn revoke(
    State(state): State<ApiState>,
    address: ClientAddress,
    request: Request,
) -> Result<Response, Problem> {
    throttle(&state, RATE, &address.counted()).await?;
    let Some(ended) = form::<Ended>(request).await? else {
        return Ok(refused(StatusCode::BAD_REQUEST, "invalid_request"));
    };
    let Some(client) = known(&state, &ended.client_id).await? else {
        return Ok(refused(StatusCode::UNAUTHORIZED, "invalid_client"));
    };
    let now = state.sessions.now();
    state.frontends.grants.revoke(&client.id, &ended.token, now).await?;
    Ok(StatusCode::OK.into_response())
}

async fn metadata(State(state): State<ApiState>) -> Result<Response, Problem> {
    let issuer = issuer(&state)?;
    Ok(Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth/authorize"),
        "token_endpoint": format!("{issuer}/oauth/token"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "scopes_supported": Caller::OF_PEOPLE.map(Scope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "service_documentation": format!("{issuer}/docs"),
    }))
    .into_response())
}

/// What we call ourselves: where people find us.
fn issuer(state: &ApiState) -> Result<&str, Problem> {
    let url = state.people_settings.base();
    let url = url.ok_or_else(|| Problem::not_found("Frontends of others are not let in here."))?;
    Ok(url.as_str())
}

async fn known(state: &ApiState, client_id: &str) -> Result<Option<Client>, Problem> {
    Ok(state.frontends.clients.find(client_id).await?)
}

/// A form's fields; nothing if one is there twice. Fields that nobody knows are passed over.
async fn form<T: DeserializeOwned>(request: Request) -> Result<Option<T>, Problem> {
    let bytes = form_bytes(request).await?;
    Ok(serde_urlencoded::from_bytes(&bytes).ok())
}

/// What is wrong, as OAuth 2 says it.
fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

/// What a scope lets somebody do, in their own words.
pub(crate) fn in_words(scope: Scope) -> &'static str {
    match scope {
        Scope::BalancesRead => "See your balances and your activity",
        Scope::DepositsWrite => "Begin to add money",
        Scope::TransfersWrite => "Send your money to others",
        Scope::WithdrawalsWrite => "Send your money to your bank accounts",
        Scope::PaymentsWrite => "Pay shops with your money",
        // Not of people; what is asked for is held to theirs before it comes here.
        Scope::LedgerRead
        | Scope::LedgerWrite
        | Scope::EventsRead
        | Scope::RefundsWrite
        | Scope::WebhooksWrite
        | Scope::AuditRead
        | Scope::OpsRead
        | Scope::OpsWrite
        | Scope::OpsApprove
        | Scope::Admin => "Something that is not for people",
    }
}
