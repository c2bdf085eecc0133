//! `/app/statements`: a month or some days, on the page and as files. Each names the place in the
//! log that it reflects, so that the paper can be checked. Long ones are prepared first
//! ([`super::statement_files`]).

use askama::Template;
use axum::{Router, extract::Query, http::StatusCode, response::Response, routing::get};
use chrono::{Datelike as _, NaiveDate};
use ledger_core::words;
use serde::Deserialize;

use super::{
    FormErrors, Layout, Nav, Visitor,
    landing::grouped,
    respond,
    ui::{Cell, Column, CopyId, DataTable, EmptyState, MoneyView, Pair, Pairs},
};
use crate::{
    http::{ApiState, Problem},
    wallet::{self, Period, Statement},
};

/// How many lines the page shows; the files have all.
const LINES_SHOWN: u32 = 200;
/// How many of the last months can be chosen with one click.
const MONTHS: u32 = 6;

/// The routes.
pub(super) fn routes() -> Router<ApiState> {
    Router::new().route("/app/statements", get(page))
}

/// Which days; everything is a text first.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatementsQuery {
    month: String,
    from: String,
    to: String,
}

#[derive(Template)]
#[template(path = "app/statements.html")]
struct StatementsView {
    layout: Layout,
    errors: FormErrors,
    months: Vec<Month>,
    from: String,
    to: String,
    heading: String,
    shown: Option<Shown>,
}

/// A month to choose.
struct Month {
    name: String,
    href: String,
    current: bool,
}

/// A statement on the page.
struct Shown {
    sums: Pairs,
    table: Option<DataTable>,
    empty: EmptyState,
    /// What is not on the page; nothing if all of it is.
    rest: String,
    files: Files,
    from: String,
    to: String,
    position: u64,
    hash: CopyId,
}

/// How the files of a statement are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Files {
    /// At once.
    AtOnce,
    /// Each is prepared first.
    Prepared,
    /// Not at all: there are too many lines.
    None,
}

async fn page(visitor: Visitor, Query(query): Query<StatementsQuery>) -> Result<Response, Problem> {
    show(&visitor, query, FormErrors::none()).await
}

/// The page of some days, with what was wrong with having their file prepared.
pub(super) async fn of_days(
    visitor: &Visitor,
    period: Period,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let (from, to) = (period.from.to_string(), period.to.to_string());
    show(visitor, StatementsQuery { from, to, ..StatementsQuery::default() }, errors).await
}

