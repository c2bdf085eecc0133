//! A page that says one thing, and where to go on.

use askama::Template;
use axum::{http::StatusCode, response::Response};

use crate::{
    http::Problem,
    logins::{LinkError, LoginError, Outcome, OutcomeError, Provider},
    pages::{Layout, Nav, PageContext, respond},
};

/// The page.
#[derive(Template)]
#[template(path = "logins/said.html")]
struct Said {
    layout: Layout,
    text: String,
    /// Whether pressing the same again may help.
    again: Option<String>,
}

fn page(
    context: &PageContext,
    status: StatusCode,
    (title, text): (&str, String),
    again: Option<String>,
) -> Response {
    let layout = context.layout(title, Nav::None, None);
    respond::page_with(status, &Said { layout, text, again })
}

/// There is no provider of this name.
pub(super) fn no_provider() -> Problem {
    Problem::not_found("There is no login of this name.")
}

/// Why nothing came of a login.
pub(super) fn failed(context: &PageContext, provider: &Provider, error: &LoginError) -> Response {
    let label = provider.label();
    // What the provider sent is not in there; ours to find out is whose fault it was.
    let reason = projections::describe(error);
    tracing::warn!(provider = provider.name(), %reason, "a login came to nothing");
    metrics::counter!("bahi_provider_logins_refused_total").increment(1);
    let again = Some(format!("/login/{}", provider.name()));
    match error {
        LoginError::Foreign => {
            let text = format!(
                "This answer from {label} doesn't belong to a login that this browser began in the \
                 last ten minutes. Nobody was signed in."
            );
            page(context, StatusCode::BAD_REQUEST, ("Start again", text), again)
        }
        LoginError::Refused => {
            let text = format!("{label} didn't tell us who you are, because you or it said no.");
            page(context, StatusCode::FORBIDDEN, ("Not signed in", text), again)
        }
        LoginError::Provider(_) => {
            let text = format!(
                "We couldn't make sure with {label} who you are. Nobody was signed in. Try again, \
                 or use email instead."
            );
            let title = format!("{label} login didn't work");
            page(context, StatusCode::BAD_GATEWAY, (&title, text), again)
        }
        LoginError::Own(_) => {
            let text = "We couldn't do this right now. Nothing was changed.".to_owned();
            page(context, StatusCode::SERVICE_UNAVAILABLE, ("Try again", text), again)
        }
    }
}

/// What is missing that no page of ours can ask for.
pub(super) fn stuck(context: &PageContext, provider: &Provider, outcome: &Outcome) -> Response {
    let label = provider.label();
    let text = match outcome {
        Outcome::NoEmail => {
            format!("{label} didn't share an email, so we can't link you. Use email instead.")
        }
        Outcome::OtherWay => "There is an account with this email address already. Log in the way \
             you always do, then link this login on the security page."
            .to_owned(),
        Outcome::Closed => "The account that this login belongs to is closed.".to_owned(),
        Outcome::SomebodyElse => {
            format!("This {label} account is not a login of the account that is signed in here.")
        }
        Outcome::SignIn(_)
        | Outcome::Linked
        | Outcome::Again
        | Outcome::AgainByCode
        | Outcome::Confirm
        | Outcome::SignUp => "Nobody can sign up here at present.".to_owned(),
    };
    page(context, StatusCode::FORBIDDEN, ("Not signed in", text), None)
}

/// Why nothing came of an identity.
pub(super) fn undecided(
    context: &PageContext,
    provider: &Provider,
    error: &OutcomeError,
) -> Response {
    let label = provider.label();
    let linking = match error {
        OutcomeError::Link(error) => link_text(label, error),
        OutcomeError::Attempt(_) | OutcomeError::People(_) | OutcomeError::Database(_) => None,
    };
    if let Some(text) = linking {
        return page(context, StatusCode::CONFLICT, ("Not linked", text), None);
    }
    let reason = projections::describe(error);
    tracing::error!(%reason, "a login could not be decided");
    let text = "We couldn't do this right now. Nothing was changed.".to_owned();
    page(context, StatusCode::SERVICE_UNAVAILABLE, ("Try again", text), None)
}

/// What people are told of a link that can't be; nothing if the fault is ours.
pub(super) fn link_text(label: &str, error: &LinkError) -> Option<String> {
    match error {
        LinkError::Taken => {
            Some(format!("This {label} account is already the login of another account here."))
        }
        LinkError::Another => {
            Some(format!("Another {label} account is linked already. Unlink it first."))
        }
        LinkError::Missing => Some(format!("No {label} account is linked.")),
        LinkError::Last => Some(format!(
            "{label} is the only way left for you to log in. Set a password or link another login \
             first."
        )),
        LinkError::Database(_) => None,
    }
}

/// Somebody else is signed in by now, or nobody.
pub(super) fn not_yours(context: &PageContext) -> Response {
    let text = "You began this while you were signed in, and you are not any more. Nothing was \
                changed."
        .to_owned();
    page(context, StatusCode::FORBIDDEN, ("Start again", text), None)
}

/// What was proved is used up, or too long ago.
pub(super) fn too_late(context: &PageContext) -> Response {
    let text = "This took longer than half an hour, or is done already.".to_owned();
    page(context, StatusCode::GONE, ("Start again", text), None)
}
