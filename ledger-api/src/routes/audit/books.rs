//! Trial balance, balance sheet, profit and loss and control totals, as auditors read them: as
//! JSON, and the reports as the files that the pages give too.

use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, NaiveDate, Utc};
use projections::{
    AsOf, At,
    reports::{Report, Sheet},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    books_body::{ControlOut, ControlsOut, ReportOut, StatementOut},
    key::{AuditKey, as_of},
};
use crate::{
    auditing::{Books, FileForm},
    http::{
        Problem,
        query::{Params, date, moment},
        reply::Reply,
    },
};

/// As what a report is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// JSON.
    #[default]
    Json,
    /// CSV with a header.
    Csv,
    /// Pages to print.
    Pdf,
}

/// When a report is of; now if all is left out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SheetQuery {
    /// After the event at this position of the log, and the rest of its transaction.
    as_of_position: Option<u64>,
    /// After everything that was recorded at or before this moment.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<String>, format = DateTime)]
    as_of_time: Option<DateTime<Utc>>,
    /// All that belongs to the days up to this business date, whenever it was recorded.
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = Option<String>, format = Date)]
    as_of_date: Option<NaiveDate>,
    /// Beside it what it was on this business date.
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = Option<String>, format = Date)]
    compare_with: Option<NaiveDate>,
    /// `json` (as if left out), `csv` or `pdf`.
    #[serde(default)]
    #[param(inline)]
    format: Form,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// The days of a profit and loss account.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EarningsQuery {
    /// The first business date.
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = String, format = Date)]
    from: Option<NaiveDate>,
    /// The last business date.
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = String, format = Date)]
    to: Option<NaiveDate>,
    /// Beside it the days from this one …
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = Option<String>, format = Date)]
    before_from: Option<NaiveDate>,
    /// … to this one.
    #[serde(default, deserialize_with = "date")]
    #[param(value_type = Option<String>, format = Date)]
    before_to: Option<NaiveDate>,
    /// `json` (as if left out), `csv` or `pdf`.
    #[serde(default)]
    #[param(inline)]
    format: Form,
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// Get the trial balance by headings
///
/// Every heading of the chart with its debits, credits and balance: now, as of a position, a moment
/// or a business date, and beside it another date.
#[utoipa::path(
    get,
    path = "/v1/audit/trial-balance",
    tag = "Audit",
    params(SheetQuery),
    responses((status = 200, description = "The trial balance.", content(
        (ReportOut = "application/json"), (String = "text/csv"), (String = "application/pdf"),
    ))),
)]
pub(super) async fn trial_balance(
    key: AuditKey,
    Params(query): Params<SheetQuery>,
) -> Result<Response, Problem> {
    of_sheet(&key, &query, Report::TrialBalance).await
}

/// Get the balance sheet
///
/// What there is and whose it is: assets; liabilities, equity, and the result that no close of a
/// year has moved into equity.
#[utoipa::path(
    get,
    path = "/v1/audit/balance-sheet",
    tag = "Audit",
    params(SheetQuery),
    responses((status = 200, description = "The balance sheet.", content(
        (ReportOut = "application/json"), (String = "text/csv"), (String = "application/pdf"),
    ))),
)]
pub(super) async fn balance_sheet(
    key: AuditKey,
    Params(query): Params<SheetQuery>,
) -> Result<Response, Problem> {
    of_sheet(&key, &query, Report::BalanceSheet).await
}

