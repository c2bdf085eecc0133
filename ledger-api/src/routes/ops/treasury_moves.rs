//! `/v1/ops/treasury-moves`: the top-ups and sweeps that days' closes ask for, and what people say
//! to them.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::ids::Reference;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    desk::treasury_moves::{self, currency},
    http::{
        ApiState, Problem,
        approval::Approver,
        auth::Require as _,
        json::Payload,
        path::Id,
        query::Params,
        reader::{Listed, Reader, limit},
        reply::Reply,
        wire::Amount,
        writer::Writer,
    },
    identity::Scope,
    treasury::{Move, MoveId, MoveStatus, Moves, Order, OrderStatus, Way},
};

/// A move between our own accounts at a bank.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProposedMove)]
pub(super) struct MoveOut {
    /// Its id.
    #[schema(example = "tm_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `treasury_move`.
    #[schema(example = "treasury_move")]
    object: &'static str,
    /// Where it is.
    status: MoveStatus,
    /// Which way.
    direction: Way,
    /// At which bank.
    #[schema(example = "hdfc")]
    bank: String,
    /// How much.
    amount: Amount,
    /// What the transfer at the bank has to say, as its reference or in its words.
    #[schema(example = "TM8F00A1B2C3D4E5F6")]
    reference: String,
    /// The day whose close asked for it.
    day: NaiveDate,
    /// What was there beyond what was owed, at that close; below zero if money was missing.
    headroom: Amount,
    /// How many of its two lines the bank has stated.
    lines: u32,
    /// When it was asked for.
    created_at: DateTime<Utc>,
    /// When it was decided.
    decided_at: Option<DateTime<Utc>>,
    /// Who decided.
    decided_by: Option<String>,
    /// The second person.
    approved_by: Option<String>,
    /// What the bank was told; nothing before, and where people make the transfer.
    order: Option<OrderOut>,
}

/// What a bank was told of a move, and what it answered. It moves nothing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TreasuryOrder)]
struct OrderOut {
    /// What it made of it.
    status: OrderStatus,
    /// Which way it was sent.
    #[schema(example = "imps")]
    rail: Option<String>,
    /// Why it was refused, or is not known.
    code: Option<String>,
    /// How often the bank was asked about it since.
    checks_used: u32,
    /// When the bank was told.
    ordered_at: DateTime<Utc>,
}

impl OrderOut {
    fn of(order: Order) -> Self {
        let Order { status, rail, code, asked, at } = order;
        Self { status, rail, code, checks_used: asked, ordered_at: at }
    }
}

impl MoveOut {
    fn of(state: &ApiState, found: Move) -> Result<Self, Problem> {
        let code = currency(&found)?;
        let known = state.ledger.status().borrow().book.currency(code);
        let known = known.ok_or_else(|| Problem::internal(&"a currency that is in no book"))?;
        let amount = |mut amount: Decimal| {
            amount.rescale(u32::from(known.scale));
            Amount::new(amount, code)
        };
        Ok(Self {
            id: found.id.to_string(),
            object: "treasury_move",
            status: found.status,
            direction: found.way,
            bank: found.bank,
            amount: amount(found.amount),
            reference: found.reference,
            day: found.day,
            headroom: amount(found.headroom),
            lines: found.lines,
            created_at: found.proposed_at,
            decided_at: found.decided_at,
            decided_by: found.decided_by,
            approved_by: found.approved_by,
            order: found.order.map(OrderOut::of),
        })
    }
}

/// Which moves to list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct MovesQuery {
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
}

