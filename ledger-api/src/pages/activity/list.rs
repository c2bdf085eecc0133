//! The list.

use std::collections::HashMap;

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use projections::{ActivityCounts, ActivityPage, ActivityStatus, Turn};
use rust_decimal::Decimal;

use super::filter::{KINDS, Query, SPANS, WAYS};
use crate::{
    http::Problem,
    pages::{
        FormErrors, Layout, Nav, Visitor,
        landing::grouped,
        names::Names,
        respond,
        ui::{EmptyState, LiveDot, MoneyView, MoveRow, Status},
    },
    wallet,
};

const PATH: &str = "/app/activity";
/// How many days further back a list without a match offers to look.
const DAYS_FURTHER: u64 = 90;
/// How many rows a page has.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "app/activity.html")]
struct ListView {
    layout: Layout,
    live: LiveDot,
    errors: FormErrors,
    query: Query,
    tabs: Vec<Tab>,
    kinds: [(&'static str, &'static str); 6],
    ways: [(&'static str, &'static str); 3],
    spans: [(&'static str, &'static str); 5],
    days: Vec<Day>,
    empty: EmptyState,
    /// Where a search that was broken off goes on; nothing if it came to its end.
    further: String,
    /// Where a list that begins on some day goes on before it; nothing while there is more of it.
    back: String,
    older: String,
    newer: String,
    file: String,
    /// Where the balance after each is shown, or not any more.
    balances: String,
}

/// A tab, with how many there are behind it.
struct Tab {
    word: &'static str,
    href: String,
    count: String,
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
    let (mut filter, errors) = query.filter(visitor.now(), visitor.zone);
    if let Some(text) = query.sought() {
        wallet::search(&visitor.state, &text, &mut filter).await?;
    }
    let models = &visitor.state.read_models;
    let page = models.activity(&visitor.wallet, &filter, turn(&query), PAGE).await?;
    let counts = models.activity_counts(&visitor.wallet, &filter).await?.value;
    let names = Names::of(&visitor, &page.rows).await?;
    let with_balances = !query.balance.is_empty();
    let balances = if with_balances {
        models.balances_after(&visitor.wallet, &page.rows).await?
    } else {
        HashMap::new()
    };
    let place = |name: &str, at: Option<u64>| {
        at.map(|at| query.with(PATH, name, &at.to_string())).unwrap_or_default()
    };
    let older = place("older", page.older);
    let further = query.further_back(PATH, DAYS_FURTHER, &filter, visitor.zone);
    let view = ListView {
        layout: visitor.layout("Activity", Nav::Activity),
        live: LiveDot::new(visitor.path()),
        errors,
        tabs: tabs(&query, &counts),
        kinds: KINDS,
        ways: WAYS,
        spans: SPANS,
        days: days(&visitor, &names, &page, &balances)?,
        back: further.clone().filter(|_| older.is_empty()).unwrap_or_default(),
        empty: empty(&query, further, page.looked_until),
        further: if page.looked_until { older.clone() } else { String::new() },
        older,
        newer: place("newer", page.newer),
        balances: query.with(PATH, "balance", if with_balances { "" } else { "1" }),
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
fn tabs(query: &Query, counts: &ActivityCounts) -> Vec<Tab> {
    let all = Tab {
        word: "All",
        href: query.with(PATH, "status", ""),
        count: counted(counts.all()),
        current: query.status.is_empty(),
    };
    let of = |status: ActivityStatus| {
        let (count, is_all) = counts.of(status);
        let current = query.status == status.as_str();
        (count > 0 || current).then(|| Tab {
            word: Status::from(status).word(),
            href: query.with(PATH, "status", status.as_str()),
            count: counted((count, is_all)),
            current,
        })
    };
    std::iter::once(all).chain(ActivityStatus::ALL.into_iter().filter_map(of)).collect()
}

/// A count; with a plus if there are more.
pub(in crate::pages) fn counted((count, is_all): (u64, bool)) -> String {
    let more = if is_all { "" } else { "+" };
    format!("{}{more}", grouped(count))
}

fn days(
    visitor: &Visitor,
    names: &Names,
    page: &ActivityPage,
    balances: &HashMap<String, Decimal>,
) -> Result<Vec<Day>, Problem> {
    let mut days: Vec<Day> = Vec::new();
    for row in &page.rows {
        let name = visitor.when(row.began_at).day();
        let mut shown = names.row(visitor, row)?;
        if let Some(balance) = balances.get(&row.object) {
            shown.balance = Some(MoneyView::plain(visitor.money(*balance, row.currency)?));
        }
        match days.last_mut().filter(|day| day.name == name) {
            Some(day) => day.rows.push(shown),
            None => days.push(Day { name, rows: vec![shown] }),
        }
    }
    Ok(days)
}

/// Nothing at all is another thing than nothing that matches, and than nothing so far.
fn empty(query: &Query, further: Option<String>, looked_until: bool) -> EmptyState {
    if query.restricts() && looked_until {
        let text = "Nothing in this part of your history matches.";
        return EmptyState::new("search", "Nothing yet", text);
    }
    if query.restricts() {
        let text = "Try fewer filters. Search finds whole ids and bank references, a handle such \
                    as @asha, an amount, or about an amount: ~500.";
        let empty = EmptyState::new("search", "Nothing matches", text);
        return match further {
            Some(href) => empty.action("Look 90 days further back", href),
            None => empty.action("Clear filters", PATH),
        };
    }
    EmptyState::new(
        "list",
        "Nothing here yet",
        "What you add, send, receive and withdraw appears here.",
    )
    .action("Add money", "/app/move?tab=add")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_stands_for_each_status_that_there_is() {
        let query = Query { status: "expired".to_owned(), ..Query::default() };
        let counts = [(ActivityStatus::Done, 1_000), (ActivityStatus::Unknown, 1)].into();
        let tabs = tabs(&query, &ActivityCounts { counts, in_a_part: false });
        let shown: Vec<_> = tabs.iter().map(|tab| (tab.word, &*tab.count, tab.current)).collect();
        let unknown = "Bank hasn’t confirmed";
        assert_eq!(
            shown,
            [
                ("All", "1,001+", false),
                (unknown, "1", false),
                ("Done", "1,000+", false),
                ("Expired", "0", true)
            ]
        );
    }
}
