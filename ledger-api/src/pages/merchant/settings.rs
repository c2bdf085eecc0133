//! `/merchant/settings`: what payers see of the shop, and when its money goes to the bank.

use askama::Template;
use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use ledger_core::ids::BankAccountId;
use serde::Deserialize;

use super::{MoneyEyes, Owners, ShopSent, ShopVisitor, opening::CATEGORIES};
use crate::{
    entry::{both, wrong_name},
    http::{ApiState, Problem, codes, session::see_other},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        moving::withdraw::{AccountChoice, accounts},
        people::{errors_of, shown_again},
        respond,
        ui::CopyId,
        visitor::AtShop,
    },
    payments::BankCalendar,
    people::Name,
    shops::{CategoryCode, PayoutSchedule},
};

const PATH: &str = "/merchant/settings";

pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route(PATH, get(page))
        .route("/merchant/settings/shop", post(describe))
        .route("/merchant/settings/payouts", post(set_payouts))
}

#[derive(Template)]
#[template(path = "merchant/settings.html")]
struct SettingsView {
    layout: Layout,
    errors: FormErrors,
    may_change: bool,
    id: CopyId,
    legal_name: String,
    display_name: String,
    address: String,
    category: String,
    categories: [(&'static str, &'static str); 10],
    lag: String,
    terms_version: u32,
    every: u8,
    account: String,
    accounts: Vec<AccountChoice>,
}

impl SettingsView {
    fn is_every(&self, days: impl std::borrow::Borrow<u8>) -> bool {
        self.every == *days.borrow()
    }
}

async fn view(visitor: &Visitor, at: &AtShop, errors: FormErrors) -> Result<SettingsView, Problem> {
    let shop = &at.shop;
    Ok(SettingsView {
        layout: visitor.layout("Settings", Nav::Shop("settings")),
        errors,
        may_change: at.role.decides(),
        id: CopyId::new(shop.id.to_string()),
        legal_name: shop.legal_name.expose().to_owned(),
        display_name: shop.display_name.expose().to_owned(),
        address: shop.payment_address(),
        category: shop.category.as_str().to_owned(),
        categories: CATEGORIES,
        lag: shop.settlement_lag.to_string(),
        terms_version: shop.terms_version,
        every: shop.payouts.days().unwrap_or_default(),
        account: shop.payout_account.map(|id| id.to_string()).unwrap_or_default(),
        accounts: accounts(visitor).await?,
    })
}

async fn page(visitor: ShopVisitor<MoneyEyes>) -> Result<Response, Problem> {
    Ok(respond::page(&view(&visitor, &visitor.at, FormErrors::none()).await?))
}

async fn after(
    visitor: &ShopVisitor<Owners>,
    done: Result<(), Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(()) => Ok(see_other(PATH)),
        Err(problem) if problem.code() == codes::STEP_UP_NEEDED.name => {
            Ok(see_other("/merchant/confirm?return_to=%2Fmerchant%2Fsettings"))
        }
        Err(problem) => {
            let status = problem.status();
            let errors = errors_of(problem, &["display_name", "category", "every", "account"])?;
            Ok(shown_again(status, &view(visitor, &visitor.at, errors).await?))
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopForm {
    display_name: String,
    category: String,
}

async fn describe(
    ShopSent { visitor, form }: ShopSent<Owners, ShopForm>,
) -> Result<Response, Problem> {
    let name = form.display_name.parse::<Name>();
    let name = name.map_err(|error| wrong_name("/display_name", error));
    let category = form.category.parse::<CategoryCode>().map_err(|_| {
        Problem::field(codes::INVALID, "/category", "Choose what kind of shop it is.")
    });
    let done = match both(name, category) {
        Ok((name, category)) => {
            let shops = &visitor.state.shops;
            shops.describe(visitor.at.shop.id, &name, &category).await.map_err(Problem::from)
        }
        Err(problem) => Err(problem),
    };
    after(&visitor, done).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PayoutsForm {
    /// Zero: by hand.
    every: u8,
    #[serde(default)]
    account: String,
}

async fn set_payouts(
    ShopSent { visitor, form }: ShopSent<Owners, PayoutsForm>,
) -> Result<Response, Problem> {
    let done = payouts(&visitor, &form).await;
    after(&visitor, done).await
}

/// Money that goes to the bank by itself goes where an owner said after a fresh proof, to an
/// account whose name the bank confirmed.
async fn payouts(visitor: &ShopVisitor<Owners>, form: &PayoutsForm) -> Result<(), Problem> {
    if !visitor.is_recent() {
        return Err(Problem::new(codes::STEP_UP_NEEDED, "This takes your password again."));
    }
    let schedule = match form.every {
        0 => PayoutSchedule::ByHand,
        days => PayoutSchedule::every(days).map_err(|error| {
            let detail = crate::http::problem::sentence(&error.to_string());
            Problem::field(codes::INVALID, "/every", detail)
        })?,
    };
    let known = accounts(visitor).await?.into_iter().find(|one| one.id == form.account);
    let to: Option<BankAccountId> = known.and_then(|account| account.id.parse().ok());
    if schedule != PayoutSchedule::ByHand && to.is_none() {
        let detail = "Choose a bank account whose name the bank has confirmed.";
        return Err(Problem::field(codes::INVALID, "/account", detail));
    }
    let today = BankCalendar::day_at(visitor.state.clock.now());
    Ok(visitor.state.shops.set_payouts(visitor.at.shop.id, (schedule, to), today).await?)
}
