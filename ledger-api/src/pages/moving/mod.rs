//! `/app/move`: add, send, withdraw; `/app/scan`: from a picture of a code on. Each has a form, a
//! sheet to confirm, and then happens once.
//!
//! The form is sent to `…/check`, which changes nothing and leads to the sheet (`draft`); the
//! sheet's form does it, with the nonce that makes a second click the same request.

mod add;
pub(super) mod banks;
mod limit;
mod receive;
mod scan;
mod send;
pub(super) mod sending;
pub(super) mod withdraw;

pub(super) use add::name as bank_name;
pub(super) use receive::{WaitsForMe, waiting};

use askama::Template;
use axum::{
    Router,
    extract::Query,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use ledger_core::money::Money;
use serde::Deserialize;

use super::{
    FormErrors, Layout, Nav, Visitor, respond,
    ui::{ConfirmSheet, MoneyView, money_text},
};
use crate::{
    entry,
    http::{ApiState, Problem, session::see_other},
    wallet::{self, Balances},
};

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .route("/app/move", get(page))
        .route("/app/move/add/check", get(add::sheet).post(add::check))
        .route("/app/move/add", get(to_add).post(add::add))
        .route("/app/move/added", get(add::added))
        .route("/app/move/send/check", get(send::sheet).post(send::check))
        .route("/app/move/send", get(to_send).post(send::send))
        .route("/app/move/withdraw/check", get(withdraw::sheet).post(withdraw::check))
        .route("/app/move/withdraw", get(to_withdraw).post(withdraw::withdraw))
        .route("/app/scan", get(scan::page).post(scan::read))
        .route("/app/receive", get(receive::page))
        .route("/app/claim/{id}", post(receive::claim))
        .route("/app/banks", get(banks::page).post(banks::add))
        .route("/app/banks/{id}/check", post(banks::check))
        .route("/app/banks/{id}/remove", post(banks::remove))
}

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Add,
    Send,
    Withdraw,
}

impl Tab {
    const ALL: [Self; 3] = [Self::Add, Self::Send, Self::Withdraw];

    const fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Send => "send",
            Self::Withdraw => "withdraw",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Add => "Add money",
            Self::Send => "Send",
            Self::Withdraw => "Withdraw",
        }
    }
}

/// The address's query: which tab, and what is filled in already.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MoveQuery {
    tab: String,
    to: String,
    amount: String,
    bank_account: String,
}

/// What is filled in.
#[derive(Debug, Default)]
struct Filled {
    amount: String,
    bank: String,
    to: String,
    note: String,
    bank_account: String,
    /// Who was found by a code: their name and handle.
    found: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "app/move.html")]
struct MoveView {
    layout: Layout,
    errors: FormErrors,
    tab: Tab,
    tabs: [Tab; 3],
    filled: Filled,
    available: MoneyView,
    on_its_way: Option<MoneyView>,
    /// What the tier still lets through, in words.
    limit: String,
    /// Whether nothing can leave the wallet yet.
    must_prove: bool,
    /// Amounts to choose from, as they are sent and as they are read.
    presets: Vec<(String, String)>,
    banks: Vec<add::BankChoice>,
    accounts: Vec<withdraw::AccountChoice>,
    /// The bank that would send a withdrawal, where there is an account to send it to.
    sending: Option<sending::SendingView>,
}

/// A sheet to confirm, with the form that does it.
#[derive(Template)]
#[template(path = "app/confirm.html")]
pub(super) struct ConfirmView {
    pub(super) layout: Layout,
    pub(super) title: &'static str,
    pub(super) sheet: ConfirmSheet,
    pub(super) action: String,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) nonce: String,
    pub(super) button: String,
    pub(super) back: String,
    /// What to look at first, if anything.
    pub(super) notice: Option<Notice>,
}

/// What to look at before confirming.
pub(super) struct Notice {
    pub(super) tone: &'static str,
    pub(super) title: String,
    pub(super) text: &'static str,
}

async fn page(visitor: Visitor, Query(query): Query<MoveQuery>) -> Result<Response, Problem> {
    let tab = Tab::ALL.into_iter().find(|tab| tab.name() == query.tab).unwrap_or(Tab::Add);
    let MoveQuery { to, amount, bank_account, .. } = query;
    let filled = Filled { amount, to, bank_account, ..Filled::default() };
    form(&visitor, tab, filled, FormErrors::none()).await
}

/// Who loads the address of a form again finds the form: after a login, too, that came between.
async fn to_add() -> Response {
    see_other("/app/move?tab=add")
}

async fn to_send() -> Response {
    see_other("/app/move?tab=send")
}

async fn to_withdraw() -> Response {
    see_other("/app/move?tab=withdraw")
}

/// The form, empty or with what is wrong with it.
async fn form(
    visitor: &Visitor,
    tab: Tab,
    filled: Filled,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let banks = if tab == Tab::Add { add::banks(&visitor.state).await } else { Vec::new() };
    let accounts = match tab {
        Tab::Withdraw => withdraw::accounts(visitor).await?,
        Tab::Add | Tab::Send => Vec::new(),
    };
    let sending = if accounts.is_empty() {
        None
    } else {
        Some(sending::view(visitor, &balances, &filled.amount).await?)
    };
    let out = balances.on_its_way_out;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = MoveView {
        layout: visitor.layout(tab.word(), Nav::Move),
        errors,
        tab,
        tabs: Tab::ALL,
        filled,
        available: MoneyView::plain(balances.available),
        on_its_way: out.is_positive().then(|| MoneyView::plain(out)),
        must_prove: tab != Tab::Add && entry::must_prove(&visitor.state, &visitor.who.person),
        limit: limit::words(&visitor.state, &balances, tab).await?,
        presets: presets(visitor, &balances, tab),
        banks,
        accounts,
        sending,
    };
    Ok(respond::page_with(status, &view))
}

/// Amounts that are one press away: round ones to add, everything to withdraw.
fn presets(visitor: &Visitor, balances: &Balances, tab: Tab) -> Vec<(String, String)> {
    let preset = |money: Money, word: &str| {
        (money.amount().to_string(), format!("{word}{}", money_text(&money)))
    };
    match tab {
        Tab::Add => ["200", "500", "1000", "5000"]
            .into_iter()
            .filter_map(|text| Money::parse(text, balances.currency).ok())
            .map(|money| {
                let (value, text) = preset(money, "");
                // Round ones are read without paise.
                (value, text.trim_end_matches("00").trim_end_matches('.').to_owned())
            })
            .collect(),
        Tab::Withdraw => {
            withdraw::whole(visitor, balances).into_iter().map(|m| preset(m, "All: ")).collect()
        }
        Tab::Send => Vec::new(),
    }
}

/// What there would be after an amount has come or gone; nothing if there is too little.
pub(super) fn after(balances: &Balances, change: Money, comes: bool) -> Option<MoneyView> {
    let available = balances.available;
    let left = if comes { available.checked_add(change) } else { available.checked_sub(change) };
    let left = left.ok().filter(|left| left.is_positive() || left.is_zero());
    left.map(MoneyView::plain)
}

/// Where a write that was made is looked at.
fn made(visitor: &Visitor, id: &impl std::fmt::Display) -> Response {
    let list = if visitor.shop.is_some() { "/payouts" } else { "/activity" };
    see_other(&format!("{}/{id}", visitor.at(list)))
}
