//! Reports: what was sold, gave back and settled, by day or by month; as a page and as files.

use std::borrow::Cow;

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::{Datelike as _, NaiveDate};
use futures::stream;
use ledger_core::money::CurrencyCode;
use projections::{SalesLine, SalesReport, SalesUnit};
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{paper, query::day, shop};
use crate::{
    http::{Problem, reader::caught_up},
    pages::{
        FormErrors, Layout, Nav,
        activity::filter::midnight,
        merchant::{MoneyEyes, ShopVisitor},
        respond, spreadsheet,
        ui::{Cell, Column, DataTable, EmptyState, MoneyView, money_text},
    },
};

/// The longest span of one report, in days.
const DAYS_MAX: i64 = 366;

/// Which days; everything is a text first.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReportQuery {
    from: String,
    to: String,
    by: String,
}

/// The span of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: NaiveDate,
    to: NaiveDate,
    unit: SalesUnit,
}

/// A report as its page and its files show it.
pub(super) struct Report {
    /// The shop's legal name.
    pub(super) owner: String,
    /// "2026-11-01 to 2026-11-30".
    pub(super) span: String,
    /// One row per day or month, and the sums of all as the last.
    pub(super) rows: Vec<[String; 8]>,
    /// The position that it reflects.
    pub(super) position: u64,
    /// When it was made.
    pub(super) made_at: String,
}

#[derive(Template)]
#[template(path = "merchant/sales/reports.html")]
struct ReportView {
    layout: Layout,
    errors: FormErrors,
    from: String,
    to: String,
    by: &'static str,
    table: Option<DataTable>,
    empty: EmptyState,
    files: String,
    position: u64,
}

impl ReportQuery {
    fn span(&self, today: NaiveDate) -> Result<Span, FormErrors> {
        let mut errors = FormErrors::none();
        let first = today.with_day(1).unwrap_or(today);
        let from = day(&self.from, "from", &mut errors).unwrap_or(first);
        let to = day(&self.to, "to", &mut errors).unwrap_or(today.max(from));
        if !errors.is_empty() {
            return Err(errors);
        }
        let days = to.signed_duration_since(from).num_days();
        if !(0..DAYS_MAX).contains(&days) {
            return Err(FormErrors::one("to", "Choose an end after the start, within one year."));
        }
        let unit = if self.by == "month" { SalesUnit::Month } else { SalesUnit::Day };
        Ok(Span { from, to, unit })
    }
}

async fn report(visitor: &ShopVisitor<MoneyEyes>, span: Span) -> Result<SalesReport, Problem> {
    caught_up(&visitor.state).await.ok();
    let begins = |day| {
        midnight(day, visitor.zone).ok_or_else(|| Problem::internal(&"a day that never begins"))
    };
    let until = span.to.succ_opt().unwrap_or(span.to);
    let span_of_time = (begins(span.from)?, begins(until)?);
    let (merchant, models) = (shop(visitor)?, &visitor.state.read_models);
    Ok(models.sales_report(&merchant, span_of_time, span.unit, visitor.zone).await?)
}

fn today(visitor: &ShopVisitor<MoneyEyes>) -> NaiveDate {
    visitor.now().with_timezone(&visitor.zone).date_naive()
}

fn currency(visitor: &ShopVisitor<MoneyEyes>) -> Result<CurrencyCode, Problem> {
    visitor.wallet.currency().map_err(|error| Problem::internal(&error))
}

/// The sums of all lines; nothing if they do not fit, and then none are shown.
fn sums(lines: &[SalesLine]) -> Option<[Decimal; 6]> {
    let mut all = [Decimal::ZERO; 6];
    for line in lines {
        for (sum, amount) in all.iter_mut().zip(amounts(line)) {
            *sum = sum.checked_add(amount)?;
        }
    }
    Some(all)
}

fn amounts(line: &SalesLine) -> [Decimal; 6] {
    [line.gross, line.fee, line.tax, line.net, line.refunds, line.settled]
}

