//! `/app/settings`: name, handle, address, number; one's data; leaving.

use askama::Template;
use axum::{
    Router,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use ledger_core::{
    money::Money,
    tier::{Flow, Limit},
};
use serde::Deserialize;

use super::{after, errors_of, shown_again};
use crate::{
    entry,
    http::{
        ApiState, Problem, codes,
        context::RequestContext,
        session::{SessionCookie, SignedForm, SignedIn, see_other},
    },
    pages::{
        FormErrors, Layout, Nav, PageContext, Visitor, respond,
        ui::{Cell, Column, DataTable, MoneyView},
    },
    sessions::Audience,
    wallet::{self, LimitLeft},
};

const PATH: &str = "/app/settings";
const FIELDS: [&str; 4] = ["name", "handle", "email", "phone"];

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/app/settings/profile", post(profile))
        .route("/app/settings/email", post(email))
        .route("/app/settings/phone", post(phone))
        .route("/app/settings/export", post(export))
        .route("/app/settings/close", get(close_page).post(close))
}

#[derive(Template)]
#[template(path = "people/settings.html")]
struct SettingsView {
    layout: Layout,
    errors: FormErrors,
    /// Not `name`: the macros of forms call their first argument that.
    full_name: String,
    handle: String,
    email: String,
    email_is_proved: bool,
    phone: String,
    phone_is_proved: bool,
    tier: String,
    is_verified: bool,
    limits: Option<DataTable>,
}

async fn view(visitor: &Visitor, errors: FormErrors) -> Result<SettingsView, Problem> {
    let person = &visitor.who.person;
    let phone = person.phone.as_ref().map(|phone| phone.expose().to_owned());
    let tier = person.wallet_tier.as_ref().map(|tier| tier.as_str().to_owned());
    Ok(SettingsView {
        layout: visitor.layout("Settings", Nav::Account),
        errors,
        full_name: person.name.expose().to_owned(),
        handle: person.handle.to_string(),
        email: person.email.expose().to_owned(),
        email_is_proved: person.email_verified_at.is_some(),
        phone: phone.unwrap_or_default(),
        phone_is_proved: person.phone_verified_at.is_some(),
        tier: tier.unwrap_or_default(),
        is_verified: person.is_verified(),
        limits: limits(visitor).await?,
    })
}

/// What the wallet's tier lets in and out, and what of it is left now; nothing where there is no
/// limit.
async fn limits(visitor: &Visitor) -> Result<Option<DataTable>, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let found = wallet::limits_left(&visitor.state, &balances).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let columns = [
        Column::words("Limit"),
        Column::numbers("At most"),
        Column::numbers("Left"),
        Column::words("Afresh on"),
    ];
    let row = |one: LimitLeft| -> Vec<Cell> {
        let afresh = one.resets_on.map(|day| day.format("%-d %b %Y").to_string());
        vec![
            limit_words(one.flow, one.limit).into(),
            MoneyView::plain(one.most).into(),
            MoneyView::plain(one.left).into(),
            afresh.unwrap_or_default().into(),
        ]
    };
    let rows = found.into_iter().map(row).collect();
    Ok(Some(DataTable::new("Your limits", &columns, rows)))
}

const fn limit_words(flow: Flow, limit: Limit) -> &'static str {
    match (flow, limit) {
        (_, Limit::Balance) => "Held in the wallet",
        (Flow::In, Limit::Transaction) => "In, at once",
        (Flow::In, Limit::Day) => "In, each day",
        (Flow::In, Limit::Month) => "In, each month",
        (Flow::In, Limit::Year) => "In, each year",
        (Flow::Out, Limit::Transaction) => "Out, at once",
        (Flow::Out, Limit::Day) => "Out, each day",
        (Flow::Out, Limit::Month) => "Out, each month",
        (Flow::Out, Limit::Year) => "Out, each year",
    }
}

async fn page(visitor: Visitor) -> Result<Response, Problem> {
    Ok(respond::page(&view(&visitor, FormErrors::none()).await?))
}

