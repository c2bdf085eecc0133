//! `/v1/webhook-endpoints` and `/v1/deliveries`: where webhooks go, and what became of them. Kept
//! beside the log: nothing here is about whose money is whose.
//!
//! An endpoint is its owner's alone: of the service or person of the staff whose key made it.

mod body;
mod deliveries;
mod read;
mod whose;
mod write;

pub(crate) use body::EndpointIn;
pub(crate) use deliveries::{again, send_test};
pub(crate) use whose::{Whose, own};
pub(crate) use write::{make, rotated};

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::create, read::list))
        .routes(routes!(read::get, write::change, write::delete))
        .routes(routes!(write::rotate))
        .routes(routes!(deliveries::test))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::get))
        .routes(routes!(deliveries::redeliver))
}
