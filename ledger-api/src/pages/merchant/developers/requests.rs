//! What the shop's own programs asked of the API: the last requests, or the one that an answer
//! named. Neither what was sent nor what was answered is kept, so neither can be shown.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::Query, response::Response};
use serde::Deserialize;

use super::principal;
use crate::{
    http::Problem,
    identity,
    pages::{
        FormErrors, Layout, Nav, address,
        merchant::{Owners, ShopVisitor},
        respond,
        ui::{Cell, Column, CopyId, DataTable, EmptyState},
    },
    shops::ApiRequest,
};

const PATH: &str = "/merchant/developers/requests";
const PAGE: u32 = 50;

/// Which requests. Everything is a text first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    request: String,
    /// Only what was refused or failed, if it says `failed`.
    status: String,
    older: String,
}

impl Asked {
    fn restricts(&self) -> bool {
        !(self.request.trim().is_empty() && self.status.is_empty())
    }

    fn with(&self, name: &'static str, value: &str) -> String {
        let kept = [("request", self.request.trim()), ("status", self.status.as_str())];
        address::with(PATH, &kept, name, value)
    }
}

#[derive(Template)]
#[template(path = "merchant/requests.html")]
struct RequestsView {
    layout: Layout,
    errors: FormErrors,
    request: String,
    /// The words of each choice, its address, and whether it is chosen.
    tabs: [(&'static str, String, bool); 2],
    table: DataTable,
    is_empty: bool,
    empty: EmptyState,
    older: String,
    newest: String,
}

/// The page.
pub(super) async fn page(
    visitor: ShopVisitor<Owners>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let mut errors = FormErrors::none();
    let typed = asked.request.trim();
    let id = if typed.is_empty() { None } else { typed.parse().ok() };
    if id.is_none() && !typed.is_empty() {
        errors.add("request", "A request’s id is written as req_ and 32 letters and digits.");
    }
    let before = asked.older.parse().ok();
    let failed = asked.status == "failed";
    let (log, shop) = (&visitor.state.api_log, visitor.at.shop.id);
    let found = if errors.is_empty() {
        log.list(shop, (id, failed), before, PAGE.saturating_add(1)).await
    } else {
        Ok(Vec::new())
    };
    let mut found = found.map_err(projections::ReadError::from)?;
    let full = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let has_older = found.len() > full;
    found.truncate(full);
    let last = found.last().filter(|_| has_older).map(|(number, _)| number.to_string());
    let rows: Vec<ApiRequest> = found.into_iter().map(|(_, request)| request).collect();
    let tab = |(word, status): (&'static str, &str)| {
        (word, asked.with("status", status), asked.status == status)
    };
    let view = RequestsView {
        layout: visitor.layout("API log", Nav::Shop("developers")),
        errors,
        request: typed.to_owned(),
        tabs: [("All", ""), ("Refused or failed", "failed")].map(tab),
        is_empty: rows.is_empty(),
        table: table(&visitor, &rows).await?,
        empty: empty(&asked),
        older: last.map(|number| asked.with("older", &number)).unwrap_or_default(),
        newest: if asked.older.is_empty() { String::new() } else { asked.with("", "") },
    };
    Ok(respond::page(&view))
}

/// Nothing at all is another thing than nothing that matches.
fn empty(asked: &Asked) -> EmptyState {
    if asked.restricts() {
        let text = "Requests are kept for 30 days, the last 10,000 of them.";
        return EmptyState::new("search", "Nothing matches", text).action("See all", PATH);
    }
    let text = "What your programs ask for with one of your keys stands here a second later.";
    EmptyState::new("lock", "No requests yet", text).action("Make a key", "/merchant/developers")
}

async fn table(visitor: &ShopVisitor<Owners>, rows: &[ApiRequest]) -> Result<DataTable, Problem> {
    let keys = identity::keys_of(&visitor.state.reads, &principal(visitor)?).await;
    let keys = keys.map_err(|error| Problem::internal(&error))?;
    let labels: HashMap<&str, &str> =
        keys.iter().map(|key| (key.id.as_str(), key.label.as_str())).collect();
    let columns = [
        Column::words("When"),
        Column::words("Method"),
        Column::words("Route"),
        Column::numbers("Status"),
        Column::words("Problem"),
        Column::numbers("Took"),
        Column::words("Key"),
        Column::words("Request"),
    ];
    let cells = rows.iter().map(|row| {
        let label = labels.get(row.key_id.as_str()).map_or(row.key_id.as_str(), |label| *label);
        let problem = row.code.as_ref().map_or_else(
            || Cell::from("–"),
            |code| Cell::Link(code.clone(), format!("/problems/{code}")),
        );
        vec![
            Cell::When(visitor.when(row.at).exact()),
            row.method.clone().into(),
            row.route.clone().into(),
            row.status.to_string().into(),
            problem,
            took(row.micros).into(),
            label.to_owned().into(),
            CopyId::new(row.request_id.to_string()).into(),
        ]
    });
    Ok(DataTable::new("Requests of your programs", &columns, cells.collect()))
}

/// Microseconds in milliseconds, a tenth of one at the least.
fn took(micros: u64) -> String {
    let tenths = micros.div_ceil(100);
    format!("{}.{} ms", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_milliseconds() {
        for (micros, said) in [(0, "0.0 ms"), (1, "0.1 ms"), (950, "1.0 ms"), (12_340, "12.4 ms")] {
            assert_eq!(took(micros), said);
        }
    }

    #[test]
    fn a_choice_keeps_what_was_looked_for() {
        let asked: Asked = serde_urlencoded::from_str("request=+req_1+&older=9").unwrap();
        assert_eq!(asked.with("status", "failed"), format!("{PATH}?request=req_1&status=failed"));
        assert!(asked.restricts() && !Asked::default().restricts());
    }
}
