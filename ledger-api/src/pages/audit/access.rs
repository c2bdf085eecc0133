//! `/audit/access`: who looked at personal data, who was made staff or unmade, who was turned away,
//! and what was decided by hand.

use askama::Template;
use axum::{extract::Query, response::Response};
use serde::Deserialize;

use super::{transaction, visitor::Auditor};
use crate::{
    access_log::{AccessQuery, Logged},
    auditing::decisions,
    http::Problem,
    pages::{
        Layout, respond,
        ui::{Column, DataTable},
    },
};

const SHOWN_MAX: i64 = 100;
const DECISIONS_MAX: u32 = 50;
const WHATS: [&str; 6] = [
    "name opened",
    "note opened",
    "message opened",
    "desk refused",
    "key refused",
    "request refused",
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct LogQuery {
    who: String,
    what: String,
    subject: String,
    before: String,
}

#[derive(Template)]
#[template(path = "audit/access.html")]
struct AccessView {
    layout: Layout,
    query: LogQuery,
    /// What is often asked for.
    whats: [&'static str; 6],
    lines: DataTable,
    is_empty: bool,
    older: String,
    decisions: Option<DataTable>,
}

/// The page.
pub(super) async fn page(
    auditor: Auditor,
    Query(query): Query<LogQuery>,
) -> Result<Response, Problem> {
    let wanted = AccessQuery {
        who: given(&query.who),
        // As it is shown, or as programs have it.
        what: given(&query.what).map(|what| what.replace(' ', "_")),
        subject: given(&query.subject),
        before: query.before.parse().ok(),
        limit: SHOWN_MAX,
    };
    let lines = auditor.reads.access_log.list(&wanted).await?;
    let is_full = lines.len() >= usize::try_from(SHOWN_MAX).unwrap_or(usize::MAX);
    let older = lines.last().filter(|_| is_full).map_or_else(String::new, |last| {
        let mut address = form_urlencoded::Serializer::new(String::new());
        address.append_pair("who", &query.who).append_pair("what", &query.what);
        address.append_pair("subject", &query.subject);
        address.append_pair("before", &last.number.to_string());
        format!("/audit/access?{}", address.finish())
    });
    let decided = decisions(&auditor.reads.pool, None, DECISIONS_MAX).await?;
    Ok(respond::page(&AccessView {
        layout: auditor.layout("Access log", "access"),
        is_empty: lines.is_empty(),
        lines: table(&auditor, &lines),
        older,
        whats: WHATS,
        decisions: (!decided.is_empty()).then(|| transaction::table(&auditor, &decided)),
        query,
    }))
}

fn given(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn table(auditor: &Auditor, lines: &[Logged]) -> DataTable {
    let columns = [
        Column::words("When"),
        Column::words("Who"),
        Column::words("What"),
        Column::words("About"),
        Column::words("Why"),
    ];
    let row = |line: &Logged| {
        vec![
            auditor.when(line.at).into(),
            line.who.clone().into(),
            line.what.replace('_', " ").into(),
            line.subject.clone().into(),
            line.reason.clone().into(),
        ]
    };
    DataTable::new("Who looked at what, newest first", &columns, lines.iter().map(row).collect())
}
