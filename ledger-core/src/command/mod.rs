//! What can be asked of the ledger, and what it answers: the engine's vocabulary.
//!
//! A command is complete: ids, dates and amounts come in with it, so that deciding it is a pure
//! function of the command and of the aggregates it touches. `operation` lists what can be asked,
//! `outcome` what is answered and stored for ever under the command's key.

mod operation;
mod outcome;
mod stored;

pub use operation::{
    CaptureHold, CaptureLeg, ChangeLimits, DefineTier, FreezeAccount, IncreaseHold, OpenAccount,
    Operation, PlaceHold, Reverse, SetTier,
};
pub use outcome::{Accepted, Outcome, Receipt, Rejection};

use crate::{
    chart::Authority,
    ids::{IdempotencyKey, Principal, RequestId},
};

/// A request to the ledger.
#[derive(Debug, Clone)]
pub struct Command {
    /// Who acts.
    pub principal: Principal,
    /// What makes it happen once. Nothing only for commands of the ledger's own workers, which are
    /// once by their nature.
    pub idempotency: Option<Idempotency>,
    /// The request it came by.
    pub request: RequestId,
    /// What it may move.
    pub authority: Authority,
    /// The second person and the evidence, for an adjustment.
    pub approval: Option<Approval>,
    /// What is asked.
    pub operation: Operation,
}

/// A client's key, and what it was sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// The key, unique to the principal for ever.
    pub key: IdempotencyKey,
    /// Keyed hash of the request, its operation included.
    pub fingerprint: [u8; 32],
}

/// Why a correction by hand is right, and who says so besides the one who makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The second person.
    pub approver: Principal,
    /// Why.
    pub reason: String,
    /// SHA-256 of the evidence, in lower-case hexadecimal.
    pub evidence_sha256: String,
}
