//! What became of a withdrawal that no bank tells the outcome of: one person says it, with
//! evidence, another agrees, and only then the ledger is told.
//!
//! There is no "send again": an attempt whose outcome is unknown ends as paid or as not paid. The
//! withdrawal's event has both persons, the reason and the evidence's hash in its metadata.

use chrono::{DateTime, Utc};
use ledger_core::{
    chart::Authority,
    command::Approval,
    ids::{Principal, WithdrawalId},
    money::Money,
    withdrawal::{
        AttemptOutcome, AttemptState, RecordOutcome, Source, Withdrawal, WithdrawalOperation,
        WithdrawalStatus,
    },
};

use super::{
    REASON_CHARS_MAX, another_person, known,
    resolution_body::{OutcomeWord, ResolutionIn, ResolutionOut},
};
use crate::{
    http::{
        Problem,
        auth::Require as _,
        codes,
        idempotency::{self, Key},
        json::Payload,
        path::{Id, Ids},
        query::{NoParams, Params},
        reader::{Listed, Reader},
        reply::Reply,
        wire::check_words,
        writer::{Permission, Writer, done},
    },
    identity::Scope,
    resolutions::{Decision, NewResolution, ProposeError, Resolution, Resolutions},
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
    Key(key): Key,
    payload: Payload,
) -> Result<Reply<ResolutionOut>, Problem> {
    writer.caller.require(&[Scope::OpsWrite])?;
    let body: ResolutionIn = payload.parse()?;
    check(&body)?;
    let (state, by) = (&writer.state, &writer.caller.principal);
    let id = withdrawal_id.to_string();
    let secret = &state.fingerprint_key;
    let idempotency = idempotency::bind(secret, key, "resolve_withdrawal", &[&id], &body)?;
    let resolutions = Resolutions::new(state.reads.clone());
    let location = format!("/v1/ops/withdrawals/{id}/resolutions");
    let now = state.clock.now();
    if let Some(made) = resolutions.made_by(by, &idempotency).await.map_err(refused)? {
        return Ok(Reply::created(ResolutionOut::of(made, now), &location).replayed(true));
    }
    let history = known(state, withdrawal_id).await?;
    let Some(attempt) = open_attempt(&history.withdrawal) else {
        let detail = "No attempt of this withdrawal waits for people to find out its outcome.";
        return Err(Problem::new(codes::NOT_RESOLVABLE, detail));
    };
    let new = NewResolution {
        withdrawal_id,
        attempt,
        paid: body.bank_reference,
        reason: body.reason,
        evidence_sha256: body.evidence_sha256,
        by: by.clone(),
        idempotency,
    };
    let made = resolutions.propose(&new, now).await.map_err(refused)?;
    tracing::info!(withdrawal = %id, resolution = made.id, principal = %by, "proposed");
    Ok(Reply::created(ResolutionOut::of(made, now), &location))
}

fn check(body: &ResolutionIn) -> Result<(), Problem> {
    if (body.outcome == OutcomeWord::Paid) != body.bank_reference.is_some() {
        let detail = "Given with outcome paid, and only then.";
        return Err(Problem::field(codes::INVALID, "/bank_reference", detail));
    }
    if body.reason.trim().is_empty() {
        return Err(Problem::field(codes::INVALID, "/reason", "Say how it is known."));
    }
    check_words(&body.reason, REASON_CHARS_MAX, "/reason")?;
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if body.evidence_sha256.len() != 64 || !body.evidence_sha256.bytes().all(hex) {
        let detail = "64 digits of lower-case hexadecimal.";
        return Err(Problem::field(codes::INVALID, "/evidence_sha256", detail));
    }
    Ok(())
}

/// The attempt whose outcome people can say.
fn open_attempt(withdrawal: &Withdrawal) -> Option<u32> {
    let unknown = [WithdrawalStatus::OutcomeUnknown, WithdrawalStatus::NeedsAttention];
    let is_open = withdrawal.attempts().last()?.state == AttemptState::Open;
    let resolvable = withdrawal.status().is_some_and(|status| unknown.contains(&status));
    let number = u32::try_from(withdrawal.attempts().len()).ok()?;
    (is_open && resolvable).then_some(number)
}

