//! `/v1/events`: the log itself, by position: a page, lines of JSON, or a live tail.

mod body;
mod list;
mod tail;

pub(in crate::routes) use body::EventOut;
pub(in crate::routes) use tail::last_event_id;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list::list))
}
