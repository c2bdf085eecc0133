//! `/merchant/team`: who works for the shop, and who was asked to.

use askama::Template;
use axum::{
    Router,
    extract::Path,
    response::Response,
    routing::{get, post},
};
use serde::Deserialize;

use super::{MoneyEyes, Owners, ShopSent, ShopVisitor};
use crate::{
    entry::{throttle, wrong_name},
    http::{ApiState, Problem, codes, session::see_other},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        people::{errors_of, shown_again},
        respond,
        ui::When,
        visitor::AtShop,
    },
    people::{Email, PersonId, Rate},
    post::Letter,
    shops::{MemberError, Role},
};

const PATH: &str = "/merchant/team";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/merchant/team/invite", post(invite))
        .route("/merchant/team/uninvite", post(uninvite))
        .route("/merchant/team/{id}/role", post(set_role))
        .route("/merchant/team/{id}/remove", post(remove))
}

struct MemberRow {
    id: String,
    name: String,
    handle: String,
    role: Role,
    is_self: bool,
    since: When,
}

struct InvitedRow {
    email: String,
    role: Role,
    until: When,
}

#[derive(Template)]
#[template(path = "merchant/team.html")]
struct TeamView {
    layout: Layout,
    errors: FormErrors,
    may_change: bool,
    members: Vec<MemberRow>,
    invited: Vec<InvitedRow>,
    email: String,
    roles: [Role; 3],
}

async fn view(
    visitor: &Visitor,
    at: &AtShop,
    errors: FormErrors,
    email: String,
) -> Result<TeamView, Problem> {
    let (state, shop) = (&visitor.state, at.shop.id);
    let members = state.shops.members(shop).await?;
    let ids: Vec<PersonId> = members.iter().map(|member| member.person).collect();
    let faces = state.people.faces(&ids).await?;
    let rows = members.iter().map(|member| {
        let face = faces.get(&member.person);
        MemberRow {
            id: member.person.to_string(),
            name: face.map_or("Somebody who left".to_owned(), |f| f.name.expose().to_owned()),
            handle: face.map(|face| face.handle.to_string()).unwrap_or_default(),
            role: member.role,
            is_self: member.person == visitor.who.person.id,
            since: visitor.when(member.joined_at),
        }
    });
    let invited = if at.role.decides() {
        state.shops.invited(shop, state.sessions.now()).await?
    } else {
        Vec::new()
    };
    let invited = invited.iter().map(|one| InvitedRow {
        email: one.email.expose().to_owned(),
        role: one.role,
        until: visitor.when(one.expires_at),
    });
    Ok(TeamView {
        layout: visitor.layout("Team", Nav::Shop("team")),
        errors,
        may_change: at.role.decides(),
        members: rows.collect(),
        invited: invited.collect(),
        email,
        roles: Role::ALL,
    })
}

async fn page(visitor: ShopVisitor<MoneyEyes>) -> Result<Response, Problem> {
    let view = view(&visitor, &visitor.at, FormErrors::none(), String::new()).await?;
    Ok(respond::page(&view))
}

/// What came of a change: the list, the password first, or the form with what is wrong.
async fn after(
    visitor: &ShopVisitor<Owners>,
    done: Result<(), Problem>,
    email: String,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(see_other(PATH)),
        Err(problem) if problem.code() == codes::STEP_UP_NEEDED.name => {
            Ok(see_other("/merchant/confirm?return_to=%2Fmerchant%2Fteam"))
        }
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["email", "role"])?;
            Ok(shown_again(status, &view(visitor, &visitor.at, errors, email).await?))
        }
    }
}

/// Who may decide for a shop may take its money: the team is changed after a fresh proof only.
fn check_recent(visitor: &ShopVisitor<Owners>) -> Result<(), Problem> {
    if visitor.is_recent() {
        return Ok(());
    }
    Err(Problem::new(codes::STEP_UP_NEEDED, "This takes your password again."))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteForm {
    email: String,
    role: Role,
}

async fn invite(
    ShopSent { visitor, form }: ShopSent<Owners, InviteForm>,
) -> Result<Response, Problem> {
    let done = ask(&visitor, &form).await;
    after(&visitor, done, form.email).await
}

async fn ask(visitor: &ShopVisitor<Owners>, form: &InviteForm) -> Result<(), Problem> {
    check_recent(visitor)?;
    let email: Email = form.email.parse().map_err(|error| wrong_name("/email", error))?;
    let state = &visitor.state;
    throttle(state, Rate::SEND, visitor.at.shop.id.uuid().as_bytes()).await?;
    let shop = &visitor.at.shop;
    let code = state.shops.invite(shop.id, (&email, form.role), state.sessions.now()).await?;
    let text = format!(
        "Hello,\n\n{shop} asks you to work with them, as {role}. Your code is {code}. Log in with \
         this address, or sign up, and enter it here:\n\n{link}\n\nIt is good for 7 days, once. If \
         you don't know {shop}, do nothing.\n",
        shop = shop.display_name.expose(),
        role = form.role,
        link = state.people_settings.link("/merchant/join"),
    );
    let subject = "Work with a shop at Bahi".to_owned();
    state.people_settings.post.mail(Letter { to: email.expose().to_owned(), subject, text });
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UninviteForm {
    email: String,
}

async fn uninvite(
    ShopSent { visitor, form }: ShopSent<Owners, UninviteForm>,
) -> Result<Response, Problem> {
    let email: Email = form.email.parse().map_err(|error| wrong_name("/email", error))?;
    visitor.state.shops.uninvite(visitor.at.shop.id, &email).await?;
    Ok(see_other(PATH))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    role: Role,
}

async fn set_role(
    Path(id): Path<String>,
    ShopSent { visitor, form }: ShopSent<Owners, RoleForm>,
) -> Result<Response, Problem> {
    let done = change(&visitor, &id, Some(form.role)).await;
    after(&visitor, done, String::new()).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn remove(
    Path(id): Path<String>,
    ShopSent { visitor, form: NoFields {} }: ShopSent<Owners, NoFields>,
) -> Result<Response, Problem> {
    let done = change(&visitor, &id, None).await;
    after(&visitor, done, String::new()).await
}

async fn change(visitor: &ShopVisitor<Owners>, id: &str, to: Option<Role>) -> Result<(), Problem> {
    check_recent(visitor)?;
    let person: PersonId = id.parse().map_err(|_| Problem::from(MemberError::Missing))?;
    let shop = visitor.at.shop.id;
    visitor.state.shops.set_role(shop, person, to).await?;
    tracing::info!(merchant = %shop, %person, role = ?to, "a shop's team was changed");
    Ok(())
}