fn name(line: &SalesLine, unit: SalesUnit, zone: chrono_tz::Tz) -> String {
    let begins = line.from.with_timezone(&zone);
    let form = match unit {
        SalesUnit::Day => "%Y-%m-%d",
        SalesUnit::Month => "%Y-%m",
    };
    begins.format(form).to_string()
}

/// The page.
pub(super) async fn page(
    visitor: ShopVisitor<MoneyEyes>,
    Asked(query): Asked<ReportQuery>,
) -> Result<Response, Problem> {
    let (span, errors) = match query.span(today(&visitor)) {
        Ok(span) => (Some(span), FormErrors::none()),
        Err(errors) => (None, errors),
    };
    let found = match span {
        Some(span) => Some(report(&visitor, span).await?),
        None => None,
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let by = span.map_or("day", |span| span.unit.as_str());
    let (from, to) = match span {
        Some(span) => (span.from.to_string(), span.to.to_string()),
        None => (query.from, query.to),
    };
    let table = match (&found, span) {
        (Some(found), Some(span)) if !found.lines.is_empty() => {
            Some(table(&visitor, found, span.unit)?)
        }
        _ => None,
    };
    let text = "No payments, refunds or settlements in these days.";
    let view = ReportView {
        layout: visitor.layout("Reports", Nav::Shop("reports")),
        errors,
        files: format!("from={from}&to={to}&by={by}"),
        from,
        to,
        by,
        table,
        empty: EmptyState::new("doc", "Nothing to report", text),
        position: found.map_or(0, |found| found.position),
    };
    Ok(respond::page_with(status, &view))
}

fn table(
    visitor: &ShopVisitor<MoneyEyes>,
    found: &SalesReport,
    unit: SalesUnit,
) -> Result<DataTable, Problem> {
    let code = currency(visitor)?;
    let columns = [
        Column::words(if unit == SalesUnit::Day { "Day" } else { "Month" }),
        Column::numbers("Payments"),
        Column::numbers("Gross"),
        Column::numbers("Fees"),
        Column::numbers("Tax"),
        Column::numbers("Net"),
        Column::numbers("Refunds"),
        Column::numbers("Settled"),
    ];
    let row = |name: String, payments: u64, amounts: [Decimal; 6]| -> Result<Vec<Cell>, Problem> {
        let mut cells: Vec<Cell> = vec![name.into(), payments.to_string().into()];
        for amount in amounts {
            cells.push(MoneyView::plain(visitor.money(amount, code)?).into());
        }
        Ok(cells)
    };
    let mut rows = Vec::new();
    for line in &found.lines {
        rows.push(row(name(line, unit, visitor.zone), line.payments, amounts(line))?);
    }
    if let Some(all) = sums(&found.lines) {
        rows.push(row("All".to_owned(), payments(&found.lines), all)?);
    }
    Ok(DataTable::new("Report", &columns, rows))
}

fn payments(lines: &[SalesLine]) -> u64 {
    lines.iter().map(|line| line.payments).fold(0, u64::saturating_add)
}

/// What a file is asked for; a span that is none is an error there.
fn asked(visitor: &ShopVisitor<MoneyEyes>, query: &ReportQuery) -> Result<Span, Problem> {
    query.span(today(visitor)).map_err(|errors| match errors.iter().next() {
        Some(error) => Problem::parameter(error.field, error.text.clone()),
        None => Problem::parameter("from", "No span of days."),
    })
}

const HEAD: &str = "from,payments,gross,fee,tax,net,refunds,settled,currency";

/// The lines as a file; whoever opens it adds them up.
pub(super) async fn csv(
    visitor: ShopVisitor<MoneyEyes>,
    Asked(query): Asked<ReportQuery>,
) -> Result<Response, Problem> {
    let span = asked(&visitor, &query)?;
    let found = report(&visitor, span).await?;
    let code = currency(&visitor)?;
    let mut text = String::new();
    for line in &found.lines {
        let mut cells = vec![name(line, span.unit, visitor.zone), line.payments.to_string()];
        for amount in amounts(line) {
            cells.push(visitor.money(amount, code)?.amount().to_string());
        }
        cells.push(code.to_string());
        text.push_str(&spreadsheet::line(cells.into_iter().map(Cow::Owned)));
    }
    let name = format!("report-{}-{}.csv", span.from, span.to);
    Ok(spreadsheet::file(&name, HEAD, stream::iter([Ok(text)])))
}

/// The same on paper.
pub(super) async fn pdf(
    visitor: ShopVisitor<MoneyEyes>,
    Asked(query): Asked<ReportQuery>,
) -> Result<Response, Problem> {
    let span = asked(&visitor, &query)?;
    let found = report(&visitor, span).await?;
    let code = currency(&visitor)?;
    let texts = |name: String, payments: u64, amounts: [Decimal; 6]| {
        let mut texts = [const { String::new() }; 8];
        let money = amounts.map(|amount| visitor.money(amount, code).map(|m| money_text(&m)));
        let words = [Ok(name), Ok(payments.to_string())].into_iter().chain(money);
        for (text, word) in texts.iter_mut().zip(words) {
            *text = word?;
        }
        Ok::<_, Problem>(texts)
    };
    let mut rows = Vec::new();
    for line in &found.lines {
        rows.push(texts(name(line, span.unit, visitor.zone), line.payments, amounts(line))?);
    }
    if let Some(all) = sums(&found.lines) {
        rows.push(texts("All".to_owned(), payments(&found.lines), all)?);
    }
    let report = Report {
        owner: visitor.at.shop.legal_name.expose().to_owned(),
        span: format!("{} to {}", span.from, span.to),
        rows,
        position: found.position,
        made_at: visitor.now().format("%Y-%m-%d %H:%M UTC").to_string(),
    };
    let mut response = paper::pdf(report).await?.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    let said = format!("attachment; filename=\"report-{}-{}.pdf\"", span.from, span.to);
    if let Ok(said) = HeaderValue::from_str(&said) {
        headers.insert(header::CONTENT_DISPOSITION, said);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str, by: &str) -> Result<Span, FormErrors> {
        let [from, to, by] = [from, to, by].map(str::to_owned);
        ReportQuery { from, to, by }.span("2026-11-23".parse().unwrap())
    }

    #[test]
    fn this_month_is_meant_unless_days_are_named() {
        let days = |span: Span| format!("{} {} {}", span.from, span.to, span.unit.as_str());
        assert_eq!(days(span("", "", "").unwrap()), "2026-11-01 2026-11-23 day");
        assert_eq!(days(span("2026-12-01", "", "month").unwrap()), "2026-12-01 2026-12-01 month");
        assert!(!span("soon", "", "").unwrap_err().of("from").is_empty());
        assert!(!span("2026-11-02", "2026-11-01", "").unwrap_err().of("to").is_empty());
        assert!(!span("2020-11-02", "2026-11-01", "").unwrap_err().of("to").is_empty());
    }

    #[test]
    fn all_lines_are_in_the_sums() {
        let line = SalesLine {
            from: "2026-11-22T18:30:00Z".parse().unwrap(),
            payments: 2,
            gross: "100.00".parse().unwrap(),
            fee: "1.69".parse().unwrap(),
            tax: "0.31".parse().unwrap(),
            net: "98.00".parse().unwrap(),
            refunds: "10.00".parse().unwrap(),
            settled: "88.00".parse().unwrap(),
        };
        let all = sums(&[line, line]).unwrap().map(|sum| sum.to_string());
        assert_eq!(all, ["200.00", "3.38", "0.62", "196.00", "20.00", "176.00"]);
        assert_eq!(payments(&[line, line]), 4);
        assert_eq!(name(&line, SalesUnit::Day, chrono_tz::Asia::Kolkata), "2026-11-23");
    }
}
