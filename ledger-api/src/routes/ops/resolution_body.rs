//! What somebody says became of a withdrawal, on the wire.

use chrono::{DateTime, Utc};
use ledger_core::ids::WithdrawalId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::resolutions::Resolution;

/// A proposal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Resolution)]
pub(super) struct ResolutionOut {
    /// Its number.
    id: i64,
    /// Always `resolution`.
    #[schema(example = "resolution")]
    object: &'static str,
    /// The withdrawal.
    #[schema(value_type = String, example = "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    withdrawal: WithdrawalId,
    /// The attempt that it is about.
    attempt: i32,
    /// `paid` or `not_paid`.
    outcome: String,
    /// The bank's own reference of the payment.
    bank_reference: Option<String>,
    /// How it is known.
    reason: String,
    /// SHA-256 of the document that shows it.
    evidence_sha256: String,
    /// `proposed`, `approved`, `withdrawn`, `expired`, or `outdated`: the withdrawal had moved on.
    #[schema(example = "proposed")]
    state: String,
    /// Who proposed it.
    proposed_by: String,
    /// When.
    proposed_at: DateTime<Utc>,
    /// Until when it can be approved.
    expires_at: DateTime<Utc>,
    /// Who approved it or took it back.
    decided_by: Option<String>,
    /// When.
    decided_at: Option<DateTime<Utc>>,
}

impl ResolutionOut {
    pub(super) fn of(said: Resolution, now: DateTime<Utc>) -> Self {
        Self {
            state: said.state(now).to_owned(),
            id: said.id,
            object: "resolution",
            withdrawal: WithdrawalId::from_uuid(said.withdrawal_id),
            attempt: said.attempt,
            outcome: said.outcome,
            bank_reference: said.bank_reference,
            reason: said.reason,
            evidence_sha256: said.evidence_sha256,
            proposed_by: said.proposed_by,
            proposed_at: said.proposed_at,
            expires_at: said.expires_at,
            decided_by: said.decided_by,
            decided_at: said.decided_at,
        }
    }
}
