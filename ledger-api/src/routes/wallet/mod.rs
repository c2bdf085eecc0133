//! What people see of their own wallet: balances, activity, statements, whom they may send to, and
//! what happens as it happens. For people alone: a key has no wallet.

mod activity;
mod balances;
mod body;
mod live;
mod proofs;
mod qr_codes;
mod recipients;
mod statement_files;
mod statements;

pub(crate) use live::{Followed, follow};
pub(crate) use statements::rendered as rendered_statement;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{http::ApiState, identity::Scope};

/// What reading one's own takes.
const READ: &[Scope] = &[Scope::BalancesRead];

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(balances::now))
        .routes(routes!(balances::by_day))
        .routes(routes!(activity::list))
        .routes(routes!(activity::get))
        .routes(routes!(activity::receipt))
        .routes(routes!(statements::get))
        .routes(routes!(statement_files::ask))
        .routes(routes!(statement_files::get))
        .routes(routes!(statement_files::content))
        .routes(routes!(proofs::of_line))
        .routes(routes!(recipients::lookup))
        .routes(routes!(qr_codes::read))
        .routes(routes!(live::stream))
}
