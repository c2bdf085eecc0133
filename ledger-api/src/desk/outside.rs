//! Money of payers from outside that did not get back to their banks: what there is of it, and
//! sending it once more by two persons' word.
//!
//! It is sent again only after a withdrawal that is over, with its money on the payer's account
//! again: the ledger says so, by what the bank proved. While a bank's answer is unknown there is
//! nothing to send, and no button.

use ledger_core::{
    ids::{Reference, WithdrawalId},
    log::Position,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{acts::Act, caught_up, check_evidence, two_persons};
use crate::{
    deposits::{Mark, Outside, Stuck},
    http::{ApiState, Problem, approval::Approver, codes, writer::Writer},
};

/// Why something is sent once more.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SendOutsideAgain)]
pub(crate) struct SendAgainIn {
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "payer_bank_is_back")]
    pub(crate) reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    pub(crate) evidence_sha256: String,
}

/// A page of what waits for people, after everything that the log has: where the next one goes on,
/// if there is more, and up to where in the log it is.
pub(crate) struct Waiting {
    pub(crate) stuck: Vec<Stuck>,
    pub(crate) next: Option<Mark>,
    pub(crate) position: Position,
}

/// What waits for people, the oldest first.
///
/// # Errors
/// If the database does not answer.
pub(crate) async fn stuck(
    state: &ApiState,
    behind: Option<&Mark>,
    most: u32,
) -> Result<Waiting, Problem> {
    caught_up(state).await?;
    let position = state.read_models.position().await?;
    let outside = Outside::new(state.reads.clone());
    let found = outside.stuck(behind, most.saturating_add(1)).await;
    let mut stuck = found.map_err(projections::ReadError::from)?;
    let full = usize::try_from(most).unwrap_or(usize::MAX);
    let more = stuck.len() > full;
    stuck.truncate(full);
    let next = stuck.last().filter(|_| more).map(Mark::behind);
    Ok(Waiting { stuck, next, position })
}

/// What can be sent once more after a withdrawal.
///
/// # Errors
/// Problem `not_found` if it cannot.
pub(crate) async fn sendable(state: &ApiState, after: WithdrawalId) -> Result<Stuck, Problem> {
    caught_up(state).await?;
    let found = Outside::new(state.reads.clone()).stuck_after(after).await;
    let found = found.map_err(projections::ReadError::from)?;
    found.filter(|one| one.can_be_sent_after() == Some(after)).ok_or_else(|| {
        Problem::not_found("Nothing is left of this withdrawal that could be sent once more.")
    })
}

/// Goes on only with a request that could be done if somebody agreed to it now.
pub(crate) async fn check(
    writer: &Writer,
    after: WithdrawalId,
    body: &SendAgainIn,
) -> Result<(), Problem> {
    check_evidence(&body.evidence_sha256)?;
    sendable(&writer.state, after).await.map(drop)
}

/// Has it sent once more, by another withdrawal: once, however often it is asked.
pub(crate) async fn send_again(
    writer: &Writer,
    approver: &Approver,
    after: WithdrawalId,
    body: &SendAgainIn,
) -> Result<Stuck, Problem> {
    two_persons(writer, approver, &body.reason, Some(&body.evidence_sha256))?;
    let found = sendable(&writer.state, after).await?;
    let outside = Outside::new(writer.state.reads.clone());
    let is_done = outside.send_again(after).await.map_err(projections::ReadError::from)?;
    if !is_done {
        let detail = "Somebody else has had it sent once more.";
        return Err(Problem::new(codes::RESOLUTION_CLOSED, detail));
    }
    tracing::warn!(withdrawal = %after, account = %found.account, "it is sent back once more");
    Act::new("outside_sent_again", &after.to_string(), body.reason.as_str()).keep(writer).await?;
    Ok(found)
}
