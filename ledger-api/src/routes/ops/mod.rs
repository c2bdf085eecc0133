//! `/v1/ops`: what the people who run the service see and decide. Statements have a file of their
//! own (`reconciliation`).

mod bank_days;
mod banks;
mod exchanges;
mod fees;
mod inbound;
mod lumps;
mod merchants;
mod outside;
mod periods;
mod receivables;
mod resolution_body;
mod resolutions;
mod sending_back;
mod suspense;
mod transfers;
mod treasury;
mod treasury_moves;
mod withdrawals;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(withdrawals::list))
        .routes(routes!(withdrawals::approve))
        .routes(routes!(withdrawals::reject))
        .routes(routes!(withdrawals::unblock))
        .routes(routes!(exchanges::list))
        .routes(routes!(resolutions::propose))
        .routes(routes!(resolutions::list))
        .routes(routes!(resolutions::approve))
        .routes(routes!(resolutions::withdraw))
        .routes(routes!(banks::list))
        .routes(routes!(banks::pause))
        .routes(routes!(banks::drain))
        .routes(routes!(banks::resume))
        .routes(routes!(inbound::list))
        .routes(routes!(inbound::reprocess))
        .routes(routes!(transfers::list))
        .routes(routes!(transfers::approve))
        .routes(routes!(transfers::reject))
        .routes(routes!(suspense::list))
        .routes(routes!(suspense::assign))
        .routes(routes!(sending_back::send_back))
        .routes(routes!(lumps::settle))
        .routes(routes!(receivables::write_off))
        .routes(routes!(outside::list))
        .routes(routes!(outside::send_again))
        .routes(routes!(treasury::name))
        .routes(routes!(periods::list))
        .routes(routes!(periods::close))
        .routes(routes!(periods::reopen))
        .routes(routes!(periods::close_year))
        .routes(routes!(treasury_moves::list))
        .routes(routes!(treasury_moves::approve))
        .routes(routes!(treasury_moves::reject))
        .routes(routes!(fees::list, fees::define))
        .routes(routes!(fees::list_terms, fees::define_terms))
        .routes(routes!(merchants::read, merchants::agree))
        .routes(routes!(bank_days::list))
        .routes(routes!(bank_days::fetch))
        .routes(routes!(bank_days::close))
        .routes(routes!(bank_days::reopen))
}
