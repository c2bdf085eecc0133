//! The list, and the same rows as a file.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use projections::{ActivityPage, ActivityRow, ActivityStatus, Turn};

use super::filter::{KINDS, Query, SPANS, WAYS};
use crate::{
    http::Problem,
    pages::{
        FormErrors, Layout, Nav, Visitor,
        names::{Names, what},
        respond, spreadsheet,
        ui::{EmptyState, LiveDot, MoveRow, Status},
    },
};

const PATH: &str = "/app/activity";
/// How many rows a page has.
const PAGE: u32 = 25;
/// How many rows a file has at most, read a page at a time.
const FILE_PAGE: u32 = 500;
const FILE_PAGES_MAX: u32 = 20;

#[derive(Template)]
#[template(path = "app/activity.html")]
struct ListView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    query: Query,
    tabs: Vec<Tab>,
    kinds: [(&'static str, &'static str); 4],
    ways: [(&'static str, &'static str); 3],
    spans: [(&'static str, &'static str); 5],
    days: Vec<Day>,
    empty: EmptyState,
    older: String,
    newer: String,
    file: String,
}

/// A tab, with how many there are behind it.
struct Tab {
    word: &'static str,
    href: String,
    count: u64,
    current: bool,
}

/// The movements of one day.
struct Day {
    name: String,
    rows: Vec<MoveRow>,
}

pub(super) async fn list(
    visitor: Visitor,
    Asked(query): Asked<Query>,
) -> Result<Response, Problem> {
    let (filter, errors) = query.filter(visitor.now(), visitor.zone);
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, &filter, turn(&query), PAGE).await?;
    let counts = models.activity_counts(&visitor.wallet, &filter).await?.value;
    let names = Names::of(&visitor, &page.rows).await?;
    let place = |name: &str, at: Option<u64>| {
        at.map(|at| query.with(PATH, name, &at.to_string())).unwrap_or_default()
    };
    let view = ListView {
        layout: visitor.layout("Activity", Nav::Activity),
        live: LiveDot::new(visitor.path()),
        errors,
        tabs: tabs(&query, &counts),
        kinds: KINDS,
        ways: WAYS,
        spans: SPANS,
        days: days(&visitor, &names, &page)?,
        empty: empty(&query),
        older: place("older", page.older),
        newer: place("newer", page.newer),
        file: query.with("/app/activity.csv", "", ""),
        query,
    };
    Ok(respond::page(&view))
}

fn turn(query: &Query) -> Option<Turn> {
    let older = query.older.parse().map(Turn::Older);
    older.or_else(|_| query.newer.parse().map(Turn::Newer)).ok()
}

/// A tab for everything and one for each status that there is, or that is chosen.
fn tabs(query: &Query, counts: &std::collections::BTreeMap<ActivityStatus, u64>) -> Vec<Tab> {
    let all = Tab {
        word: "All",
        href: query.with(PATH, "status", ""),
        count: counts.values().sum(),
        current: query.status.is_empty(),
    };
    let of = |status: ActivityStatus| {
        let count = counts.get(&status).copied().unwrap_or_default();
        let current = query.status == status.as_str();
        (count > 0 || current).then(|| Tab {
            word: Status::from(status).word(),
            href: query.with(PATH, "status", status.as_str()),
            count,
            current,
        })
    };
    std::iter::once(all).chain(ActivityStatus::ALL.into_iter().filter_map(of)).collect()
}

fn days(visitor: &Visitor, names: &Names, page: &ActivityPage) -> Result<Vec<Day>, Problem> {
    let mut days: Vec<Day> = Vec::new();
    for row in &page.rows {
        let name = visitor.when(row.began_at).day();
        let shown = names.row(visitor, row)?;
        match days.last_mut().filter(|day| day.name == name) {
            Some(day) => day.rows.push(shown),
            None => days.push(Day { name, rows: vec![shown] }),
        }
    }
    Ok(days)
}

/// Nothing at all is another thing than nothing that matches.
fn empty(query: &Query) -> EmptyState {
    if query.restricts() {
        let text = "Try fewer filters. Search finds whole ids and bank references.";
        return EmptyState::new("search", "Nothing matches", text).action("Clear filters", PATH);
    }
    EmptyState::new(
        "list",
        "Nothing here yet",
        "What you add, send, receive and withdraw appears here.",
    )
    .action("Add money", "/app/move?tab=add")
}

/// Exactly the filtered rows, the newest first.
pub(super) async fn csv(visitor: Visitor, Asked(query): Asked<Query>) -> Result<Response, Problem> {
    let (filter, _) = query.filter(visitor.now(), visitor.zone);
    let mut file = String::from("time,id,kind,direction,status,who,amount,fee,currency,utr\r\n");
    let mut turn = None;
    for _ in 0..FILE_PAGES_MAX {
        let models = &visitor.state.read_models;
        let page = models.activity(&visitor.wallet, &filter, turn, FILE_PAGE).await?;
        let names = Names::of(&visitor, &page.rows).await?;
        for row in &page.rows {
            file.push_str(&line(&names, row));
        }
        match page.older {
            Some(older) => turn = Some(Turn::Older(older)),
            None => break,
        }
    }
    let mut response = file.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"activity.csv\""),
    );
    Ok(response)
}

fn line(names: &Names, row: &ActivityRow) -> String {
    let fields = [
        row.began_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        row.object.clone(),
        row.kind.clone(),
        row.direction.as_str().to_owned(),
        row.status.as_str().to_owned(),
        format!("{} · {}", names.who(row), what(row)),
        row.amount.to_string(),
        row.fee.to_string(),
        row.currency.to_string(),
        row.utr.clone().unwrap_or_default(),
    ];
    let cells: Vec<String> = fields.iter().map(|field| spreadsheet::cell(field)).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_stands_for_each_status_that_there_is() {
        let query = Query { status: "expired".to_owned(), ..Query::default() };
        let counts = [(ActivityStatus::Done, 3), (ActivityStatus::Unknown, 1)].into();
        let tabs = tabs(&query, &counts);
        let shown: Vec<_> = tabs.iter().map(|tab| (tab.word, tab.count, tab.current)).collect();
        let unknown = "Bank hasn’t confirmed";
        assert_eq!(
            shown,
            [("All", 4, false), (unknown, 1, false), ("Done", 3, false), ("Expired", 0, true)]
        );
    }
}
