//! `/v1/statements`: a wallet's statement as JSON, CSV or PDF.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::ids::{AccountId, TransactionId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::READ;
use crate::{
    entry::throttle,
    http::{
        Problem,
        query::{self, Params},
        reader::Reader,
        reply::{Reply, set_position},
        wire::Amount,
    },
    people::Rate,
    statement_files::{Format, file_name},
    wallet::{self, Line, Period, Statement},
};

/// Statements of one person: each reads many lines.
const BY_PERSON: Rate = Rate { name: "statement", burst: 10, seconds: 3 };

/// Which days, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StatementsQuery {
    /// A month: `2026-11`. Or else `from` and `to`.
    month: Option<String>,
    /// From this day of the book on.
    #[serde(default, deserialize_with = "query::date")]
    from: Option<NaiveDate>,
    /// Up to this day of the book.
    #[serde(default, deserialize_with = "query::date")]
    to: Option<NaiveDate>,
    /// `json` (if left out), `csv` or `pdf`.
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

/// A wallet's statement.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WalletStatement)]
pub(super) struct StatementOut {
    /// Always `wallet_statement`.
    #[schema(example = "wallet_statement")]
    object: String,
    /// The wallet.
    #[schema(value_type = String, example = "wallet:01935c3a5e7c7d3e8f00a1b2c3d4e5f6:INR")]
    account: AccountId,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    from: NaiveDate,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    to: NaiveDate,
    /// What stood before.
    opening: Amount,
    /// What came in.
    total_in: Amount,
    /// What went out.
    total_out: Amount,
    /// What stood after.
    closing: Amount,
    /// The lines, in the order in which they happened.
    lines: Vec<LineOut>,
    /// The place in the log that it reflects.
    position: u64,
    /// The hash of the event there: what was exported of the log must have it.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    hash: String,
    /// When it was made.
    made_at: DateTime<Utc>,
}

/// A line of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WalletStatementLine)]
struct LineOut {
    /// The day of the book.
    #[schema(value_type = String, format = Date)]
    day: NaiveDate,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// The kind of transaction.
    kind: String,
    /// The same in words.
    words: String,
    /// The object that it belongs to, or else the transaction.
    id: String,
    /// The transaction.
    #[schema(value_type = String)]
    transaction: TransactionId,
    /// What came in.
    #[serde(rename = "in")]
    money_in: Option<Amount>,
    /// What went out.
    #[serde(rename = "out")]
    money_out: Option<Amount>,
    /// What is on the wallet after it.
    balance: Amount,
    /// The words that were put on it.
    note: Option<String>,
    /// Its place in the log.
    position: u64,
}

/// Get one's statement
///
/// Of a month, or of some days of a year at most: opening, every line, closing, and the place in
/// the log with its hash, by which the paper can be checked.
#[utoipa::path(
    get,
    path = "/v1/statements",
    tag = "Wallet",
    params(StatementsQuery),
    responses((status = 200, description = "The statement.", body = StatementOut)),
)]
pub(super) async fn get(
    reader: Reader,
    Params(query): Params<StatementsQuery>,
) -> Result<Response, Problem> {
    let (person, _) = reader.admit_person(READ, None).await?;
    let period = query.period()?;
    throttle(&reader.state, BY_PERSON, person.uuid().as_bytes()).await?;
    let account = person.wallet().map_err(|error| Problem::internal(&error))?;
    let mut statement = wallet::statement(&reader.state, &account, period).await?;
    let owner = reader.state.people.by_id(person).await?;
    statement.owner = owner.map(|person| person.name.expose().to_owned());
    let position = statement.position;
    if query.format == Format::Json {
        return Ok(Reply::ok(StatementOut::from(statement)).at(position).into_response());
    }
    let bytes = rendered(statement, query.format).await?;
    Ok(as_file(bytes, &file_name(period, query.format), query.format.media(), position))
}

/// A file to be kept, as an answer.
pub(super) fn as_file(bytes: Vec<u8>, name: &str, media: &str, position: u64) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(media) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    set_position(headers, position);
    response
}

/// A statement in one of its forms. Made beside the requests: a long one takes a while.
pub(crate) async fn rendered(statement: Statement, format: Format) -> Result<Vec<u8>, Problem> {
    let write: fn(Statement) -> Result<Vec<u8>, serde_json::Error> = match format {
        Format::Pdf => return wallet::pdf(statement).await,
        Format::Csv => |statement| Ok(wallet::csv(&statement).into_bytes()),
        Format::Json => |statement| serde_json::to_vec(&StatementOut::from(statement)),
    };
    let written = tokio::task::spawn_blocking(move || write(statement)).await;
    let written = written.map_err(|error| Problem::internal(&error))?;
    written.map_err(|error| Problem::internal(&error))
}

impl StatementsQuery {
    fn period(&self) -> Result<Period, Problem> {
        let period = match (&self.month, self.from, self.to) {
            (Some(month), None, None) => Period::month(month)
                .ok_or_else(|| Problem::parameter("month", "A month, such as 2026-11."))?,
            (None, Some(from), Some(to)) => Period { from, to },
            _ => {
                let detail = "Either month, or from and to.";
                return Err(Problem::parameter("month", detail));
            }
        };
        if period.is_allowed() {
            return Ok(period);
        }
        Err(Problem::parameter("to", "Not before from, and at most 366 days."))
    }
}

impl From<Statement> for StatementOut {
    fn from(statement: Statement) -> Self {
        Self {
            object: "wallet_statement".to_owned(),
            account: statement.account,
            from: statement.period.from,
            to: statement.period.to,
            opening: statement.opening.into(),
            total_in: statement.total_in.into(),
            total_out: statement.total_out.into(),
            closing: statement.closing.into(),
            lines: statement.lines.into_iter().map(LineOut::from).collect(),
            position: statement.position,
            hash: statement.hash,
            made_at: statement.made_at,
        }
    }
}

impl From<Line> for LineOut {
    fn from(line: Line) -> Self {
        let amount = Amount::from(line.amount);
        let (money_in, money_out) =
            if line.is_in { (Some(amount), None) } else { (None, Some(amount)) };
        Self {
            day: line.day,
            recorded_at: line.at,
            kind: line.kind,
            words: line.words,
            id: line.object,
            transaction: line.transaction,
            money_in,
            money_out,
            balance: line.balance.into(),
            note: line.note,
            position: line.position,
        }
    }
}
