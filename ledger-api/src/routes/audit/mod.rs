//! `/v1/audit`: signed checkpoints of the log, and proofs that lead to them.

mod body;
mod checkpoints;
mod examples;
mod proofs;

pub(super) use body::ProofOut;
pub(super) use examples::inclusion as inclusion_example;
pub(super) use proofs::prove;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(checkpoints::list))
        .routes(routes!(checkpoints::one))
        .routes(routes!(proofs::inclusion))
        .routes(routes!(proofs::consistency))
}
