//! Where a service redeems a code.

use std::sync::Arc;

use axum::{
    Form, Json,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::Utc;
use serde::Deserialize;
use serde_json::json;

use super::{App, refused};
use crate::{
    desk::{Grant, Redemption},
    faults::{Fault, Provider},
    id_token::{self, About},
    keys::NoRandom,
};

/// What a service shows.
#[derive(Debug, Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    redirect_uri: String,
    #[serde(default)]
    code_verifier: String,
    client_id: Option<String>,
    client_secret: Option<String>,
}

pub(super) async fn redeem(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    Form(shown): Form<Shown>,
) -> Response {
    let Some(provider) = Provider::parse(&provider) else {
        return refused(StatusCode::NOT_FOUND, "there is no such provider");
    };
    let fault = match app.faulty(provider).await {
        Ok(fault) => fault,
        Err(garbage) => return garbage,
    };
    if shown.grant_type != "authorization_code" {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let in_body = shown.client_id.clone().zip(shown.client_secret.clone());
    let Some((client_id, secret)) = basic(&headers).or(in_body) else {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    };
    let redemption = Redemption {
        provider,
        code: &shown.code,
        client_id: &client_id,
        secret: &secret,
        redirect_uri: &shown.redirect_uri,
        verifier: &shown.code_verifier,
    };
    let redeemed = app.desk().redeem(&redemption);
    match redeemed {
        Ok(grant) => granted(&app, &grant, fault)
            .unwrap_or_else(|error| refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())),
        Err(error) => refused(StatusCode::BAD_REQUEST, error),
    }
}

fn granted(app: &App, grant: &Grant, fault: Fault) -> Result<Response, NoRandom> {
    let token = app.desk().issue(grant.number)?;
    let mut answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": 3599});
    if grant.provider == Provider::Google && fault != Fault::NoIdToken {
        let desk = app.desk();
        if let Some(person) = desk.person(grant.number) {
            let about = About {
                issuer: &app.issuer(grant.provider),
                client_id: &grant.client_id,
                nonce: grant.nonce.as_deref(),
                person,
                now: Utc::now().timestamp(),
            };
            answer["id_token"] = json!(id_token::signed(&app.keys, &about, fault));
        }
    }
    Ok(Json(answer).into_response())
}

/// The name and the secret of `Authorization: Basic …`, each of which is encoded as in a form.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let shown = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let bytes = STANDARD.decode(shown.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

fn decoded(text: &str) -> String {
    let line = format!("x={text}");
    form_urlencoded::parse(line.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}
