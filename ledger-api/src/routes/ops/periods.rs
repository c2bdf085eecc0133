//! `/v1/ops/periods`: which months are closed, closing and opening them, and the year's end.
//! Each takes two persons.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    book::BookEvent,
    command::Receipt,
    ids::{Reference, TransactionId},
};
use projections::PeriodChange;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    desk::{
        periods::{self as desk, Opening},
        two_persons,
    },
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        codes,
        idempotency::Key,
        json::Payload,
        query::{NoParams, Params},
        reader::Reader,
        reply::Reply,
        writer::{Done, Writer, wrong_receipt},
    },
    identity::Scope,
    periods,
};

/// A period to close.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodClose)]
pub(super) struct CloseIn {
    /// The last day of a month that is over; all before it is closed too.
    #[schema(value_type = String, format = Date, example = "2026-10-31")]
    until: NaiveDate,
    /// Why: a code or a reference, without personal data.
    #[schema(value_type = String, example = "month_end")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

/// A period to open again.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PeriodReopen)]
pub(super) struct ReopenIn {
    /// The first day of a month that is closed; all after it is open too.
    #[schema(value_type = String, format = Date, example = "2026-10-01")]
    from: NaiveDate,
    /// Why: a code or a reference, without personal data. It stands in the log.
    #[schema(value_type = String, example = "missing-invoice-2207")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

/// A year to close.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = YearClose)]
pub(super) struct YearIn {
    /// The last day of the year, which is closed; the last 31 March that is, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date, example = "2026-03-31")]
    until: Option<NaiveDate>,
    /// Why: a code or a reference, without personal data.
    #[schema(value_type = String, example = "year_end")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

/// A period that was closed or opened again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Period)]
pub(super) struct PeriodOut {
    /// Always `period`.
    #[schema(example = "period")]
    object: &'static str,
    /// The last day that is closed from here on; nothing if none is.
    #[schema(value_type = Option<String>, format = Date, example = "2026-10-31")]
    closed_until: Option<NaiveDate>,
    /// Its position in the log.
    position: u64,
}

/// A year that was closed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClosedYear)]
pub(super) struct YearOut {
    /// Always `closed_year`.
    #[schema(example = "closed_year")]
    object: &'static str,
    /// Its last day.
    #[schema(value_type = String, format = Date, example = "2026-03-31")]
    until: NaiveDate,
    /// The transaction that moved its income and expense to `equity:retained`.
    #[schema(value_type = String)]
    transaction: TransactionId,
    /// The position of the transaction's last leg.
    position: u64,
}

/// What happened to periods.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Periods {
    /// Always `periods`.
    #[schema(example = "periods")]
    object: &'static str,
    /// The last day that is closed; nothing if none is.
    #[schema(value_type = Option<String>, format = Date, example = "2026-10-31")]
    closed_until: Option<NaiveDate>,
    /// The book's day now.
    #[schema(value_type = String, format = Date, example = "2026-11-22")]
    today: NaiveDate,
    /// The last one first.
    data: Vec<ChangeOut>,
    /// Always false: all of them are here.
    has_more: bool,
}

/// Something that happened to periods.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PeriodChange)]
struct ChangeOut {
    /// `period_closed`, `period_reopened` or `year_closed`.
    #[schema(example = "period_closed")]
    event: &'static str,
    /// Up to which day something was closed.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<NaiveDate>,
    /// From which day on it was opened.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<NaiveDate>,
    /// The transaction that closed a year.
    #[schema(value_type = Option<String>)]
    transaction: Option<TransactionId>,
    /// Why.
    reason: Option<String>,
    /// Who did it.
    actor: Option<String>,
    /// Who approved.
    approver: Option<String>,
    /// When it was recorded.
    recorded_at: DateTime<Utc>,
    /// Its position in the log.
    position: u64,
}

/// Close a period
///
/// All months up to a day that is over. From here on nothing that belongs to a day of them is
/// posted (422 `period_closed`); a bank's late line belongs to an open day.
/// Takes a second person with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/periods/close",
    tag = "Book",
    request_body(content = CloseIn, example = json!({"until": "2026-10-31", "reason": "month_end",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "It is closed.", body = PeriodOut)),
)]
pub(super) async fn close(
    writer: Writer,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<PeriodOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: CloseIn = payload.parse()?;
    let seen = Some(body.evidence_sha256.as_str());
    let approval = two_persons(&writer, &approver, &body.reason, seen)?;
    let done = desk::close(&writer, approval, (key, &body), body.until).await?;
    period(Some(body.until), &done)
}

/// Open a period again
///
/// From the first day of a month on. Takes a reason, which stands in the log, and a second person
/// with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`. If it lies in a year that
/// was closed, close that year again afterwards: what came in is moved, and nothing twice.
#[utoipa::path(
    post,
    path = "/v1/ops/periods/reopen",
    tag = "Book",
    request_body(content = ReopenIn, example = json!({"from": "2026-10-01",
        "reason": "missing-invoice-2207",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "It is open.", body = PeriodOut)),
)]
pub(super) async fn reopen(
    writer: Writer,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<PeriodOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: ReopenIn = payload.parse()?;
    let seen = Some(body.evidence_sha256.as_str());
    let approval = two_persons(&writer, &approver, &body.reason, seen)?;
    let opening = Opening { from: body.from, reason: body.reason.clone() };
    let done = desk::reopen(&writer, approval, (key, &body), &opening).await?;
    period(body.from.pred_opt(), &done)
}