/// List moves between our own accounts
///
/// What the closes of bank days have asked for: top-ups of escrow where customers' money was not
/// backed, sweeps of what is there beyond what is owed. The newest first.
#[utoipa::path(
    get,
    path = "/v1/ops/treasury-moves",
    tag = "Reconciliation",
    params(MovesQuery),
    responses((status = 200, description = "A page of them.", body = Listed<MoveOut>)),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<MovesQuery>,
) -> Result<Reply<Listed<MoveOut>>, Problem> {
    let models = reader.admit(&[Scope::OpsRead], None).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("treasury_moves", &query);
    let after = list.resume::<MoveId>(query.cursor.as_deref())?;
    let moves = Moves::new(reader.state.reads.clone());
    let mut found = moves.list(after, limit.saturating_add(1)).await?;
    let full = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > full;
    found.truncate(full);
    let next = found.last().filter(|_| has_more).map(|found| found.id);
    let position = models.position().await?;
    let data = found.into_iter().map(|found| MoveOut::of(&reader.state, found));
    reader.page(&list, data.collect::<Result<_, _>>()?, next, position)
}

/// What people say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoveDecision)]
pub(super) struct DecisionIn {
    /// Why: a code or a reference to what proves it, without personal data.
    #[schema(value_type = String, example = "backing_short")]
    reason: Reference,
    /// SHA-256 of what the two persons have seen, in lower-case hexadecimal; where it takes two.
    #[serde(default)]
    evidence_sha256: Option<String>,
}

/// Approve a move between our own accounts
///
/// The bank is then told to make the transfer, once, with the move's `reference`; where it can't be
/// called, or with `BAHI_TREASURY_ORDERS=off`, people make it. The lines of the bank's statements
/// that have the reference are booked as its two ends by themselves. More than ₹10,000
/// (`BAHI_REVIEW_SUSPENSE_ABOVE`), and other currencies, take a second person with `ops:approve`:
/// `Approver-Authorization`, and `evidence_sha256`. Approving again changes nothing.
#[utoipa::path(
    post,
    path = "/v1/ops/treasury-moves/{id}/approve",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The move")),
    request_body(content = DecisionIn, example = json!({
        "reason": "backing_short",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "It is to be made.", body = MoveOut,
        example = json!({"id": "tm_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "treasury_move",
            "status": "approved", "direction": "top_up", "bank": "hdfc",
            "amount": {"value": "60.00", "currency": "INR"}, "reference": "TM8F00A1B2C3D4E5F6",
            "day": "2026-11-22", "headroom": {"value": "-60.00", "currency": "INR"}, "lines": 0,
            "created_at": "2026-11-23T01:00:00.000Z", "decided_at": "2026-11-23T09:00:00.000Z",
            "decided_by": "asha", "approved_by": "ravi", "order": null}))),
)]
pub(super) async fn approve(
    writer: Writer,
    Id(id): Id<MoveId>,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<MoveOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: DecisionIn = payload.parse()?;
    let said = (&body.reason, body.evidence_sha256.as_deref());
    let found = treasury_moves::approve(&writer, &approver, id, said).await?;
    Ok(Reply::ok(MoveOut::of(&writer.state, found)?))
}

/// Reject a move between our own accounts
///
/// It is not made; the next day's close asks again if need be.
#[utoipa::path(
    post,
    path = "/v1/ops/treasury-moves/{id}/reject",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The move")),
    request_body(content = DecisionIn, example = json!({"reason": "made_by_hand"})),
    responses((status = 200, description = "It is not made.", body = MoveOut,
        example = json!({"id": "tm_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "treasury_move",
            "status": "rejected", "direction": "sweep", "bank": "hdfc",
            "amount": {"value": "60.00", "currency": "INR"}, "reference": "TM8F00A1B2C3D4E5F6",
            "day": "2026-11-22", "headroom": {"value": "1060.00", "currency": "INR"}, "lines": 0,
            "created_at": "2026-11-23T01:00:00.000Z", "decided_at": "2026-11-23T09:00:00.000Z",
            "decided_by": "asha", "approved_by": null, "order": null}))),
)]
pub(super) async fn reject(
    writer: Writer,
    Id(id): Id<MoveId>,
    payload: Payload,
) -> Result<Reply<MoveOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: DecisionIn = payload.parse()?;
    let found = treasury_moves::reject(&writer, id, &body.reason).await?;
    Ok(Reply::ok(MoveOut::of(&writer.state, found)?))
}