async fn show(
    visitor: &Visitor,
    query: StatementsQuery,
    errors: FormErrors,
) -> Result<Response, Problem> {
    let today = visitor.now().with_timezone(&visitor.zone).date_naive();
    let (period, errors) = match query.period(today) {
        Ok(period) => (Some(period), errors),
        Err(errors) => (None, errors),
    };
    let statement = match period {
        Some(period) => {
            let (state, wallet) = (&visitor.state, &visitor.wallet);
            Some(wallet::statement_start(state, wallet, period, LINES_SHOWN).await?)
        }
        None => None,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let view = StatementsView {
        layout: visitor.layout("Statements", Nav::Statements),
        errors,
        months: months(today, period),
        from: period.map_or(query.from, |period| period.from.to_string()),
        to: period.map_or(query.to, |period| period.to.to_string()),
        heading: period.map_or_else(String::new, heading),
        shown: statement.map(|statement| shown(&statement)),
    };
    Ok(respond::page_with(status, &view))
}

impl StatementsQuery {
    /// The days that are asked for; this month if none are.
    fn period(&self, today: NaiveDate) -> Result<Period, FormErrors> {
        let this_month = format!("{:04}-{:02}", today.year(), today.month());
        let month = match (&*self.month, &*self.from, &*self.to) {
            ("", "", "") => Some(&*this_month),
            ("", _, _) => None,
            (month, _, _) => Some(month),
        };
        let period = if let Some(month) = month {
            Period::month(month)
                .ok_or_else(|| FormErrors::one("from", "A month is written as 2026-11."))?
        } else {
            let day = |text: &str, field| {
                text.parse().map_err(|_| FormErrors::one(field, "A date is written as 2026-11-22."))
            };
            Period { from: day(&self.from, "from")?, to: day(&self.to, "to")? }
        };
        if period.is_allowed() {
            return Ok(period);
        }
        Err(FormErrors::one("to", "Choose an end after the start, within one year."))
    }
}

/// The last months, this one first.
fn months(today: NaiveDate, period: Option<Period>) -> Vec<Month> {
    let mut months = Vec::new();
    let (mut year, mut month) = (today.year(), today.month());
    for _ in 0..MONTHS {
        let code = format!("{year:04}-{month:02}");
        if let Some(whole) = Period::month(&code) {
            months.push(Month {
                name: whole.from.format("%b %Y").to_string(),
                href: format!("/app/statements?month={code}"),
                current: period == Some(whole),
            });
        }
        (year, month) = if month == 1 { (year - 1, 12) } else { (year, month - 1) };
    }
    months
}

/// The days in words.
pub(super) fn heading(period: Period) -> String {
    let day = |day: NaiveDate| day.format("%-d %b %Y").to_string();
    format!("{} to {}", day(period.from), day(period.to))
}

fn shown(statement: &Statement) -> Shown {
    let columns = [
        Column::words("Day"),
        Column::words("What"),
        Column::numbers("Amount"),
        Column::numbers("Balance"),
    ];
    let rows = statement.lines.iter().map(|line| -> Vec<Cell> {
        let view = if line.is_in { MoneyView::incoming } else { MoneyView::outgoing };
        let amount = view(line.amount);
        let what = match line.note.as_ref().filter(|note| !note.is_empty()) {
            Some(note) => format!("{} · {}", line.words, words::shown(note)),
            None => line.words.clone(),
        };
        vec![
            // On one line, however narrow.
            line.day.format("%-d\u{a0}%b").to_string().into(),
            Cell::Link(what, format!("/app/activity/{}", line.object)),
            amount.into(),
            MoneyView::plain(line.balance).into(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    Shown {
        sums: Pairs::new(vec![
            Pair::new("Opening balance", MoneyView::plain(statement.opening)),
            Pair::new("In", MoneyView::incoming(statement.total_in)),
            Pair::new("Out", MoneyView::outgoing(statement.total_out)),
            Pair::new("Closing balance", MoneyView::plain(statement.closing)).total(),
        ]),
        table: (!rows.is_empty()).then(|| DataTable::new("Lines", &columns, rows)),
        empty: EmptyState::new("doc", "No lines in these days", "Nothing moved on your wallet."),
        rest: rest(statement),
        files: files(statement.line_count),
        from: statement.period.from.to_string(),
        to: statement.period.to.to_string(),
        position: statement.position,
        hash: CopyId::new(statement.hash.clone()),
    }
}

/// What is said of lines that are not on the page.
fn rest(statement: &Statement) -> String {
    let (all, shown) = (statement.line_count, u64::from(LINES_SHOWN));
    if all <= shown {
        return String::new();
    }
    let first = format!("These are the first {shown} of {} lines.", grouped(all));
    match files(all) {
        Files::AtOnce => format!("{first} The files have all of them."),
        Files::Prepared => {
            format!("{first} A file has all of them; one this long is prepared first.")
        }
        Files::None => format!("{first} There are too many for one file: choose fewer days."),
    }
}

const fn files(lines: u64) -> Files {
    match lines {
        0..=wallet::AT_ONCE_LINES_MAX => Files::AtOnce,
        _ if lines <= wallet::PREPARED_LINES_MAX => Files::Prepared,
        _ => Files::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(month: &str, from: &str, to: &str) -> Result<String, FormErrors> {
        let [month, from, to] = [month, from, to].map(str::to_owned);
        let query = StatementsQuery { month, from, to };
        let period = query.period("2026-01-15".parse().unwrap());
        period.map(|period| format!("{} {}", period.from, period.to))
    }

    #[test]
    fn days_that_mean_nothing_are_said_beside_their_field() {
        assert_eq!(period("", "", "").unwrap(), "2026-01-01 2026-01-31");
        assert_eq!(period("", "2026-01-02", "2026-01-02").unwrap(), "2026-01-02 2026-01-02");
        assert!(!period("", "soon", "2026-01-02").unwrap_err().of("from").is_empty());
        assert!(!period("", "2026-01-02", "").unwrap_err().of("to").is_empty());
        assert!(!period("", "2026-01-02", "2026-01-01").unwrap_err().of("to").is_empty());
        assert!(!period("", "2020-01-02", "2026-01-01").unwrap_err().of("to").is_empty());
        assert!(!period("2026-13", "", "").unwrap_err().of("from").is_empty());
    }

    #[test]
    fn long_files_are_prepared_and_endless_ones_are_not_made() {
        assert_eq!(files(0), Files::AtOnce);
        assert_eq!(files(2_000), Files::AtOnce);
        assert_eq!(files(2_001), Files::Prepared);
        assert_eq!(files(50_000), Files::Prepared);
        assert_eq!(files(50_001), Files::None);
    }

    #[test]
    fn months_go_back_over_the_year() {
        let months = months("2026-02-15".parse().unwrap(), Period::month("2025-12"));
        let names: Vec<_> = months.iter().map(|month| &*month.name).collect();
        assert_eq!(names, ["Feb 2026", "Jan 2026", "Dec 2025", "Nov 2025", "Oct 2025", "Sep 2025"]);
        assert!(months[2].current && !months[0].current);
    }
}