/// Close a year
///
/// One balanced transaction moves income and expense up to a closed day to `equity:retained`; then
/// every account of them begins at zero. Takes a second person with `ops:approve`:
/// `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/periods/close-year",
    tag = "Book",
    request_body(content = YearIn, example = json!({"until": "2026-03-31", "reason": "year_end",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "It is closed.", body = YearOut,
        example = json!({"object": "closed_year", "until": "2026-03-31",
            "transaction": "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "position": 47}))),
)]
pub(super) async fn close_year(
    writer: Writer,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<YearOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: YearIn = payload.parse()?;
    let seen = Some(body.evidence_sha256.as_str());
    let approval = two_persons(&writer, &approver, &body.reason, seen)?;
    writer.state.ledger.refresh().await?;
    let book = writer.state.ledger.status().borrow().book.clone();
    let until = body.until.or_else(|| periods::last_closed_year(&book, periods::YEAR_ENDS));
    let until = until.ok_or_else(|| {
        let detail = "No 31 March is closed yet: close its month first, or say which year.";
        Problem::field(codes::INVALID, "/until", detail)
    })?;
    let done = desk::close_year(&writer, approval, (key, &body), until).await?;
    let Receipt::Posted { transactions, effective_on } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let ([transaction], [until]) = (&**transactions, &**effective_on) else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let (transaction, until, position) = (*transaction, *until, done.accepted.position);
    let out = YearOut { object: "closed_year", until, transaction, position };
    Ok(Reply::ok(out).at(done.position).replayed(done.replayed))
}

/// List what happened to periods
///
/// The last one first, and up to when all is closed. Needs `ops:read`.
#[utoipa::path(
    get,
    path = "/v1/ops/periods",
    tag = "Book",
    responses((status = 200, description = "All of it.", body = Periods)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Periods>, Problem> {
    let models = reader.admit(&[Scope::OpsRead, Scope::LedgerRead], None).await?;
    let status = reader.state.ledger.status().borrow().clone();
    let changes = models.period_changes().await?;
    let data: Vec<ChangeOut> = changes.into_iter().map(ChangeOut::from).collect();
    let periods = Periods {
        object: "periods",
        closed_until: status.book.closed_until(),
        today: status.book.day(reader.state.clock.now()),
        data,
        has_more: false,
    };
    Ok(Reply::ok(periods).at(status.head.position))
}

fn period(closed_until: Option<NaiveDate>, done: &Done) -> Result<Reply<PeriodOut>, Problem> {
    let Receipt::Book { .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let out = PeriodOut { object: "period", closed_until, position: done.accepted.position };
    Ok(Reply::ok(out).at(done.position).replayed(done.replayed))
}

impl From<PeriodChange> for ChangeOut {
    fn from(change: PeriodChange) -> Self {
        let PeriodChange { event, position, recorded_at, actor, approver, reason } = change;
        let (name, until, from, transaction) = match event {
            BookEvent::PeriodClosed(closed) => ("period_closed", Some(closed.until), None, None),
            BookEvent::PeriodReopened(opened) => ("period_reopened", None, Some(opened.from), None),
            BookEvent::YearClosed(year) => {
                ("year_closed", Some(year.until), None, Some(year.transaction_id))
            }
            // Only those three are read.
            BookEvent::Opened(_)
            | BookEvent::CurrencyAdded(_)
            | BookEvent::TierDefined(_)
            | BookEvent::TermsDefined(_)
            | BookEvent::FeeDefined(_)
            | BookEvent::CheckpointKeyRotated(_) => ("book", None, None, None),
        };
        Self {
            event: name,
            until,
            from,
            transaction,
            reason,
            actor,
            approver,
            recorded_at,
            position,
        }
    }
}
