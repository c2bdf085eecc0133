//! Withdrawals that a person looks at before they are sent, and those that the queue passes over.

use ledger_core::{
    chart::Authority,
    ids::{Reference, WithdrawalId},
    withdrawal::{DecideReview, WithdrawalOperation},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{acts::Act, another_person, known};
use crate::{
    http::{
        Problem,
        idempotency::Key,
        writer::{Done, Identity, Writer},
    },
    routes::Empty,
    workers::withdrawals::notes::Notes,
};

/// Why a withdrawal does not pass.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RejectionInput)]
pub(crate) struct RejectIn {
    /// Why, as a code of your own, without spaces; the customer sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "payee_suspicious")]
    pub(crate) reason: Option<Reference>,
}

/// Lets a withdrawal pass; not by whoever requested it.
pub(crate) async fn approve(
    writer: &Writer,
    withdrawal_id: WithdrawalId,
    key: Key,
    body: &Empty,
) -> Result<Done, Problem> {
    let history = known(&writer.state, withdrawal_id).await?;
    let requested_by = history.facts.first().and_then(|fact| fact.actor.as_deref());
    another_person(&writer.caller, requested_by, "requested it")?;
    let id = withdrawal_id.to_string();
    let identity = Identity { key, operation: "approve_withdrawal", path: &[&id], body };
    decide(writer, identity, withdrawal_id, true, None).await
}

/// Refuses a withdrawal; amount and fee are given back.
pub(crate) async fn reject(
    writer: &Writer,
    withdrawal_id: WithdrawalId,
    key: Key,
    body: &RejectIn,
) -> Result<Done, Problem> {
    let id = withdrawal_id.to_string();
    let reason = body.reason.clone();
    let identity = Identity { key, operation: "reject_withdrawal", path: &[&id], body };
    decide(writer, identity, withdrawal_id, false, reason).await
}

async fn decide<T: Serialize>(
    writer: &Writer,
    identity: Identity<'_, T>,
    withdrawal_id: WithdrawalId,
    approve: bool,
    reason: Option<Reference>,
) -> Result<Done, Problem> {
    let transaction_id = writer.transaction_id();
    let review = DecideReview { withdrawal_id, approve, reason, transaction_id };
    let operation = WithdrawalOperation::DecideReview(review);
    writer.submit(identity, Authority::of_withdrawals().into(), operation.into()).await
}

/// Has the queue look at a withdrawal again; whether it passed over it.
pub(crate) async fn unblock(writer: &Writer, id: WithdrawalId) -> Result<bool, Problem> {
    known(&writer.state, id).await?;
    let was_blocked = Notes::new(writer.state.reads.clone()).unblock(id).await?;
    tracing::info!(withdrawal = %id, principal = %writer.caller.principal, "unblocked");
    Act::without_reason("withdrawal_unblocked", &id.to_string()).keep(writer).await?;
    Ok(was_blocked)
}
