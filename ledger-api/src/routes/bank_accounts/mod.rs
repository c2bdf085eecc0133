//! `/v1/bank-accounts`: whom a customer may be paid to. Kept beside the log, because numbers and
//! names can be erased; read and written through `banks::accounts` alone.

mod body;
mod read;
mod write;

pub(crate) use write::{create, erase, verify};

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(write::create, read::list))
        .routes(routes!(read::get, write::erase))
        .routes(routes!(write::verify))
}
