//! `/audit/trial-balance`, `/audit/balance-sheet`, `/audit/profit-and-loss`: what accountants read,
//! of one place in the log or two, or by business dates; on the page and as a file. The figures and
//! the file are those of `/v1/audit` and of `bahi audit`.

use askama::Template;
use axum::{extract::Query, response::Response};
use chrono::{Datelike as _, NaiveDate};
use ledger_core::log::Position;
use projections::{
    AsOf,
    reports::{Report, Section, Statement},
};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{as_of, visitor::Auditor};
use crate::{
    auditing::{Books, FileForm},
    http::{Problem, query::YEARS},
    pages::{
        Layout, respond,
        ui::{Cell, Column, DataTable},
    },
};

/// The three, with their addresses.
const TABS: [(Report, &str); 3] = [
    (Report::TrialBalance, "/audit/trial-balance"),
    (Report::BalanceSheet, "/audit/balance-sheet"),
    (Report::ProfitAndLoss, "/audit/profit-and-loss"),
];

/// As of when; everything is a text first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct SheetQuery {
    as_of: String,
    compare: String,
    /// Whether the days are business dates: `date`.
    by: String,
    format: String,
}

/// Which days.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct DaysQuery {
    from: String,
    to: String,
    before_from: String,
    before_to: String,
    format: String,
}

#[derive(Template)]
#[template(path = "audit/balance.html")]
struct BalanceView {
    layout: Layout,
    title: &'static str,
    tabs: Vec<Tab>,
    form: Form,
    words: String,
    currencies: Vec<CurrencyRow>,
    /// Where the report is a file, but for its format.
    files: String,
}

struct Tab {
    word: &'static str,
    href: &'static str,
    current: bool,
}

/// What the page asks again with.
enum Form {
    Sheet { path: &'static str, query: SheetQuery },
    Days(DaysQuery),
}

struct CurrencyRow {
    code: String,
    balanced: bool,
    table: DataTable,
}

/// The file that is asked for in place of the page.
fn file(format: &str) -> Option<FileForm> {
    match format {
        "csv" => Some(FileForm::Csv),
        "pdf" => Some(FileForm::Pdf),
        _ => None,
    }
}

/// All accounts, by type and heading.
pub(super) async fn trial_balance(
    auditor: Auditor,
    Query(query): Query<SheetQuery>,
) -> Result<Response, Problem> {
    of_sheet(&auditor, Report::TrialBalance, query).await
}

/// What there is, and whose it is.
pub(super) async fn balance_sheet(
    auditor: Auditor,
    Query(query): Query<SheetQuery>,
) -> Result<Response, Problem> {
    of_sheet(&auditor, Report::BalanceSheet, query).await
}

async fn of_sheet(
    auditor: &Auditor,
    report: Report,
    query: SheetQuery,
) -> Result<Response, Problem> {
    let models = &auditor.reads.read_models;
    let effective = query.by == "date";
    let now = as_of::report(auditor, &query.as_of, effective).await?.unwrap_or(AsOf::Now);
    let now = models.sheet(now).await?;
    let before = match as_of::report(auditor, &query.compare, effective).await? {
        Some(before) => Some(models.sheet(before).await?),
        None => None,
    };
    let words = match &before {
        _ if effective => words_of_days(&query, now.position),
        Some(then) => format!("as of #{}, beside #{}", now.position, then.position),
        None => format!("as of #{}", now.position),
    };
    let books = Books::of(report, &now, before.as_ref(), words)?;
    if let Some(form) = file(&query.format) {
        return books.file(&auditor.reads, form).await;
    }
    let mut address = form_urlencoded::Serializer::new(String::new());
    let place = now.position.to_string();
    address.append_pair("as_of", if effective { &query.as_of } else { &place });
    address.append_pair("compare", &query.compare).append_pair("by", &query.by);
    let path = TABS.iter().find(|(of, _)| *of == report).map_or("", |(_, path)| *path);
    let files = format!("{path}?{}", address.finish());
    shown(auditor, books, Form::Sheet { path, query }, files)
}

fn words_of_days(query: &SheetQuery, position: Position) -> String {
    let day = if query.as_of.is_empty() { "now" } else { query.as_of.trim() };
    let beside = query.compare.trim();
    let beside = if beside.is_empty() { String::new() } else { format!(", beside {beside}") };
    format!("by business date to {day}{beside}, as the log has it at #{position}")
}

/// What was earned on some days, and what it cost.
pub(super) async fn profit_and_loss(
    auditor: Auditor,
    Query(query): Query<DaysQuery>,
) -> Result<Response, Problem> {
    let today = auditor.now.with_timezone(&auditor.book().time_zone()).date_naive();
    let first = today.with_day(1).unwrap_or(today);
    let (from, to) = (day(&query.from, "from")?, day(&query.to, "to")?);
    let days = span(Some(from.unwrap_or(first)), Some(to.unwrap_or(today)), "from")?;
    let (from, to) = days.unwrap_or((first, today));
    let models = &auditor.reads.read_models;
    let now = models.earnings(from, to).await?;
    let before = (day(&query.before_from, "before_from")?, day(&query.before_to, "before_to")?);
    let before = match span(before.0, before.1, "before_from")? {
        Some((from, to)) => Some(models.earnings(from, to).await?),
        None => None,
    };
    let words = format!("business dates {from} to {to}, as the log has it at #{}", now.position);
    let books = Books::of(Report::ProfitAndLoss, &now, before.as_ref(), words)?;
    if let Some(form) = file(&query.format) {
        return books.file(&auditor.reads, form).await;
    }
    let query = DaysQuery { from: from.to_string(), to: to.to_string(), ..query };
    let mut address = form_urlencoded::Serializer::new(String::new());
    address.append_pair("from", &query.from).append_pair("to", &query.to);
    let more = [("before_from", &query.before_from), ("before_to", &query.before_to)];
    for (name, value) in more.into_iter().filter(|(_, value)| !value.is_empty()) {
        address.append_pair(name, value);
    }
    let files = format!("/audit/profit-and-loss?{}", address.finish());
    shown(&auditor, books, Form::Days(query), files)
}

/// A day that was written; nothing for none.
fn day(text: &str, name: &'static str) -> Result<Option<NaiveDate>, Problem> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let day: Option<NaiveDate> = text.parse().ok();
    let day = day.filter(|day| YEARS.contains(&day.year()));
    day.map(Some).ok_or_else(|| Problem::parameter(name, "A day like 2026-11-22."))
}

/// Both days of a span, or neither.
fn span(
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    name: &'static str,
) -> Result<Option<(NaiveDate, NaiveDate)>, Problem> {
    match (from, to) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from <= to => Ok(Some((from, to))),
        _ => Err(Problem::parameter(name, "Two days, the first not after the last.")),
    }
}

