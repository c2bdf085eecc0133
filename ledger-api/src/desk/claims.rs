//! Claims of money that was sent to a number, which a person looks at first.

use ledger_core::{
    chart::Authority,
    ids::{Reference, TransferId},
    transfer::{DecideClaim, TransferOperation},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::another_person;
use crate::{
    http::{
        Problem,
        idempotency::Key,
        reader::caught_up,
        writer::{Done, Identity, Writer},
    },
    routes::Empty,
};

/// Why a claim does not pass.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimRejectionInput)]
pub(crate) struct RejectClaimIn {
    /// Why, as a code of your own, without spaces; sender and claimer see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "number_changed_hands")]
    pub(crate) reason: Option<Reference>,
}

/// Lets a claim pass; not by whoever claimed it.
pub(crate) async fn approve(
    writer: &Writer,
    transfer_id: TransferId,
    key: Key,
    body: &Empty,
) -> Result<Done, Problem> {
    let models = caught_up(&writer.state).await?;
    // Of what does not wait for a person, the ledger says so.
    if let Some(claimed_by) = models.claim_made_by(transfer_id).await? {
        another_person(&writer.caller, Some(&claimed_by), "claimed it")?;
    }
    let id = transfer_id.to_string();
    let identity = Identity { key, operation: "approve_claim", path: &[&id], body };
    decide(writer, identity, DecideClaim { transfer_id, approve: true, reason: None }).await
}

/// Refuses a claim; the money is the sender's again at once.
pub(crate) async fn reject(
    writer: &Writer,
    transfer_id: TransferId,
    key: Key,
    body: &RejectClaimIn,
) -> Result<Done, Problem> {
    let id = transfer_id.to_string();
    let reason = body.reason.clone();
    let identity = Identity { key, operation: "reject_claim", path: &[&id], body };
    decide(writer, identity, DecideClaim { transfer_id, approve: false, reason }).await
}

async fn decide<T: Serialize>(
    writer: &Writer,
    identity: Identity<'_, T>,
    decide: DecideClaim,
) -> Result<Done, Problem> {
    let operation = TransferOperation::DecideClaim(decide);
    writer.submit(identity, Authority::of_transfers().into(), operation.into()).await
}
