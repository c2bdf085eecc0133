//! The switches of the sandbox, for tests and demonstrations. No part of the protocol.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    http::HeaderMap,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, App, bank, read};
use crate::{Command, clock::text, wire::Reply};

type Shared = State<Arc<App>>;
type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/clock", get(clock))
        .route("/clock/advance", post(advance))
        .route("/seed", post(seed))
        .route("/banks/{bank}/mode", post(mode))
        .route("/banks/{bank}/credits", post(credit))
        .route("/banks/{bank}/adjustments", post(adjustment))
        .route("/banks/{bank}/books", get(books))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    milliseconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    seed: u64,
}

async fn clock(State(app): Shared) -> Answer {
    Answer(Reply::ok(json!({ "now": text(app.sandbox.clock().now()) })))
}

async fn advance(State(app): Shared, headers: HeaderMap, body: Body) -> Answer {
    let read: Result<Advance, Reply> = read(&headers, body);
    Answer(read.map_or_else(
        |no| no,
        |advance| app.sandbox.execute(Command::Advance(advance.milliseconds)),
    ))
}

async fn seed(State(app): Shared, headers: HeaderMap, body: Body) -> Answer {
    let read: Result<Seed, Reply> = read(&headers, body);
    Answer(read.map_or_else(|no| no, |seed| app.sandbox.execute(Command::Reseed(seed.seed))))
}

async fn mode(
    State(app): Shared,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let mode = bank(&code).and_then(|bank| Ok(Command::SetMode(bank, read(&headers, body)?)));
    Answer(mode.map_or_else(|no| no, |command| app.sandbox.execute(command)))
}

async fn credit(
    State(app): Shared,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let credit = bank(&code).and_then(|bank| Ok(Command::Credit(bank, read(&headers, body)?)));
    Answer(credit.map_or_else(|no| no, |command| app.sandbox.execute(command)))
}

async fn adjustment(
    State(app): Shared,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let adjust = bank(&code).and_then(|bank| Ok(Command::Adjust(bank, read(&headers, body)?)));
    Answer(adjust.map_or_else(|no| no, |command| app.sandbox.execute(command)))
}

async fn books(State(app): Shared, Path(code): Path<String>) -> Answer {
    Answer(bank(&code).map_or_else(|no| no, |bank| app.sandbox.overview(bank)))
}