/// Get profit and loss
///
/// What was earned on some business dates and what it cost, without what the close of a year moved.
#[utoipa::path(
    get,
    path = "/v1/audit/profit-and-loss",
    tag = "Audit",
    params(EarningsQuery),
    responses((status = 200, description = "Profit and loss.", content(
        (ReportOut = "application/json"), (String = "text/csv"), (String = "application/pdf"),
    ))),
)]
pub(super) async fn profit_and_loss(
    key: AuditKey,
    Params(query): Params<EarningsQuery>,
) -> Result<Response, Problem> {
    key.wait(query.min_position).await?;
    let days = span(query.from, query.to, "from")?;
    let (from, to) = days.ok_or_else(|| Problem::parameter("from", "from and to are needed."))?;
    let before = span(query.before_from, query.before_to, "before_from")?;
    let models = &key.reads.read_models;
    let now = models.earnings(from, to).await?;
    let then = match before {
        Some((from, to)) => Some(models.earnings(from, to).await?),
        None => None,
    };
    let mut of = format!("Business dates {from} to {to}");
    if let Some((from, to)) = before {
        of = format!("{of}, beside {from} to {to}");
    }
    answer(&key, Report::ProfitAndLoss, (&now, then.as_ref(), of), query.format).await
}

/// Get the control totals
///
/// Each class of accounts against what it must be the sum of: open items, the flows of days, open
/// holds, withdrawals under way, unsettled payments, and what banks stated.
#[utoipa::path(
    get,
    path = "/v1/audit/controls",
    tag = "Audit",
    params(ControlsQuery),
    responses((status = 200, description = "All of them.", body = ControlsOut)),
)]
pub(super) async fn controls(
    key: AuditKey,
    Params(query): Params<ControlsQuery>,
) -> Result<Reply<ControlsOut>, Problem> {
    key.wait(query.min_position).await?;
    let At { position, value } = key.reads.read_models.controls().await?;
    let differing = value.iter().filter(|control| !control.holds()).count();
    let differing = u64::try_from(differing).unwrap_or(u64::MAX);
    let data = value.into_iter().map(ControlOut::from).collect();
    let object = "controls";
    let out = ControlsOut { object, hold: differing == 0, differing, data, position };
    Ok(Reply::ok(out).at(position))
}

/// From when on.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ControlsQuery {
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

/// Both days of a span, or neither.
fn span(
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    name: &str,
) -> Result<Option<(NaiveDate, NaiveDate)>, Problem> {
    match (from, to) {
        (None, None) => Ok(None),
        (Some(from), Some(to)) if from <= to => Ok(Some((from, to))),
        _ => Err(Problem::parameter(name, "Two days, the first not after the last.")),
    }
}

async fn of_sheet(key: &AuditKey, query: &SheetQuery, report: Report) -> Result<Response, Problem> {
    let when = as_of(query.as_of_position, query.as_of_time, query.as_of_date)?;
    if let AsOf::Position(position) = when {
        key.place(Some(position), None).await?;
    }
    key.wait(query.min_position.max(query.as_of_position)).await?;
    let models = &key.reads.read_models;
    let now = models.sheet(when).await?;
    let then = match query.compare_with {
        Some(day) => Some(models.sheet(AsOf::Day(day)).await?),
        None => None,
    };
    let mut of = match query.as_of_date {
        Some(day) => format!("All that belongs to the days up to {day}"),
        None => format!("As of event {}", now.position),
    };
    if let Some(day) = query.compare_with {
        of = format!("{of}, beside the days up to {day}");
    }
    answer(key, report, (&now, then.as_ref(), of), query.format).await
}

async fn answer(
    key: &AuditKey,
    report: Report,
    (now, then, of): (&At<Sheet>, Option<&At<Sheet>>, String),
    form: Form,
) -> Result<Response, Problem> {
    let books = Books::of(report, now, then, of)?;
    match form {
        Form::Json => {}
        Form::Csv => return books.file(&key.reads, FileForm::Csv).await,
        Form::Pdf => return books.file(&key.reads, FileForm::Pdf).await,
    }
    let Books { position, statements, .. } = books;
    let balanced = statements.iter().all(|statement| statement.balanced);
    let data = statements.into_iter().map(StatementOut::from).collect();
    let out = ReportOut { object: report.name(), balanced, data, position };
    Ok(Reply::ok(out).at(position).into_response())
}
