//! What became of a withdrawal that no bank tells the outcome of: one person says it, with
//! evidence, another agrees, and only then the ledger is told.
//!
//! There is no "send again": an attempt whose outcome is unknown ends as paid or as not paid. The
//! withdrawal's event has both persons, the reason and the evidence's hash in its metadata.

use ledger_core::ids::WithdrawalId;

use super::resolution_body::ResolutionOut;
use crate::{
    desk::resolutions::{self, ResolutionIn},
    http::{
        Problem,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::{Id, Ids},
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        writer::Writer,
    },
    identity::Scope,
    resolutions::Resolutions,
    routes::accounts::body::Empty,
};

/// Say what became of a withdrawal
///
/// One that is `outcome_unknown` or `needs_attention`. Nothing happens until another person
/// approves it, within 24 hours; one proposal at a time.
#[utoipa::path(
    post,
    path = "/v1/ops/withdrawals/{id}/resolve",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal")),
    request_body(content = ResolutionIn, example = json!({
        "outcome": "paid", "bank_reference": "HDFC0000000001",
        "reason": "On the statement of 22 November, page 3",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 201, description = "It waits for its approval.", body = ResolutionOut,
        example = json!({"id": 1, "object": "resolution",
            "withdrawal": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "attempt": 1, "outcome": "paid",
            "bank_reference": "HDFC0000000001", "reason": "On the statement of 22 November, page 3",
            "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "state": "proposed", "proposed_by": "asha", "proposed_at": "2026-11-22T08:30:00Z",
            "expires_at": "2026-11-23T08:30:00Z",
            "decided_by": null, "decided_at": null}))),
)]
pub(super) async fn propose(
    writer: Writer,
    Id(withdrawal_id): Id<WithdrawalId>,
    key: Key,
    payload: Payload,
) -> Result<Reply<ResolutionOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: ResolutionIn = payload.parse()?;
    let made = resolutions::propose(&writer, withdrawal_id, key, body).await?;
    let location = format!("/v1/ops/withdrawals/{withdrawal_id}/resolutions");
    let out = ResolutionOut::of(made.resolution, writer.state.clock.now());
    Ok(Reply::created(out, &location).replayed(made.replayed))
}

/// List what was said of a withdrawal
///
/// The last proposal first, at most 100.
#[utoipa::path(
    get,
    path = "/v1/ops/withdrawals/{id}/resolutions",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal")),
    responses((status = 200, description = "All of them.", body = Listed<ResolutionOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Id(id): Id<WithdrawalId>,
    Params(NoParams {}): Params<NoParams>,
) -> Result<Reply<Listed<ResolutionOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let now = reader.state.clock.now();
    let found = Resolutions::new(reader.state.reads.clone()).of(id).await?;
    let data = found.into_iter().map(|found| ResolutionOut::of(found, now)).collect();
    Ok(Reply::ok(Listed { data, has_more: false, next_cursor: None }))
}

/// Approve what was said of a withdrawal
///
/// By another principal than the one who proposed it, with `ops:approve`. The ledger is told then.
/// Approving it again changes nothing; no key is needed. What does not fit any more is refused: 409
/// `resolution_outdated`.
#[utoipa::path(
    post,
    path = "/v1/ops/withdrawals/{id}/resolutions/{number}/approve",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal"),
           ("number" = i64, Path, description = "The proposal")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "The ledger knows it.", body = ResolutionOut,
        example = json!({"id": 1, "object": "resolution",
            "withdrawal": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "attempt": 1, "outcome": "paid",
            "bank_reference": "HDFC0000000001", "reason": "On the statement of 22 November, page 3",
            "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "state": "approved", "proposed_by": "asha", "proposed_at": "2026-11-22T08:30:00Z",
            "expires_at": "2026-11-23T08:30:00Z",
            "decided_by": "ravi", "decided_at": "2026-11-22T08:31:00Z"}))),
)]
pub(super) async fn approve(
    writer: Writer,
    Ids(withdrawal_id, number): Ids<WithdrawalId, i64>,
    payload: Payload,
) -> Result<Reply<ResolutionOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let Empty {} = payload.parse_or_empty()?;
    let approved = resolutions::approve(&writer, withdrawal_id, number).await?;
    let out = ResolutionOut::of(approved.resolution, writer.state.clock.now());
    match approved.position {
        Some(position) => Ok(Reply::ok(out).at(position)),
        None => Ok(Reply::ok(out).replayed(true)),
    }
}

/// Take back what was said of a withdrawal
///
/// Before it is approved. Taking it back again changes nothing; no key is needed.
#[utoipa::path(
    post,
    path = "/v1/ops/withdrawals/{id}/resolutions/{number}/withdraw",
    tag = "Operators",
    params(("id" = String, Path, description = "The withdrawal"),
           ("number" = i64, Path, description = "The proposal")),
    request_body(content = Empty, example = json!({})),
    responses((status = 200, description = "It is taken back.", body = ResolutionOut,
        example = json!({"id": 1, "object": "resolution",
            "withdrawal": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "attempt": 1, "outcome": "paid",
            "bank_reference": "HDFC0000000001", "reason": "On the statement of 22 November, page 3",
            "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "state": "withdrawn", "proposed_by": "asha", "proposed_at": "2026-11-22T08:30:00Z",
            "expires_at": "2026-11-23T08:30:00Z",
            "decided_by": "asha", "decided_at": "2026-11-22T08:31:00Z"}))),
)]
pub(super) async fn withdraw(
    writer: Writer,
    Ids(withdrawal_id, number): Ids<WithdrawalId, i64>,
    payload: Payload,
) -> Result<Reply<ResolutionOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let Empty {} = payload.parse_or_empty()?;
    let found = resolutions::withdraw(&writer, withdrawal_id, number).await?;
    Ok(Reply::ok(ResolutionOut::of(found, writer.state.clock.now())))
}
