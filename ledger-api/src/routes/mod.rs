//! The resources of the API, one file each.

mod accounts;
mod apps;
mod audit;
pub(crate) mod bank_accounts;
mod banks;
mod currencies;
pub(crate) mod deposits;
mod docs;
mod events;
mod health;
mod holds;
pub(crate) mod hooks;
mod logins;
pub(crate) mod openapi;
mod ops;
mod payment_requests;
pub(crate) mod payments;
mod people;
mod reconciliation;
mod reports;
mod tiers;
pub(crate) mod transactions;
pub(crate) mod transfers;
mod trial_balance;
mod usage;
mod virtual_accounts;
mod wallet;
pub(crate) mod webhook_endpoints;
pub(crate) mod withdrawals;

pub(crate) use accounts::body::Empty;
pub(crate) use audit::{CheckpointWanted, prove};
pub(crate) use wallet::{Followed, follow, rendered_statement};

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::http::ApiState;

/// All routes.
pub(crate) fn all() -> Router<ApiState> {
    let (documented, _) = documented().split_for_parts();
    documented
        .merge(docs::routes())
        .merge(crate::pages::routes())
        .merge(crate::logins::pages::routes())
        .merge(crate::logins::server::http::routes())
}

/// The routes that the OpenAPI document describes.
fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(accounts::routes())
        .merge(transactions::routes())
        .merge(holds::routes())
        .merge(withdrawals::routes())
        .merge(deposits::routes())
        .merge(transfers::routes())
        .merge(payment_requests::routes())
        .merge(payments::routes())
        .merge(virtual_accounts::routes())
        .merge(bank_accounts::routes())
        .merge(banks::routes())
        .merge(events::routes())
        .merge(audit::routes())
        .merge(trial_balance::routes())
        .merge(currencies::routes())
        .merge(tiers::routes())
        .merge(usage::routes())
        .merge(wallet::routes())
        .merge(people::routes())
        .merge(ops::routes())
        .merge(reconciliation::routes())
        .merge(reports::routes())
        .merge(webhook_endpoints::routes())
        .merge(logins::routes())
        .merge(apps::routes())
        .merge(health::routes())
}
