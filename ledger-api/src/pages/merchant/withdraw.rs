//! `/merchant/withdraw`: what is available goes to the bank, by hand. The form and the sheet are
//! the wallet's, with the shop's accounts.

use askama::Template;
use axum::{extract::Query, http::StatusCode, response::Response};
use serde::Deserialize;

use super::{Owners, ShopSent, ShopVisitor};
use crate::{
    http::{Problem, session::see_other},
    pages::{
        FormErrors, Layout, Nav, Visitor,
        draft::Draft,
        moving::{
            sending::{self, SendingView},
            withdraw::{self, AccountChoice, WithdrawForm},
        },
        respond,
        ui::MoneyView,
    },
    wallet,
};

#[derive(Template)]
#[template(path = "merchant/withdraw.html")]
struct WithdrawView {
    layout: Layout,
    errors: FormErrors,
    amount: String,
    bank_account: String,
    available: MoneyView,
    on_its_way: Option<MoneyView>,
    whole: String,
    accounts: Vec<AccountChoice>,
    sending: Option<SendingView>,
}

/// What is filled in already.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Prefilled {
    amount: String,
    bank_account: String,
}

/// The form, empty or with what is wrong with it.
pub(in crate::pages) async fn form(
    visitor: &Visitor,
    (amount, bank_account): (String, String),
    errors: FormErrors,
) -> Result<Response, Problem> {
    let balances = wallet::balances(&visitor.state, &visitor.wallet).await?;
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let out = balances.on_its_way_out;
    let accounts = withdraw::accounts(visitor).await?;
    let sending = if accounts.is_empty() {
        None
    } else {
        Some(sending::view(visitor, &balances, &amount).await?)
    };
    let view = WithdrawView {
        layout: visitor.layout("Withdraw", Nav::Shop("withdraw")),
        errors,
        amount,
        bank_account,
        available: MoneyView::plain(balances.available),
        on_its_way: out.is_positive().then(|| MoneyView::plain(out)),
        whole: withdraw::whole(visitor, &balances)
            .map(|m| m.amount().to_string())
            .unwrap_or_default(),
        accounts,
        sending,
    };
    Ok(respond::page_with(status, &view))
}

pub(super) async fn page(
    visitor: ShopVisitor<Owners>,
    Query(Prefilled { amount, bank_account }): Query<Prefilled>,
) -> Result<Response, Problem> {
    form(&visitor, (amount, bank_account), FormErrors::none()).await
}

/// Shows what is about to happen. Who comes without a draft finds the form.
pub(super) async fn sheet(
    visitor: ShopVisitor<Owners>,
    Query(draft): Query<Draft>,
) -> Result<Response, Problem> {
    let sheet = withdraw::sheet_for(&visitor, &draft).await?;
    Ok(sheet.unwrap_or_else(|| see_other("/merchant/withdraw")))
}

/// Leads to the sheet.
pub(super) async fn check(
    ShopSent { visitor, form }: ShopSent<Owners, WithdrawForm>,
) -> Result<Response, Problem> {
    withdraw::check_for(&visitor, form).await
}

/// Requests it, once for the sheet.
pub(super) async fn withdraw(
    ShopSent { visitor, form }: ShopSent<Owners, WithdrawForm>,
) -> Result<Response, Problem> {
    withdraw::withdraw_for(&visitor, form).await
}
