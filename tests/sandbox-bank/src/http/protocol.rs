//! The protocol of docs/banks.md.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State, rejection::BytesRejection},
    http::HeaderMap,
    routing::{get, post},
};
use serde::de::DeserializeOwned;

use super::{Answer, App, bank, read};
use crate::{
    BankCode, Command,
    accounts::Account,
    wire::{NameCheck, Reply},
};

type Shared = State<Arc<App>>;
type Body = Result<Bytes, BytesRejection>;

pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/health", get(health))
        .route("/contract", get(contract))
        .route("/transfers", post(submit))
        .route("/transfers/{reference}", get(transfer))
        .route("/statements/{date}", get(statement))
        .route("/name-checks", post(name_check))
        .route("/collect-links", post(open_link))
        .route("/collect-links/{token}", get(link))
        .route("/credits/{id}", get(credit))
}

/// Reads a body for a bank.
fn for_bank<T: DeserializeOwned>(
    code: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<(BankCode, T), Reply> {
    Ok((bank(code)?, read(headers, body)?))
}

async fn health(State(app): Shared, Path(code): Path<String>) -> Answer {
    Answer(bank(&code).map_or_else(|no| no, |bank| app.sandbox.health(bank)))
}

async fn contract(State(app): Shared, Path(code): Path<String>) -> Answer {
    Answer(bank(&code).map_or_else(|no| no, |bank| app.sandbox.contract(bank)))
}

async fn submit(
    State(app): Shared,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let reply = match for_bank(&code, &headers, body) {
        Ok((bank, request)) => app.sandbox.execute(Command::Submit(bank, request)),
        Err(refused) => refused,
    };
    app.answer(reply).await
}

async fn transfer(State(app): Shared, Path((code, reference)): Path<(String, String)>) -> Answer {
    let reply = bank(&code).map_or_else(|no| no, |bank| app.sandbox.transfer(bank, &reference));
    app.answer(reply).await
}

async fn statement(
    State(app): Shared,
    Path((code, date)): Path<(String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Answer {
    let reply = read_statement(&app, &code, &date, &query).unwrap_or_else(|refused| refused);
    app.answer(reply).await
}

fn read_statement(
    app: &App,
    code: &str,
    date: &str,
    query: &BTreeMap<String, String>,
) -> Result<Reply, Reply> {
    let bank = bank(code)?;
    let invalid = |detail| Reply::problem(422, "invalid", detail);
    let date = date.parse().map_err(|_| invalid("a date is YYYY-MM-DD"))?;
    if let Some(unknown) = query.keys().find(|key| key.as_str() != "account") {
        return Err(invalid(&format!("there is no parameter {unknown:?}")));
    }
    let account = match query.get("account") {
        None => Account::Escrow,
        Some(name) => Account::parse(name).ok_or_else(|| invalid("there is no such account"))?,
    };
    Ok(app.sandbox.statement(bank, account, date))
}

async fn name_check(
    State(app): Shared,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let reply = match for_bank::<NameCheck>(&code, &headers, body) {
        Ok((bank, asked)) => app.sandbox.name_check(bank, &asked),
        Err(refused) => refused,
    };
    app.answer(reply).await
}

async fn open_link(
    State(app): Shared,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    let reply = match for_bank(&code, &headers, body) {
        Ok((bank, request)) => app.sandbox.execute(Command::OpenLink(bank, request)),
        Err(refused) => refused,
    };
    app.answer(reply).await
}

async fn link(State(app): Shared, Path((code, token)): Path<(String, String)>) -> Answer {
    let reply = bank(&code).map_or_else(|no| no, |bank| app.sandbox.link(bank, &token));
    app.answer(reply).await
}

async fn credit(State(app): Shared, Path((code, id)): Path<(String, String)>) -> Answer {
    let reply = bank(&code).map_or_else(|no| no, |bank| app.sandbox.credit(bank, &id));
    app.answer(reply).await
}
