//! `/verify`: proving the address, the number, and (in the demonstration) the papers.

use askama::Template;
use axum::{
    Router,
    extract::{Query, State},
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{errors_of, shown_again};
use crate::{
    entry::{self, Kind},
    http::{
        ApiState, Problem,
        context::RequestContext,
        peer::ClientAddress,
        return_to,
        session::{MaybeSignedIn, OpenForm, SignedForm, SignedIn, see_other},
    },
    pages::{FormErrors, Layout, Nav, PageContext, Visitor, respond},
    people::Person,
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/verify", get(verify_page))
        .route("/verify/link", post(follow_link))
        .route("/verify/send", post(send))
        .route("/verify/confirm", post(confirm))
        .route("/verify/papers", post(papers))
}

/// The fields of the two codes, as the page names them.
const EMAIL_CODE: &str = "code-email";
const PHONE_CODE: &str = "code-phone";

#[derive(Debug, Default, Deserialize)]
struct VerifyQuery {
    #[serde(default)]
    token: String,
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    sent: String,
}

#[derive(Template)]
#[template(path = "people/verify.html")]
#[expect(clippy::struct_excessive_bools, reason = "what the page shows or leaves out")]
struct VerifyView {
    layout: Layout,
    errors: FormErrors,
    email: String,
    email_is_proved: bool,
    phone: String,
    phone_is_proved: bool,
    papers_seen: bool,
    sent: String,
    demo: bool,
    done: bool,
    return_to: String,
}

#[derive(Template)]
#[template(path = "people/verify_link.html")]
struct LinkView {
    layout: Layout,
    errors: FormErrors,
    token: String,
}

fn view(
    visitor: &Visitor,
    person: &Person,
    errors: FormErrors,
    (sent, back): (String, String),
) -> VerifyView {
    let phone = person.phone.as_ref().map(|phone| phone.expose().to_owned());
    VerifyView {
        layout: visitor.layout("Confirm it is you", Nav::Account),
        errors,
        email: person.email.expose().to_owned(),
        email_is_proved: person.email_verified_at.is_some(),
        phone: phone.unwrap_or_default(),
        phone_is_proved: person.phone_verified_at.is_some(),
        papers_seen: person.kyc_at.is_some(),
        sent,
        demo: visitor.state.demo,
        done: person.is_verified(),
        return_to: return_to::local(&back).to_owned(),
    }
}

async fn verify_page(
    State(state): State<ApiState>,
    context: PageContext,
    request: RequestContext,
    MaybeSignedIn(who): MaybeSignedIn,
    Query(query): Query<VerifyQuery>,
) -> Result<Response, Problem> {
    if !query.token.is_empty() {
        let mut layout = context.layout("Confirm your e-mail address", Nav::None, None);
        "/verify".clone_into(&mut layout.path);
        let errors = FormErrors::none();
        return Ok(respond::page(&LinkView { layout, errors, token: query.token }));
    }
    let Some(who) = who else { return Ok(see_other(&return_to::login_path("/verify"))) };
    let visitor = Visitor::new(state, who, (context, request))?;
    let sent =
        if ["email", "phone", "all"].contains(&&*query.sent) { query.sent } else { String::new() };
    let given = (sent, query.return_to);
    Ok(respond::page(&view(&visitor, &visitor.who.person, FormErrors::none(), given)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkForm {
    token: String,
}

/// Whoever has the link has the mailbox; they need not be signed in here.
async fn follow_link(
    State(state): State<ApiState>,
    context: PageContext,
    OpenForm(form): OpenForm<LinkForm>,
) -> Result<Response, Problem> {
    match entry::confirm_link(&state, &form.token).await {
        Ok(_) => Ok(see_other("/verify")),
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &[])?;
            let layout = context.layout("Confirm your e-mail address", Nav::None, None);
            Ok(shown_again(status, &LinkView { layout, errors, token: form.token }))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SendForm {
    kind: Kind,
    #[serde(default)]
    return_to: String,
}

async fn send(
    State(state): State<ApiState>,
    (context, request): (PageContext, RequestContext),
    client: ClientAddress,
    SignedForm { who, form }: SignedForm<SendForm>,
) -> Result<Response, Problem> {
    let kind = if form.kind == Kind::Email { "email" } else { "phone" };
    match entry::send_code(&state, &who, client, form.kind).await {
        Ok(()) => {
            let back: String = form_urlencoded::byte_serialize(form.return_to.as_bytes()).collect();
            Ok(see_other(&format!("/verify?sent={kind}&return_to={back}")))
        }
        Err(problem) => again_with(state, who, (context, request), (problem, ""), form.return_to),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeForm {
    kind: Kind,
    code: String,
    #[serde(default)]
    return_to: String,
}

async fn confirm(
    State(state): State<ApiState>,
    (context, request): (PageContext, RequestContext),
    SignedForm { who, form }: SignedForm<CodeForm>,
) -> Result<Response, Problem> {
    match entry::confirm_code(&state, &who, form.kind, &form.code).await {
        Ok(_) => {
            let back: String = form_urlencoded::byte_serialize(form.return_to.as_bytes()).collect();
            Ok(see_other(&format!("/verify?return_to={back}")))
        }
        Err(problem) => {
            // The page has a field for each code that is still to come.
            let field = match form.kind {
                Kind::Email if who.person.email_verified_at.is_none() => EMAIL_CODE,
                Kind::Phone if who.person.phone_verified_at.is_none() => PHONE_CODE,
                Kind::Email | Kind::Phone => "",
            };
            again_with(state, who, (context, request), (problem, field), form.return_to)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PapersForm {
    #[serde(default)]
    return_to: String,
}

async fn papers(
    State(state): State<ApiState>,
    SignedForm { who, form }: SignedForm<PapersForm>,
) -> Result<Response, Problem> {
    entry::say_papers_seen(&state, &who).await?;
    let back: String = form_urlencoded::byte_serialize(form.return_to.as_bytes()).collect();
    Ok(see_other(&format!("/verify?return_to={back}")))
}

fn again_with(
    state: ApiState,
    who: SignedIn,
    with: (PageContext, RequestContext),
    (problem, field): (Problem, &'static str),
    back: String,
) -> Result<Response, Problem> {
    let status = problem.status();
    let errors = errors_of(problem, &["code"])?.renamed("code", field);
    let visitor = Visitor::new(state, who, with)?;
    let view = view(&visitor, &visitor.who.person, errors, (String::new(), back));
    Ok(shown_again(status, &view))
}
