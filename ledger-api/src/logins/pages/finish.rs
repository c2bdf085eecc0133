//! The last step of signing up with another provider: a name and a handle.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Deserialize;

use super::{browser, callback::signed_in, said};
use crate::{
    entry::{Arrival, admit, both, throttle, wrong_name},
    http::{ApiState, Problem, session::OpenForm},
    logins::{BrowserSecret, OutcomeError, Proof},
    pages::{Layout, Nav, PageContext, forms::FormErrors, respond},
    people::{Email, Handle, Name, NewPerson, PersonId, Rate},
};

/// The page.
#[derive(Template)]
#[template(path = "logins/finish.html")]
struct Finish {
    layout: Layout,
    label: String,
    email: String,
    /// Not `name`: the macros of forms call their first argument that.
    full_name: String,
    handle: String,
    errors: FormErrors,
}

/// What comes with the form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    name: String,
    handle: String,
}

pub(super) async fn show(
    State(state): State<ApiState>,
    headers: HeaderMap,
    context: PageContext,
) -> Result<Response, Problem> {
    let Some((_, proof)) = waiting(&state, &headers).await? else {
        return Ok(said::too_late(&context));
    };
    let given = Given {
        name: proof.identity.name.clone().unwrap_or_default(),
        handle: suggested(proof.identity.email.as_deref().unwrap_or_default()),
    };
    Ok(page(&state, &context, (&proof, &given), StatusCode::OK, FormErrors::none()))
}

pub(super) async fn send(
    State(state): State<ApiState>,
    headers: HeaderMap,
    arrival: Arrival,
    context: PageContext,
    OpenForm(given): OpenForm<Given>,
) -> Result<Response, Problem> {
    let Some((browser, proof)) = waiting(&state, &headers).await? else {
        return Ok(said::too_late(&context));
    };
    throttle(&state, Rate::SIGN_UP, &arrival.client.counted()).await?;
    let made = match checked(&state, &proof, &given) {
        Ok(new) => admit(&state, new).await,
        Err(problem) => Err(problem),
    };
    let person = match made {
        Ok(person) => person,
        Err(problem) if problem.status() == StatusCode::UNPROCESSABLE_ENTITY.as_u16() => {
            let (status, errors) = (StatusCode::UNPROCESSABLE_ENTITY, errors(&problem));
            return Ok(page(&state, &context, (&proof, &given), status, errors));
        }
        Err(problem) => return Err(problem),
    };
    let now = state.sessions.now();
    if let Err(error) = state.logins.link(person.id, &proof.identity, now).await {
        let provider = state.logins.provider(&proof.identity.provider);
        let provider = provider.ok_or_else(said::no_provider)?;
        return Ok(said::undecided(&context, provider, &OutcomeError::Link(error)));
    }
    state.logins.drop_proof(&browser).await?;
    signed_in(&state, &arrival, person.id, &proof.return_to).await
}

async fn waiting(
    state: &ApiState,
    headers: &HeaderMap,
) -> Result<Option<(BrowserSecret, Proof)>, Problem> {
    let Some(browser) = browser(headers).filter(|_| state.people_settings.sign_up) else {
        return Ok(None);
    };
    let proof = state.logins.proof(&browser, state.sessions.now()).await?;
    Ok(proof.filter(|proof| proof.account.is_none()).map(|proof| (browser, proof)))
}

fn checked(state: &ApiState, proof: &Proof, given: &Given) -> Result<NewPerson, Problem> {
    let name = given.name.parse::<Name>().map_err(|error| wrong_name("/name", error));
    let handle = given.handle.parse::<Handle>().map_err(|error| wrong_name("/handle", error));
    let email = proof.identity.email.as_deref().unwrap_or_default();
    let email = email.parse::<Email>().map_err(|error| wrong_name("/email", error));
    let ((name, handle), email) = both(both(name, handle), email)?;
    Ok(NewPerson {
        id: PersonId::from_uuid(state.ids.fresh()),
        handle,
        name,
        email,
        phone: None,
        password: None,
        email_is_proved: true,
        at: state.sessions.now(),
    })
}

/// The problem's fields as the form's.
fn errors(problem: &Problem) -> FormErrors {
    let mut errors = FormErrors::none();
    for wrong in problem.body().errors {
        let named = |field: &&str| wrong.pointer.strip_prefix('/') == Some(*field);
        let field = ["name", "handle"].into_iter().find(named);
        errors.add(field.unwrap_or_default(), wrong.detail);
    }
    if errors.is_empty() {
        errors.add("", problem.body().detail);
    }
    errors
}

/// What the address suggests as a handle, if it can be one.
fn suggested(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let kept = local.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let handle: String = kept.take(20).collect();
    handle.parse::<Handle>().map_or_else(|_| String::new(), |handle| handle.as_str().to_owned())
}

fn page(
    state: &ApiState,
    context: &PageContext,
    (proof, given): (&Proof, &Given),
    status: StatusCode,
    errors: FormErrors,
) -> Response {
    let provider = &proof.identity.provider;
    let label = state.logins.provider(provider).map_or(provider.as_str(), |p| p.label());
    let view = Finish {
        layout: context.layout("One last step", Nav::None, None),
        label: label.to_owned(),
        email: proof.identity.email.clone().unwrap_or_default(),
        full_name: given.name.clone(),
        handle: given.handle.clone(),
        errors,
    };
    respond::page_with(status, &view)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_suggests_a_handle_or_none() {
        assert_eq!(suggested("Asha.Rao@mail.example"), "asha_rao");
        assert_eq!(suggested("a@mail.example"), "");
        assert_eq!(suggested("4711@mail.example"), "");
        assert_eq!(suggested(""), "");
    }
}