fn shown(auditor: &Auditor, books: Books, form: Form, files: String) -> Result<Response, Problem> {
    let Books { report, of, statements, .. } = books;
    let mut currencies = Vec::new();
    for statement in &statements {
        currencies.push(CurrencyRow {
            code: statement.currency.to_string(),
            balanced: statement.balanced,
            table: table(auditor, statement)?,
        });
    }
    let tab = |(other, href): (Report, &'static str)| Tab {
        word: other.title(),
        href,
        current: other == report,
    };
    Ok(respond::page(&BalanceView {
        layout: auditor.layout(report.title(), "balance"),
        title: report.title(),
        tabs: TABS.map(tab).into(),
        form,
        words: of,
        currencies,
        files,
    }))
}

fn table(auditor: &Auditor, statement: &Statement) -> Result<DataTable, Problem> {
    let full = statement.report == Report::TrialBalance;
    let mut columns = vec![Column::words("Type"), Column::words("Account"), Column::words("Class")];
    columns.push(Column::numbers("Accounts"));
    if full {
        columns.extend([Column::numbers("Debits"), Column::numbers("Credits")]);
    }
    columns.push(Column::numbers("Balance"));
    if statement.result_before.is_some() {
        columns.extend([Column::numbers("Before"), Column::numbers("Change")]);
    }
    let shown = |amount| auditor.shown(amount, statement.currency).map(Cell::from);
    let beside = |now: Decimal, before: Option<Decimal>| -> Result<Vec<Cell>, Problem> {
        let Some(before) = before else { return Ok(vec![shown(now)?]) };
        Ok(vec![shown(now)?, shown(before)?, shown(now.saturating_sub(before))?])
    };
    let mut rows = Vec::new();
    for section in &statement.sections {
        rows.extend(section_rows(section, full, &shown, &beside)?);
    }
    let sum = |words: &str| -> Vec<Cell> { vec![words.into(), "".into(), "".into(), "".into()] };
    if full {
        let mut cells = sum("All");
        cells.extend([shown(statement.debits)?, shown(statement.credits)?]);
        rows.push(cells);
    } else {
        let mut cells = sum("Result");
        cells.extend(beside(statement.result, statement.result_before)?);
        rows.push(cells);
    }
    Ok(DataTable::new(statement.report.title(), &columns, rows))
}

/// The lines of one type, and of a sheet what they come to.
fn section_rows(
    section: &Section,
    full: bool,
    shown: &impl Fn(Decimal) -> Result<Cell, Problem>,
    beside: &impl Fn(Decimal, Option<Decimal>) -> Result<Vec<Cell>, Problem>,
) -> Result<Vec<Vec<Cell>>, Problem> {
    let name = section.account_type.as_str();
    let mut rows = Vec::new();
    for row in &section.rows {
        let mut cells: Vec<Cell> = vec![
            name.into(),
            row.heading.clone().into(),
            row.class.clone().into(),
            row.accounts.to_string().into(),
        ];
        if full {
            cells.extend([shown(row.debits)?, shown(row.credits)?]);
        }
        cells.extend(beside(row.balance, row.before)?);
        rows.push(cells);
    }
    if !full {
        let mut cells: Vec<Cell> =
            vec![format!("All {name}").into(), "".into(), "".into(), "".into()];
        cells.extend(beside(section.total, section.total_before)?);
        rows.push(cells);
    }
    Ok(rows)
}