fn refused(error: ProposeError) -> Problem {
    match error {
        ProposeError::KeyReused => {
            Problem::new(codes::IDEMPOTENCY_KEY_REUSED, "The key came with another request.")
        }
        ProposeError::Pending => {
            let detail = "Another proposal waits: approve or withdraw it first.";
            Problem::new(codes::RESOLUTION_PENDING, detail)
        }
        ProposeError::Database(error) => error.into(),
    }
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
    let (state, by) = (&writer.state, &writer.caller.principal);
    let resolutions = Resolutions::new(state.reads.clone());
    let now = state.clock.now();
    let found = find(&resolutions, withdrawal_id, number).await?;
    another_person(&writer.caller, Some(&found.proposed_by), "proposed it")?;
    let withdrawal = known(state, withdrawal_id).await?.withdrawal;
    if is_recorded(&withdrawal, &found) && is_approved_by(&found, by) {
        // Approved before, and the ledger knows it.
        return Ok(Reply::ok(ResolutionOut::of(found, now)).replayed(true));
    }
    let stands = found.state(now) == "proposed" || is_approved_by(&found, by);
    if !stands {
        return Err(closed(&found, now));
    }
    if open_attempt(&withdrawal).and_then(|n| i32::try_from(n).ok()) != Some(found.attempt) {
        resolutions.decide(number, Decision::Outdated, by, now).await?;
        let detail = "The withdrawal has moved on since it was proposed. Nothing was done.";
        return Err(Problem::new(codes::RESOLUTION_OUTDATED, detail));
    }
    // Before the ledger is told: whoever comes second finds it decided. After a crash in between,
    // the same person approves it once more.
    let decided = resolutions.decide(number, Decision::Approved, by, now).await?;
    let decided = decided.filter(|decided| is_approved_by(decided, by));
    let Some(decided) = decided else {
        return Err(closed(&find(&resolutions, withdrawal_id, number).await?, now));
    };
    let position = tell(&writer, &withdrawal, &decided).await?;
    tracing::info!(withdrawal = %withdrawal_id, resolution = number, principal = %by, "approved");
    Ok(Reply::ok(ResolutionOut::of(decided, now)).at(position))
}

async fn find(
    resolutions: &Resolutions,
    withdrawal: WithdrawalId,
    number: i64,
) -> Result<Resolution, Problem> {
    let found = resolutions.find(number).await?;
    let found = found.filter(|found| found.withdrawal_id == withdrawal.uuid());
    found.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

fn is_approved_by(resolution: &Resolution, by: &Principal) -> bool {
    resolution.decision.as_deref() == Some("approved")
        && resolution.decided_by.as_deref() == Some(by.as_str())
}

fn closed(resolution: &Resolution, now: DateTime<Utc>) -> Problem {
    let detail = format!("The proposal is {}.", resolution.state(now));
    Problem::new(codes::RESOLUTION_CLOSED, detail)
}

/// Whether the ledger has it as it was proposed.
fn is_recorded(withdrawal: &Withdrawal, resolution: &Resolution) -> bool {
    let attempt = u32::try_from(resolution.attempt).ok();
    match attempt.and_then(|number| withdrawal.attempt(number)).map(|attempt| &attempt.state) {
        Some(AttemptState::Paid { bank_reference }) => {
            resolution.bank_reference.as_deref() == Some(bank_reference.as_str())
        }
        Some(AttemptState::Refused { retryable }) => {
            !retryable && resolution.bank_reference.is_none()
        }
        Some(AttemptState::Open) | None => false,
    }
}

/// Tells the ledger, in the name of the one who proposed it; the other stands beside as approver.
async fn tell(
    writer: &Writer,
    withdrawal: &Withdrawal,
    resolution: &Resolution,
) -> Result<u64, Problem> {
    let broken = |what: &dyn std::fmt::Display| Problem::internal(what);
    let requested = withdrawal.properties().ok_or_else(|| broken(&"no withdrawal"))?;
    let outcome = match &resolution.bank_reference {
        None => AttemptOutcome::RefusedFinal,
        Some(bank_reference) => {
            let code = requested.account.currency().map_err(|error| broken(&error))?;
            let currency = writer.state.ledger.status().borrow().book.currency(code);
            let currency = currency.ok_or_else(|| broken(&"no currency"))?;
            AttemptOutcome::Paid {
                amount: Money::from_decimal(requested.amount, currency)
                    .map_err(|error| broken(&error))?,
                bank_reference: bank_reference.parse().map_err(|error| broken(&error))?,
            }
        }
    };
    let code = matches!(outcome, AttemptOutcome::RefusedFinal).then_some("not_paid");
    let operation = WithdrawalOperation::RecordOutcome(RecordOutcome {
        withdrawal_id: WithdrawalId::from_uuid(resolution.withdrawal_id),
        attempt: u32::try_from(resolution.attempt).map_err(|error| broken(&error))?,
        outcome,
        source: Source::Person,
        code: code.and_then(|code| code.parse().ok()),
        transaction_id: writer.transaction_id(),
    });
    let permission = Permission {
        authority: Authority::of_withdrawals(),
        approval: Some(Approval {
            approver: writer.caller.principal.clone(),
            reason: resolution.reason.clone(),
            evidence_sha256: resolution.evidence_sha256.clone(),
        }),
    };
    let mut command = writer.command(permission, operation.into());
    command.principal = resolution.proposed_by.parse().map_err(|error| broken(&error))?;
    Ok(done(writer.state.ledger.submit(command).await)?.position)
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
    let resolutions = Resolutions::new(writer.state.reads.clone());
    let now = writer.state.clock.now();
    find(&resolutions, withdrawal_id, number).await?;
    let by = &writer.caller.principal;
    resolutions.decide(number, Decision::Withdrawn, by, now).await?;
    let found = find(&resolutions, withdrawal_id, number).await?;
    if found.decision.as_deref() != Some("withdrawn") {
        return Err(closed(&found, now));
    }
    Ok(Reply::ok(ResolutionOut::of(found, now)))
}
