//! `/dev/outbox`: what would have been sent to people, where nothing is. Only in the demonstration;
//! elsewhere there is nothing at this address.

use askama::Template;
use axum::{Json, Router, extract::State, response::Response, routing::get};

use crate::{
    http::{ApiState, Problem},
    pages::{Layout, Nav, PageContext, respond},
    post::{Outbox, Sent},
};

pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/dev/outbox", get(page)).route("/dev/outbox.json", get(json))
}

#[derive(Template)]
#[template(path = "people/outbox.html")]
struct OutboxView {
    layout: Layout,
    sent: Vec<Sent>,
}

fn outbox(state: &ApiState) -> Result<&Outbox, Problem> {
    let outbox = state.people_settings.post.outbox().filter(|_| state.demo);
    outbox.ok_or_else(|| Problem::not_found("There is nothing at this address."))
}

async fn page(State(state): State<ApiState>, context: PageContext) -> Result<Response, Problem> {
    let sent = outbox(&state)?.all();
    let layout = context.layout("Outbox", Nav::None, None);
    Ok(respond::page(&OutboxView { layout, sent }))
}

async fn json(State(state): State<ApiState>) -> Result<Json<Vec<Sent>>, Problem> {
    Ok(Json(outbox(&state)?.all()))
}
