//! `/v1/ops/banks/{bank}/days`: a bank's days from their statement to their close, and opening them
//! again, which takes two persons.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::ids::BankCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    desk::{bank_days, check_reason},
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        json::Payload,
        path::Id,
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
    statements::{DayChange, day_changes},
};

/// A close of a bank's days, or an opening of closed ones.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankDaysChange)]
pub(super) struct ChangeOut {
    /// Always `bank_days`.
    #[schema(example = "bank_days")]
    object: &'static str,
    /// The bank.
    #[schema(example = "hdfc")]
    bank: String,
    /// The last day that is closed from then on; null: all is open.
    closed_until: Option<NaiveDate>,
    /// How many breaks of the bank stood then.
    breaks_open: i32,
    /// Who did it.
    done_by: String,
    /// The second person, of an opening.
    approved_by: Option<String>,
    /// Why.
    reason: String,
    /// When.
    done_at: DateTime<Utc>,
}

impl From<DayChange> for ChangeOut {
    fn from(change: DayChange) -> Self {
        Self {
            object: "bank_days",
            bank: change.bank,
            closed_until: change.closed_until,
            breaks_open: change.breaks_open,
            done_by: change.done_by,
            approved_by: change.approved_by,
            reason: change.reason,
            done_at: change.done_at,
        }
    }
}

/// List closes of a bank's days
///
/// And openings of closed days; the last first, and the first of the list is in force. Needs
/// `ops:read`.
#[utoipa::path(
    get,
    path = "/v1/ops/banks/{bank}/days",
    tag = "Reconciliation",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    responses((status = 200, description = "All of them.", body = Listed<ChangeOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Id(bank): Id<BankCode>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<ChangeOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let changes = day_changes(&reader.state.reads, Some(&bank)).await?;
    let data = changes.into_iter().map(ChangeOut::from).collect();
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }))
}

/// Which statement to ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = StatementFetch)]
pub(super) struct FetchIn {
    /// Which of our accounts: `escrow` or `own`.
    #[schema(example = "escrow")]
    account: String,
    /// The bank's day.
    #[schema(value_type = String, format = Date, example = "2026-11-22")]
    day: NaiveDate,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FetchedStatement)]
pub(super) struct FetchedOut {
    /// Always `fetched_statement`.
    #[schema(example = "fetched_statement")]
    object: &'static str,
    /// Whether just this was there already.
    duplicate: bool,
    /// How many lines it has.
    lines: usize,
    /// How many of them are new.
    new_lines: usize,
    /// How many breaks it makes with what was stated before.
    breaks: usize,
}

/// Fetch a statement now
///
/// Asks the bank for what it states of a day, and stores it; a worker books its lines. It is the
/// bank's own word, so one person is enough. Asked twice, the second finds nothing new; no key is
/// needed. Needs `ops:write`.
#[utoipa::path(
    post,
    path = "/v1/ops/banks/{bank}/fetch",
    tag = "Reconciliation",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    request_body(content = FetchIn, example = json!({"account": "escrow", "day": "2026-11-22"})),
    responses((status = 200, description = "It is stored.", body = FetchedOut,
        example = json!({"object": "fetched_statement", "duplicate": false, "lines": 1,
            "new_lines": 1, "breaks": 0}))),
)]
pub(super) async fn fetch(
    writer: Writer,
    Id(bank): Id<BankCode>,
    payload: Payload,
) -> Result<Reply<FetchedOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: FetchIn = payload.parse()?;
    let done = bank_days::fetch(&writer, &bank, (&body.account, body.day)).await?;
    Ok(Reply::ok(FetchedOut {
        object: "fetched_statement",
        duplicate: done.duplicate,
        lines: done.lines,
        new_lines: done.new_lines,
        breaks: done.breaks,
    }))
}

/// Days to close.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankDaysClose)]
pub(super) struct CloseIn {
    /// The last of them.
    #[schema(value_type = String, format = Date, example = "2026-11-22")]
    until: NaiveDate,
    /// Why; at most 200 characters.
    #[schema(max_length = 200)]
    reason: String,
}

/// Close a bank's days
///
/// Up to this one: no statement changes them any more. The bank must have closed the day for each
/// of our accounts, and all its lines must be booked (409 `bank_day_open`). Closed twice, it is
/// closed once; no key is needed. Needs `ops:write`.
#[utoipa::path(
    post,
    path = "/v1/ops/banks/{bank}/days/close",
    tag = "Reconciliation",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    request_body(content = CloseIn, example = json!({"until": "2026-11-22",
        "reason": "Looked at"})),
    responses((status = 200, description = "They are closed.", body = ChangeOut,
        example = json!({"object": "bank_days", "bank": "hdfc", "closed_until": "2026-11-22",
            "breaks_open": 0, "done_by": "asha", "approved_by": null, "reason": "Looked at",
            "done_at": "2026-11-23T04:00:00.000Z"}))),
)]
pub(super) async fn close(
    writer: Writer,
    Id(bank): Id<BankCode>,
    payload: Payload,
) -> Result<Reply<ChangeOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: CloseIn = payload.parse()?;
    bank_days::close(&writer, &bank, body.until, &body.reason).await?;
    in_force(&writer, &bank).await
}

/// Days to open again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankDaysReopen)]
pub(super) struct ReopenIn {
    /// The first of them.
    #[schema(value_type = String, format = Date, example = "2026-11-22")]
    from: NaiveDate,
    /// Why; at most 200 characters.
    #[schema(max_length = 200)]
    reason: String,
}

/// Open a bank's days again
///
/// From this one on, so that the bank can correct them. Takes a second person with `ops:approve`:
/// `Approver-Authorization`. No key is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/banks/{bank}/days/reopen",
    tag = "Reconciliation",
    params(("bank" = String, Path, description = "The bank", example = "hdfc")),
    request_body(content = ReopenIn, example = json!({"from": "2026-11-22",
        "reason": "The bank corrects it"})),
    responses((status = 200, description = "They are open.", body = ChangeOut,
        example = json!({"object": "bank_days", "bank": "hdfc", "closed_until": "2026-11-21",
            "breaks_open": 0, "done_by": "asha", "approved_by": "ravi",
            "reason": "The bank corrects it", "done_at": "2026-11-23T05:00:00.000Z"}))),
)]
pub(super) async fn reopen(
    writer: Writer,
    Id(bank): Id<BankCode>,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<ChangeOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: ReopenIn = payload.parse()?;
    check_reason(&body.reason)?;
    bank_days::reopen(&writer, &approver, &bank, (body.from, &body.reason)).await?;
    in_force(&writer, &bank).await
}

async fn in_force(writer: &Writer, bank: &BankCode) -> Result<Reply<ChangeOut>, Problem> {
    let changes = day_changes(&writer.state.reads, Some(bank)).await?;
    let last = changes.into_iter().next();
    let last = last.ok_or_else(|| Problem::not_found("No day of the bank was closed."))?;
    Ok(Reply::ok(ChangeOut::from(last)))
}
