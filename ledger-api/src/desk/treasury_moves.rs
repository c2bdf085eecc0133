//! Moves of our own money that a day's close asks for: approved or turned down, by one person or,
//! above a limit, by two.

use ledger_core::{ids::Reference, money::CurrencyCode};

use super::two_persons;
use crate::{
    http::{ApiState, Problem, approval::Approver, codes, writer::Writer},
    treasury::{Decision, Move, MoveId, MoveStatus, Moves},
};

/// The currency of a move.
pub(crate) fn currency(found: &Move) -> Result<CurrencyCode, Problem> {
    found.currency.parse().map_err(|error| Problem::internal(&error))
}

/// Whether a move takes two persons.
pub(crate) fn takes_two(state: &ApiState, found: &Move) -> Result<bool, Problem> {
    Ok(state.operators.review.suspense_takes_two(found.amount, currency(found)?))
}

/// The move of an id.
pub(crate) async fn known(state: &ApiState, id: MoveId) -> Result<Move, Problem> {
    let found = Moves::new(state.reads.clone()).find(id).await?;
    found.ok_or_else(|| Problem::not_found("There is nothing of this id."))
}

/// Has a move made. Done twice, it is done once.
pub(crate) async fn approve(
    writer: &Writer,
    approver: &Approver,
    id: MoveId,
    (reason, evidence): (&Reference, Option<&str>),
) -> Result<Move, Problem> {
    let found = known(&writer.state, id).await?;
    let second = if takes_two(&writer.state, &found)? {
        Some(two_persons(writer, approver, reason, evidence)?)
    } else {
        None
    };
    let second = second.as_ref().map(|a| (a.approver.as_str(), a.evidence_sha256.as_str()));
    decide(writer, id, (true, second, reason)).await
}

/// Turns a move down.
pub(crate) async fn reject(
    writer: &Writer,
    id: MoveId,
    reason: &Reference,
) -> Result<Move, Problem> {
    known(&writer.state, id).await?;
    decide(writer, id, (false, None, reason)).await
}

async fn decide(
    writer: &Writer,
    id: MoveId,
    (approve, second, reason): (bool, Option<(&str, &str)>, &Reference),
) -> Result<Move, Problem> {
    let (state, by) = (&writer.state, writer.caller.principal.as_str());
    let decision = Decision { approve, by, second, reason: reason.as_str() };
    if Moves::new(state.reads.clone()).decide(id, &decision, state.clock.now()).await? {
        tracing::info!(%id, principal = by, approve, "a move of our own was decided");
    }
    let found = known(state, id).await?;
    let is_so = match found.status {
        MoveStatus::Approved | MoveStatus::Moved | MoveStatus::Refused => approve,
        MoveStatus::Rejected => !approve,
        MoveStatus::Proposed | MoveStatus::Superseded => false,
    };
    if is_so {
        return Ok(found);
    }
    let detail = "It was decided otherwise, or a later day asks for something else.";
    Err(Problem::new(codes::TREASURY_MOVE_DECIDED, detail))
}
