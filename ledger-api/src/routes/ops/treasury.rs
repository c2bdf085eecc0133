//! `POST /v1/ops/bank-lines/{id}/treasury`: a line is one end of a move between our own accounts,
//! by two persons' word. Both ends have the same item, so what is on its way is an open item.

use ledger_core::{
    bank_line::{BankLineOperation, Part, Purpose, ResolveBankLine},
    chart::Authority,
    command::Receipt,
    ids::{BankLineId, Item, Reference},
};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{
        Problem,
        approval::Approver,
        auth::Require as _,
        idempotency::Key,
        json::Payload,
        path::Id,
        reader::caught_up,
        reply::Reply,
        wire::Amount,
        writer::{Identity, Permission, Writer, wrong_receipt},
    },
    identity::Scope,
    routes::deposits::review::two_persons,
    statements::stored_line,
};

/// Which move a line is an end of.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TreasuryMove)]
pub(super) struct MoveIn {
    /// The move's name, the same for both ends.
    #[schema(value_type = String, example = "topup-2026-11-22")]
    item: Item,
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "backing_short")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal.
    evidence_sha256: String,
}

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
    let approval = two_persons(&writer, &approver, &body.reason, Some(&body.evidence_sha256))?;
    caught_up(&writer.state).await?;
    let line = stored_line(&writer.state.reads, id).await?;
    let line = line.ok_or_else(|| Problem::not_found("There is nothing of this id."))?;
    let currency = writer.state.ledger.status().borrow().book.currency(line.currency);
    let currency = currency.ok_or_else(|| Problem::internal(&"no currency"))?;
    let mut amount: Decimal = line.amount;
    amount.rescale(u32::from(currency.scale));
    let resolve = BankLineOperation::Resolve(ResolveBankLine {
        key: line.key,
        currency,
        parts: vec![Part::of_item(Purpose::Treasury, body.item.clone(), amount)],
        transaction_id: writer.transaction_id(),
    });
    let permission = Permission { authority: Authority::of_statements(), approval: Some(approval) };
    let text = id.to_string();
    let identity = Identity { key, operation: "name_treasury", path: &[&text], body: &body };
    let done = writer.submit(identity, permission, resolve.into()).await?;
    let Receipt::BankLine { amount, .. } = &done.accepted.receipt else {
        return Err(wrong_receipt(&done.accepted.receipt));
    };
    let (object, position) = ("treasury_line", done.position);
    let amount = Amount::new(*amount, line.currency);
    let out = MovedOut { object, id, item: body.item.clone(), amount, position };
    Ok(Reply::ok(out).at(position).replayed(done.replayed))
}
