//! What people do with themselves: sign up, log in and out, prove who they are, leave. What their
//! money does stands elsewhere.
//!
//! Who is signed in is known by the cookie; what changes something needs the header `X-CSRF-Token`
//! and comes from a page of ours (`http::session`). Coming in needs no token, but never comes from
//! another site's page.

mod body;
mod coming;
mod me;
mod proofs;
mod sessions;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::http::ApiState;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(coming::sign_up))
        .routes(routes!(coming::log_in))
        .routes(routes!(coming::log_out))
        .routes(routes!(coming::forgot))
        .routes(routes!(coming::reset))
        .routes(routes!(sessions::list, sessions::end_others))
        .routes(routes!(sessions::current))
        .routes(routes!(sessions::reauthenticate))
        .routes(routes!(sessions::end))
        .routes(routes!(me::me, me::change))
        .routes(routes!(me::change_email))
        .routes(routes!(me::change_phone))
        .routes(routes!(me::change_password))
        .routes(routes!(me::export))
        .routes(routes!(me::close))
        .routes(routes!(proofs::send))
        .routes(routes!(proofs::confirm))
        .routes(routes!(proofs::papers))
}
