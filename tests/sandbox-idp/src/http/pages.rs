//! The page where a person says who they are and agrees, or does not.
//!
//! Plain HTML without scripts. It says that it is a test: nobody should type a password here.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, Query, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{App, refused};
use crate::{
    desk::Asked,
    faults::{Fault, Provider},
};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#111827}
main{max-width:28rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}
button{display:block;width:100%;min-height:44px;margin:.5rem 0;padding:.5rem 1rem;font:inherit;
text-align:left;border:1px solid #4b5563;border-radius:.5rem;background:#fff;color:#111827}
:focus-visible{outline:3px solid #9a3412;outline-offset:2px}
.note{border-left:4px solid #9a3412;padding-left:.75rem}
@media(prefers-color-scheme:dark){body{background:#0b1017;color:#e7ecf2}
button{background:#141b24;color:#e7ecf2;border-color:#a3b0bf}}
";

/// Nothing from elsewhere, no script, no frame; the form leads back to the service.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
                      form-action 'self' http: https:; frame-ancestors 'none'";

pub(super) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(provider) = Provider::parse(&provider) else {
        return refused(StatusCode::NOT_FOUND, "there is no such provider");
    };
    let desk = app.desk();
    if let Some(objection) = desk.objection(&asked) {
        return refused(StatusCode::BAD_REQUEST, objection);
    }
    let name = match provider {
        Provider::Google => "Google",
        Provider::Github => "GitHub",
    };
    let nonce = asked.nonce.clone().unwrap_or_default();
    let challenge = asked.code_challenge.clone().unwrap_or_default();
    let hidden = [
        ("response_type", "code"),
        ("client_id", &asked.client_id),
        ("redirect_uri", &asked.redirect_uri),
        ("state", &asked.state),
        ("scope", &asked.scope),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .map(|(field, value)| {
        let value = escaped(value);
        format!("<input type=\"hidden\" name=\"{field}\" value=\"{value}\">")
    });
    let people = desk.people().iter().map(|person| {
        let (login, name) = (escaped(&person.login), escaped(&person.name));
        let email = escaped(&person.email);
        format!("<button name=\"person\" value=\"{login}\">Go on as {name}, {email}</button>")
    });
    let body = format!(
        "<h1>Sandbox {name}</h1>\
         <p class=\"note\">This stands in for {name} while you try Bahi. It asks for no password: \
         say who you want to be.</p><p>{} wants to know who you are.</p>\
         <form method=\"post\">{}{}\
         <button name=\"person\" value=\"\">Don't let it know</button></form>",
        escaped(&asked.client_id),
        hidden.concat(),
        people.collect::<String>(),
    );
    page(&body)
}

/// What is pressed, and the question again.
#[derive(Debug, Deserialize)]
pub(super) struct Pressed {
    person: String,
    #[serde(flatten)]
    asked: Asked,
}

pub(super) async fn decide(
    State(app): State<Arc<App>>,
    Path(provider): Path<String>,
    Form(pressed): Form<Pressed>,
) -> Response {
    let Some(provider) = Provider::parse(&provider) else {
        return refused(StatusCode::NOT_FOUND, "there is no such provider");
    };
    let mut asked = pressed.asked;
    asked.nonce = asked.nonce.filter(|nonce| !nonce.is_empty());
    let mut desk = app.desk();
    if let Some(objection) = desk.objection(&asked) {
        return refused(StatusCode::BAD_REQUEST, objection);
    }
    let fault = desk.fault(provider);
    let code = if pressed.person.is_empty() || fault == Fault::Refused {
        None
    } else {
        match desk.consent(provider, &asked, &pressed.person) {
            Ok(Some(code)) => Some(code),
            Ok(None) => return refused(StatusCode::BAD_REQUEST, "there is nobody of this login"),
            Err(error) => {
                return refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
            }
        }
    };
    Redirect::to(&back(&app.issuer(provider), provider, &asked, code.as_deref(), fault))
        .into_response()
}

/// Where the browser goes, and with what.
fn back(
    issuer: &str,
    provider: Provider,
    asked: &Asked,
    code: Option<&str>,
    fault: Fault,
) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    match code {
        Some(code) => query.append_pair("code", code),
        None => query.append_pair("error", "access_denied"),
    };
    let foreign = "a-state-that-nobody-has-ever-asked-with";
    query.append_pair("state", if fault == Fault::ForeignState { foreign } else { &asked.state });
    if fault == Fault::ForeignIssResponse {
        query.append_pair("iss", "https://elsewhere.example");
    } else if provider == Provider::Google {
        // GitHub does not say it.
        query.append_pair("iss", issuer);
    }
    let separator = if asked.redirect_uri.contains('?') { '&' } else { '?' };
    format!("{}{separator}{}", asked.redirect_uri, query.finish())
}

fn page(body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Sandbox login</title><link rel=\"stylesheet\" href=\"page.css\"></head>\
         <body><main>{body}</main></body></html>"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
    ];
    (headers, html).into_response()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
