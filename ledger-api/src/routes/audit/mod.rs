//! the log, of accounts and of transactions, masked as their pages are.

mod account_body;
mod accounts;
mod body;
mod checkpoints;
mod events;
mod examples;
mod key;
mod openings;
mod proofs;
mod transaction_body;
mod transactions;

pub(super) use body::ProofOut;
pub(crate) use checkpoints::CheckpointWanted;
pub(super) use examples::inclusion as inclusion_example;
pub(crate) use proofs::prove;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(checkpoints::list))
        .routes(routes!(checkpoints::one))
        .routes(routes!(proofs::inclusion))
        .routes(routes!(proofs::consistency))
        .routes(routes!(events::list))
        .routes(routes!(events::one))
        .routes(routes!(accounts::tree))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::one))
        .routes(routes!(accounts::entries))
        .routes(routes!(transactions::one))
        .routes(routes!(openings::open))
}
