//! The bank's net-banking page, where a person pays, declines or walks away.
//!
//! Plain HTML from the server, without scripts. It works with a keyboard, a screen reader and a
//! narrow window, and it says that it is a test: nobody should type a password here.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde::Deserialize;

use super::{App, bank};
use crate::{
    Command, Decision,
    clock::bank_day,
    credits::{Link, LinkStatus},
    receipts::CUSTOMER,
};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#111827}
main{max-width:32rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.25rem 1rem}
dd{margin:0;overflow-wrap:anywhere;font-variant-numeric:tabular-nums}
button,.back{display:block;width:100%;box-sizing:border-box;min-height:44px;margin:.5rem 0;
padding:.5rem 1rem;font:inherit;text-align:left;border:1px solid #4b5563;border-radius:.5rem;
background:#fff;color:#111827}
button:first-of-type{background:#1d4ed8;border-color:#1d4ed8;color:#fff}
:focus-visible{outline:3px solid #9a3412;outline-offset:2px}
.note{border-left:4px solid #9a3412;padding-left:.75rem}
@media(prefers-color-scheme:dark){body{background:#0b1017;color:#e7ecf2}
button,.back{background:#141b24;color:#e7ecf2;border-color:#a3b0bf}
button:first-of-type{background:#8fb4ff;border-color:#8fb4ff;color:#0b1017}
:focus-visible,.note{outline-color:#f2a271;border-color:#f2a271}}
";

/// Nothing from elsewhere, no script, no frame; a form may lead back to the shop.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; \
                      form-action 'self' http: https:; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Arc<App>> {
    // A token can't contain a dot.
    Router::new().route("/page.css", get(style)).route("/{token}", get(show).post(decide))
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pressed {
    decision: Decision,
}

async fn show(
    State(app): State<Arc<App>>,
    Path((code, token)): Path<(String, String)>,
) -> Response {
    let link = bank(&code).ok().and_then(|bank| app.sandbox.page(bank, &token));
    match link {
        Some(link) => page(StatusCode::OK, &title(&code), &body(&app, &link)),
        None => unknown(&code),
    }
}

async fn decide(
    State(app): State<Arc<App>>,
    Path((code, token)): Path<(String, String)>,
    form: Result<Form<Pressed>, FormRejection>,
) -> Response {
    let Ok(bank) = bank(&code) else {
        return unknown(&code);
    };
    let Some(link) = app.sandbox.page(bank, &token) else {
        return unknown(&code);
    };
    let Ok(Form(Pressed { decision })) = form else {
        let text = "<p>Please go back and press one of the buttons.</p>";
        return page(StatusCode::UNPROCESSABLE_ENTITY, &title(&code), text);
    };
    if decision == Decision::Close {
        let text = "<p>Nothing was paid. You can close this tab; the page stays open for you.</p>";
        return page(StatusCode::OK, &title(&code), text);
    }
    let reply = app.sandbox.execute(Command::Decide(bank, token, decision));
    let reply = app.held(reply).await;
    if reply.status != 200 {
        let text = "<p>The bank did not answer. We don't know whether you paid: \
                    look at your account before you pay again.</p>";
        return page(StatusCode::GATEWAY_TIMEOUT, &title(&code), text);
    }
    match &link.request.return_url {
        Some(url) => Redirect::to(url.as_str()).into_response(),
        None => Redirect::to(&link.url).into_response(),
    }
}

fn title(code: &str) -> String {
    format!("{} test bank", code.to_uppercase())
}

fn unknown(code: &str) -> Response {
    let text = "<p>There is no payment here. The link may be mistyped.</p>";
    page(StatusCode::NOT_FOUND, &format!("{} test bank", escaped(code)), text)
}

/// What the page says of a link.
fn body(app: &App, link: &Link) -> String {
    let request = &link.request;
    let mut html = String::from("<p class=\"note\">This is a test. No real money moves here.</p>");
    let day = bank_day(app.sandbox.clock().now());
    let payer = match &request.payer {
        Some(payer) => escaped(payer.name.as_str()),
        // Whoever opens the page: the test bank has one customer and no login.
        None => format!("The test bank's only one, in the name of {CUSTOMER}"),
    };
    let facts = [
        ("Amount", format!("₹{}", request.amount)),
        ("Reference", escaped(request.token.as_str())),
        ("Paying account", payer),
        ("Date", day.to_string()),
    ];
    html.push_str("<dl>");
    for (name, value) in facts {
        // Writing to a string can't fail.
        write!(html, "<dt>{name}</dt><dd>{value}</dd>").ok();
    }
    html.push_str("</dl>");
    match link.status {
        LinkStatus::Open => html.push_str(&buttons()),
        LinkStatus::Approved => html.push_str("<p role=\"status\">You have paid.</p>"),
        LinkStatus::Declined { .. } => {
            html.push_str("<p role=\"status\">This payment was declined.</p>");
        }
    }
    if let Some(url) = &request.return_url {
        let url = escaped(url.as_str());
        write!(html, "<p><a class=\"back\" href=\"{url}\">Back to where you came from</a></p>")
            .ok();
    }
    html
}

fn buttons() -> String {
    let buttons = [
        ("approve", "Approve"),
        ("decline", "Decline"),
        ("close", "Leave without deciding"),
        ("approve_silently", "Approve, but lose the bank's message"),
    ];
    let mut html = String::from("<form method=\"post\">");
    for (value, label) in buttons {
        write!(html, "<button name=\"decision\" value=\"{value}\">{label}</button>").ok();
    }
    html.push_str("</form>");
    html
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"page.css\"></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let headers: [(HeaderName, &str); 4] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, html).into_response()
}
