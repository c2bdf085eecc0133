//! `POST /v1/ops/suspense/{id}/lump`: what lies in suspense is the lump of several deposits.

use ledger_core::ids::Item;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    desk::lumps::{self, LumpIn},
    http::{
        Problem, approval::Approver, auth::Require as _, idempotency::Key, json::Payload, path::Id,
        reply::Reply, writer::Writer,
    },
    identity::Scope,
};

/// A lump that has settled its deposits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lump)]
pub(super) struct LumpOut {
    /// Always `lump`.
    #[schema(example = "lump")]
    object: &'static str,
    /// The credit.
    #[schema(value_type = String, example = "bl_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: Item,
    /// The credits of deposits that it has settled.
    #[schema(value_type = Vec<String>, example = json!(["dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1"]))]
    settled: Vec<Item>,
    /// The position that the answer reflects.
    position: u64,
}

/// Settle deposits with a lump
///
/// All of what lies in suspense is the lump of these deposits' credits, less charges and tax: a
/// payment gateway's. They are settled in one append, or none is (`lump_differs`, `credit_differs`,
/// `credit_settled`). Always takes a second person with `ops:approve`: `Approver-Authorization`,
/// and `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/suspense/{id}/lump",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The credit")),
    request_body(content = LumpIn, example = json!({
        "credits": [
            {"credit": "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1",
             "amount": {"value": "300.00", "currency": "INR"}},
            {"credit": "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f7.1",
             "amount": {"value": "200.00", "currency": "INR"}}],
        "charges": {"value": "5.00", "currency": "INR"},
        "tax": {"value": "0.90", "currency": "INR"}, "reason": "settlement-2026-11-22",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "The deposits are settled.", body = LumpOut,
        example = json!({"object": "lump", "id": "bl_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "settled": ["dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f6.1",
                "dep_01935c3a5e7c7d3e8f00a1b2c3d4e5f7.1"],
            "position": 42}))),
)]
pub(super) async fn settle(
    writer: Writer,
    Id(item): Id<Item>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<LumpOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: LumpIn = payload.parse()?;
    let done = lumps::settle(&writer, &approver, &item, key, &body).await?;
    let (object, position) = ("lump", done.position);
    let settled = body.credits.into_iter().map(|named| named.credit).collect();
    Ok(Reply::ok(LumpOut { object, id: item, settled, position })
        .at(position)
        .replayed(done.replayed))
}