async fn finish(
    (state, who, with): (ApiState, SignedIn, (PageContext, RequestContext)),
    done: Result<(), Problem>,
    to: &str,
    typed: impl FnOnce(&mut SettingsView),
) -> Result<Response, Problem> {
    let visitor = Visitor::new(state, who, with)?;
    let problem = match after(&visitor, done, (to, PATH), |_, problem| Err(problem)) {
        Ok(response) => return Ok(response),
        Err(problem) => problem,
    };
    let status = problem.status();
    let mut view = view(&visitor, errors_of(problem, &FIELDS)?).await?;
    typed(&mut view);
    Ok(shown_again(status, &view))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileForm {
    name: String,
    handle: String,
}

async fn profile(
    State(state): State<ApiState>,
    with: (PageContext, RequestContext),
    SignedForm { who, form }: SignedForm<ProfileForm>,
) -> Result<Response, Problem> {
    let names = (Some(form.name.as_str()), Some(form.handle.as_str()));
    let done = entry::rename(&state, &who, names).await.map(drop);
    finish((state, who, with), done, PATH, |view| {
        view.full_name = form.name;
        view.handle = form.handle;
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailForm {
    email: String,
}

async fn email(
    State(state): State<ApiState>,
    with: (PageContext, RequestContext),
    SignedForm { who, form }: SignedForm<EmailForm>,
) -> Result<Response, Problem> {
    let done = entry::change_email(&state, &who, &form.email).await.map(drop);
    finish((state, who, with), done, "/verify", |view| view.email = form.email).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneForm {
    phone: String,
}

async fn phone(
    State(state): State<ApiState>,
    with: (PageContext, RequestContext),
    SignedForm { who, form }: SignedForm<PhoneForm>,
) -> Result<Response, Problem> {
    let done = entry::change_phone(&state, &who, Some(&form.phone)).await.map(drop);
    finish((state, who, with), done, "/verify", |view| view.phone = form.phone).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

async fn export(
    State(state): State<ApiState>,
    with: (PageContext, RequestContext),
    SignedForm { who, form: NoFields {} }: SignedForm<NoFields>,
) -> Result<Response, Problem> {
    match entry::export(&state, &who).await {
        Ok(all) => {
            let text = serde_json::to_string_pretty(&all).map_err(|e| Problem::internal(&e))?;
            let mut response = text.into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let file = HeaderValue::from_static("attachment; filename=\"bahi-my-data.json\"");
            headers.insert(header::CONTENT_DISPOSITION, file);
            Ok(response)
        }
        Err(problem) => finish((state, who, with), Err(problem), PATH, |_| {}).await,
    }
}

#[derive(Template)]
#[template(path = "people/close.html")]
struct CloseView {
    layout: Layout,
    errors: FormErrors,
    years: i64,
    /// What has to be repaid first.
    owed: Option<MoneyView>,
}

fn close_view(visitor: &Visitor, owed: Money, errors: FormErrors) -> CloseView {
    let days = visitor.state.people_settings.retention.num_days();
    let layout = visitor.layout("Close your account", Nav::Account);
    let owed = owed.is_positive().then(|| MoneyView::plain(owed));
    CloseView { layout, errors, years: days.div_euclid(365), owed }
}

async fn close_page(visitor: Visitor) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    Ok(respond::page(&close_view(&visitor, balances.owed, FormErrors::none())))
}

/// What stands in the way of closing, in words.
fn close_errors(problem: Problem) -> Result<FormErrors, Problem> {
    if problem.code() == codes::DEBT_OPEN.name {
        let text = "You owe us money, so your wallet stays open. Add money: it repays that.";
        return Ok(FormErrors::one("", text));
    }
    errors_of(problem, &[])
}

async fn close(
    State(state): State<ApiState>,
    with: (PageContext, RequestContext),
    SignedForm { who, form: NoFields {} }: SignedForm<NoFields>,
) -> Result<Response, Problem> {
    match entry::close(&state, &who).await {
        Ok(()) => {
            let mut response = see_other("/");
            SessionCookie::Clear(Audience::Wallet).put(&mut response);
            Ok(response)
        }
        Err(problem) => {
            let visitor = Visitor::new(state, who, with)?;
            let owed = wallet::balances(&visitor.state, &visitor.wallet).await?.owed;
            after(&visitor, Err(problem), ("/", "/app/settings/close"), |visitor, problem| {
                let status = problem.status();
                Ok(shown_again(status, &close_view(visitor, owed, close_errors(problem)?)))
            })
        }
    }
}
