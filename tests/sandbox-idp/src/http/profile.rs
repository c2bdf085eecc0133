//! What an access token reads: `userinfo` of OpenID Connect, `/user` and `/user/emails` of GitHub.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{App, refused};
use crate::{
    faults::{Fault, Provider},
    id_token::person_claims,
    people::Person,
};

pub(super) async fn userinfo(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    answer(&app, &headers, Provider::Google, |person, fault| {
        Value::Object(person_claims(person, fault))
    })
    .await
}

pub(super) async fn user(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    answer(&app, &headers, Provider::Github, |person, _| {
        // GitHub shows an address here only to those whom a person lets see it.
        json!({"id": person.number, "login": person.login, "name": person.name,
               "email": null, "type": "User"})
    })
    .await
}

pub(super) async fn emails(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    answer(&app, &headers, Provider::Github, |person, fault| {
        if fault == Fault::NoEmail {
            return json!([]);
        }
        let verified = person.email_verified && fault != Fault::UnverifiedEmail;
        let old = format!("{}@old.example", person.login);
        json!([
            {"email": old, "primary": false, "verified": true, "visibility": null},
            {"email": person.email, "primary": true, "verified": verified,
             "visibility": "private"},
        ])
    })
    .await
}

async fn answer(
    app: &App,
    headers: &HeaderMap,
    provider: Provider,
    say: impl Fn(&Person, Fault) -> Value,
) -> Response {
    let fault = match app.faulty(provider).await {
        Ok(fault) => fault,
        Err(garbage) => return garbage,
    };
    if !headers.contains_key(header::USER_AGENT) {
        return refused(StatusCode::FORBIDDEN, "say who you are (User-Agent)");
    }
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let desk = app.desk();
    let person = shown.and_then(|shown| shown.strip_prefix("Bearer ")).and_then(|t| desk.bearer(t));
    match person {
        Some(person) => Json(say(person, fault)).into_response(),
        None => refused(StatusCode::UNAUTHORIZED, "invalid_token"),
    }
}
