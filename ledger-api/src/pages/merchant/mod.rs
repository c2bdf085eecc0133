//! `/merchant`: the pages of shops. Their login, their home, their team, their money.
//!
//! They have a cookie of their own, by which nobody gets to a wallet, and the wallet's opens
//! nothing here. Which roles a page is opened to stands in the type that its handler takes
//! ([`ShopVisitor`], [`ShopSent`]), so that no handler can forget to ask. What moves money is done
//! by the same functions as a person's, with the shop's accounts in their place.

mod accept;
mod coming;
mod developers;
mod home;
mod looking;
mod money;
mod opening;
mod payouts_query;
mod sales;
mod settings;
mod settling;
mod stores;
mod team;
mod visitor;
mod withdraw;

pub(crate) use visitor::{Anybody, MoneyEyes, Owners, ShopSent, ShopVisitor, Tills};
pub(super) use withdraw::form as withdraw_form;

use axum::{
    Router,
    routing::{get, post},
};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new()
        .merge(coming::routes())
        .merge(developers::routes())
        .merge(opening::routes())
        .merge(team::routes())
        .merge(stores::routes())
        .merge(settings::routes())
        .merge(sales::routes())
        .route("/merchant", get(home::page))
        .route("/merchant/events", get(home::events))
        .route("/merchant/till", get(home::till_events))
        .route("/merchant/accept", get(accept::page).post(accept::ask))
        .route("/merchant/accept/{id}", get(accept::one))
        .route("/merchant/accept/{id}/close", post(accept::close))
        .route("/merchant/poster", get(accept::poster))
        .route("/merchant/payouts", get(money::payouts))
        .route("/merchant/payouts.csv", get(money::payouts_csv))
        .route("/merchant/payouts/{id}", get(money::payout))
        .route("/merchant/payouts/{id}/cancel", post(money::cancel))
        .route("/merchant/banks", get(money::banks).post(money::add_bank))
        .route("/merchant/banks/{id}/check", post(money::check_bank))
        .route("/merchant/banks/{id}/remove", post(money::remove_bank))
        .route("/merchant/withdraw", get(withdraw::page).post(withdraw::withdraw))
        .route("/merchant/withdraw/check", get(withdraw::sheet).post(withdraw::check))
}
