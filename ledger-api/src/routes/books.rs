//! `/v1/audit`: trial balance, balance sheet, profit and loss and control totals, for auditors.

mod body;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::log::Position;
use projections::{
    AsOf, At,
    reports::{self, Report, Sheet},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use body::{ControlOut, ControlsOut, ReportOut, StatementOut};

use super::trial_balance::refuse_the_future;
use crate::{
    http::{
        ApiState, Problem,
        query::{Params, date, moment},
        reader::Reader,
        reply::{Reply, set_position},
    },
    identity::Scope,
};

/// Who may read them.
const SCOPES: &[Scope] = &[Scope::LedgerRead];

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(trial_balance))
        .routes(routes!(balance_sheet))
        .routes(routes!(profit_and_loss))
        .routes(routes!(controls))
}

/// As what a report is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// JSON.
    #[default]
    Json,
    /// CSV with a header.
    Csv,
}

/// When a report is of; now if all is left out.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SheetQuery {
    /// After the event at this position of the log.
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
    /// `json` (as if left out) or `csv`.
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
struct EarningsQuery {
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
    /// `json` (as if left out) or `csv`.
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
    responses((status = 200, description = "The trial balance.", body = ReportOut)),
)]
async fn trial_balance(
    reader: Reader,
    Params(query): Params<SheetQuery>,
) -> Result<Response, Problem> {
    of_sheet(&reader, &query, Report::TrialBalance).await
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
    responses((status = 200, description = "The balance sheet.", body = ReportOut)),
)]
async fn balance_sheet(
    reader: Reader,
    Params(query): Params<SheetQuery>,
) -> Result<Response, Problem> {
    of_sheet(&reader, &query, Report::BalanceSheet).await
}

/// Get profit and loss
///
/// What was earned on some business dates and what it cost, without what the close of a year moved.
#[utoipa::path(
    get,
    path = "/v1/audit/profit-and-loss",
    tag = "Audit",
    params(EarningsQuery),
    responses((status = 200, description = "Profit and loss.", body = ReportOut)),
)]
async fn profit_and_loss(
    reader: Reader,
    Params(query): Params<EarningsQuery>,
) -> Result<Response, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let days = span(query.from, query.to, "from")?;
    let (from, to) = days.ok_or_else(|| Problem::parameter("from", "from and to are needed."))?;
    let before = span(query.before_from, query.before_to, "before_from")?;
    let At { position, value } = models.earnings(from, to).await?;
    let before = match before {
        Some((from, to)) => Some(models.earnings(from, to).await?.value),
        None => None,
    };
    answer(Report::ProfitAndLoss, (&value, before.as_ref()), position, query.format)
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
async fn controls(
    reader: Reader,
    Params(query): Params<ControlsQuery>,
) -> Result<Reply<ControlsOut>, Problem> {
    let models = reader.admit(SCOPES, query.min_position).await?;
    let At { position, value } = models.controls().await?;
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
struct ControlsQuery {
    /// Wait until the answer reflects this position.
    min_position: Option<u64>,
}

impl SheetQuery {
    fn as_of(&self) -> Result<AsOf, Problem> {
        match (self.as_of_position, self.as_of_time, self.as_of_date) {
            (None, None, None) => Ok(AsOf::Now),
            (Some(position), None, None) => Ok(AsOf::Position(position)),
            (None, Some(time), None) => Ok(AsOf::Time(time)),
            (None, None, Some(day)) => Ok(AsOf::Day(day)),
            _ => Err(Problem::parameter(
                "as_of_position",
                "One of as_of_position, as_of_time and as_of_date.",
            )),
        }
    }
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

async fn of_sheet(
    reader: &Reader,
    query: &SheetQuery,
    report: Report,
) -> Result<Response, Problem> {
    reader.admit(SCOPES, None).await?;
    let as_of = query.as_of()?;
    if let Some(position) = query.as_of_position {
        refuse_the_future(reader, position).await?;
    }
    let wanted = query.min_position.max(query.as_of_position);
    let models = reader.admit(SCOPES, wanted).await?;
    let At { position, value } = models.sheet(as_of).await?;
    let before = match query.compare_with {
        Some(day) => Some(models.sheet(AsOf::Day(day)).await?.value),
        None => None,
    };
    answer(report, (&value, before.as_ref()), position, query.format)
}

fn answer(
    report: Report,
    (sheet, before): (&Sheet, Option<&Sheet>),
    position: Position,
    form: Form,
) -> Result<Response, Problem> {
    let statements = reports::statements(report, sheet, before)
        .ok_or_else(|| Problem::internal(&"a sum is too large for a report"))?;
    if form == Form::Csv {
        let mut response = reports::csv(&statements).into_response();
        let headers = response.headers_mut();
        let media = HeaderValue::from_static("text/csv; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, media);
        let shown = format!("attachment; filename=\"{}.csv\"", report.name());
        if let Ok(value) = HeaderValue::try_from(shown) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        set_position(headers, position);
        return Ok(response);
    }
    let balanced = statements.iter().all(|statement| statement.balanced);
    let data = statements.into_iter().map(StatementOut::from).collect();
    let out = ReportOut { object: report.name(), balanced, data, position };
    Ok(Reply::ok(out).at(position).into_response())
}
