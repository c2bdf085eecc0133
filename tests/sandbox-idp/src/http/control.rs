//! The switch board.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{App, refused};
use crate::{
    desk::Change,
    faults::{Fault, Provider},
};

/// What is to be otherwise from now on.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Switch {
    Fault(Throw),
    Client(Return),
    Change(Change),
}

/// Where browsers may be sent back to.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Return {
    redirect_uris: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Throw {
    provider: Provider,
    fault: Fault,
}

pub(super) async fn throw(State(app): State<Arc<App>>, Json(switch): Json<Switch>) -> Response {
    let mut desk = app.desk();
    match switch {
        Switch::Fault(throw) => desk.set_fault(throw.provider, throw.fault),
        Switch::Client(client) => desk.set_redirect_uris(client.redirect_uris),
        Switch::Change(change) => {
            if !desk.change(change) {
                return refused(StatusCode::NOT_FOUND, "there is nobody of this login");
            }
        }
    }
    StatusCode::NO_CONTENT.into_response()
}
