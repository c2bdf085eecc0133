//! What became of a withdrawal that no bank tells the outcome of: one person says it, with
//! evidence, another agrees, and only then the ledger is told.
//!
//! There is no "send again": an attempt whose outcome is unknown ends as paid or as not paid. The
//! withdrawal's event has both persons, the reason and the evidence's hash in its metadata.

use chrono::{DateTime, Utc};
use ledger_core::{
    chart::Authority,
    command::Approval,
    ids::{Principal, Reference, WithdrawalId},
    money::Money,
    withdrawal::{
        AttemptOutcome, AttemptState, RecordOutcome, Source, Withdrawal, WithdrawalOperation,
        WithdrawalStatus,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{REASON_CHARS_MAX, another_person, check_evidence, known};
use crate::{
    http::{
        Problem, codes,
        idempotency::{self, Key},
        wire::check_words,
        writer::{Permission, Writer, done},
    },
    resolutions::{Decision, NewResolution, ProposeError, Resolution, Resolutions},
};

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ResolutionOutcome)]
pub(crate) enum OutcomeWord {
    /// The bank paid it.
    Paid,
    /// The bank did not pay it, and never will.
    NotPaid,
}

/// What somebody says became of a withdrawal.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolutionInput)]
pub(crate) struct ResolutionIn {
    /// What became of it.
    pub(crate) outcome: OutcomeWord,
    /// The bank's own reference of the payment; with `paid`, and only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "HDFC0000000001")]
    pub(crate) bank_reference: Option<Reference>,
    /// How it is known; at most 200 characters, and no names of people: it stays in the log.
    #[schema(max_length = 200)]
    pub(crate) reason: String,
    /// SHA-256 of the document that shows it, in lower-case hexadecimal.
    pub(crate) evidence_sha256: String,
}

/// A proposal as it stands now.
#[derive(Debug)]
pub(crate) struct Proposed {
    /// The proposal.
    pub(crate) resolution: Resolution,
    /// Whether an earlier request made it.
    pub(crate) replayed: bool,
}

/// A proposal that was approved.
#[derive(Debug)]
pub(crate) struct Approved {
    /// The proposal.
    pub(crate) resolution: Resolution,
    /// Where the ledger has it; nothing if it had it before.
    pub(crate) position: Option<u64>,
}

/// Keeps what somebody says of a withdrawal until another person approves it.
pub(crate) async fn propose(
    writer: &Writer,
    withdrawal_id: WithdrawalId,
    key: Key,
    body: ResolutionIn,
) -> Result<Proposed, Problem> {
    check(&body)?;
    let (state, by) = (&writer.state, &writer.caller.principal);
    let id = withdrawal_id.to_string();
    let secret = &state.fingerprint_key;
    let idempotency = idempotency::bind(secret, key.0, "resolve_withdrawal", &[&id], &body)?;
    let resolutions = Resolutions::new(state.reads.clone());
    let now = state.clock.now();
    if let Some(made) = resolutions.made_by(by, &idempotency).await.map_err(refused)? {
        return Ok(Proposed { resolution: made, replayed: true });
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
    Ok(Proposed { resolution: made, replayed: false })
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
    check_evidence(&body.evidence_sha256)
}

/// The attempt whose outcome people can say.
pub(crate) fn open_attempt(withdrawal: &Withdrawal) -> Option<u32> {
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

/// Tells the ledger what another person said of a withdrawal.
pub(crate) async fn approve(
    writer: &Writer,
    withdrawal_id: WithdrawalId,
    number: i64,
) -> Result<Approved, Problem> {
    let (state, by) = (&writer.state, &writer.caller.principal);
    let resolutions = Resolutions::new(state.reads.clone());
    let now = state.clock.now();
    let found = find(&resolutions, withdrawal_id, number).await?;
    another_person(&writer.caller, Some(&found.proposed_by), "proposed it")?;
    let withdrawal = known(state, withdrawal_id).await?.withdrawal;
    if is_recorded(&withdrawal, &found) && is_approved_by(&found, by) {
        // Approved before, and the ledger knows it.
        return Ok(Approved { resolution: found, position: None });
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
    let position = tell(writer, &withdrawal, &decided).await?;
    tracing::info!(withdrawal = %withdrawal_id, resolution = number, principal = %by, "approved");
    Ok(Approved { resolution: decided, position: Some(position) })
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

/// Takes back what was said, before it is approved.
pub(crate) async fn withdraw(
    writer: &Writer,
    withdrawal_id: WithdrawalId,
    number: i64,
) -> Result<Resolution, Problem> {
    let resolutions = Resolutions::new(writer.state.reads.clone());
    let now = writer.state.clock.now();
    find(&resolutions, withdrawal_id, number).await?;
    let by = &writer.caller.principal;
    resolutions.decide(number, Decision::Withdrawn, by, now).await?;
    let found = find(&resolutions, withdrawal_id, number).await?;
    if found.decision.as_deref() != Some("withdrawn") {
        return Err(closed(&found, now));
    }
    Ok(found)
}
