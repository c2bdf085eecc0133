//! `POST /v1/ops/bank-lines/{id}/treasury`: a line is one end of a move between our own accounts.

use ledger_core::{
    command::Receipt,
    ids::{BankLineId, Item},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    desk::treasury::{self, MoveIn},
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Id,
        reply::Reply,
        wire::Amount,
        writer::{Writer, wrong_receipt},
    },
    identity::Scope,
};

/// A line that is an end of a move.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TreasuryLine)]
pub(super) struct MovedOut {
    /// Always `treasury_line`.
    #[schema(example = "treasury_line")]
    object: &'static str,
    /// The line.
    #[schema(value_type = String)]
    id: BankLineId,
    /// The move.
    #[schema(value_type = String, example = "topup-2026-11-22")]
    item: Item,
    /// The line's amount.
    amount: Amount,
    /// The position that the answer reflects.
    position: u64,
}

/// Name a line as a move of our own
///
/// A line in suspense, all of it, is one end of a move between our own accounts at banks: a top-up
/// of escrow, a sweep of what is left over, float for another bank. The other end is a line too,
/// named with the same `item`; until then `treasury:in_transit` has it open. Always takes a second
/// person with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/bank-lines/{id}/treasury",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The line")),
    request_body(content = MoveIn, example = json!({
        "item": "topup-2026-11-22", "reason": "backing_short",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "It is an end of the move.", body = MovedOut,
        example = json!({"object": "treasury_line", "id": "bl_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "item": "topup-2026-11-22", "amount": {"value": "60.00", "currency": "INR"},
            "position": 42}))),
)]
pub(super) async fn name(
    writer: Writer,
    Id(id): Id<BankLineId>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<MovedOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: MoveIn = payload.parse()?;
    let (done, code) = treasury::name(&writer, &approver, id, key, &body).await?;
    let Receipt::BankLine { amount, .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let (object, position) = ("treasury_line", done.position);
    let amount = Amount::new(*amount, code);
    let out = MovedOut { object, id, item: body.item, amount, position };
    Ok(Reply::ok(out).at(position).replayed(done.replayed))
}
