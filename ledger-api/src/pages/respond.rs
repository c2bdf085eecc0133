//! A view as an answer. The headers that guard a page (its policy, `no-store`) are put on by the
//! envelope around all handlers.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use crate::http::Problem;

/// The page.
pub(crate) fn page(view: &impl Template) -> Response {
    page_with(StatusCode::OK, view)
}

/// The page with another status: 422 for a form that has to be shown again.
pub(crate) fn page_with(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}
