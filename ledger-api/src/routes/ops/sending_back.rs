//! `POST /v1/ops/suspense/{id}/return`: what lies in suspense goes back to whom it came from.

use ledger_core::ids::Item;

use crate::{
    desk::{
        sending_back::{self, ReturnIn},
        suspense::admit,
    },
    http::{
        Problem, approval::Approver, idempotency::Key, json::Payload, path::Id, reply::Reply,
        writer::Writer,
    },
    routes::withdrawals::body::WithdrawalOut,
};

/// Send back what lies in suspense
///
/// All of a credit, once, to whom it came from: a withdrawal without a fee, which is queued and
/// sent like any other. If it does not get through, or comes back, the money is in suspense again,
/// under the withdrawal's id. Up to ₹10,000 (`BAHI_REVIEW_SUSPENSE_ABOVE`) a key with `ops:approve`
/// decides alone. More, other currencies, a payee that is named here, and what a key with
/// `ops:write` only asks for take a second person with `ops:approve`: `Approver-Authorization`, and
/// `evidence_sha256`.
#[utoipa::path(
    post,
    path = "/v1/ops/suspense/{id}/return",
    tag = "Reconciliation",
    params(("id" = String, Path, description = "The credit")),
    request_body(content = ReturnIn, example = json!({"reason": "third_party"})),
    responses((status = 201, description = "It waits for its bank.", body = WithdrawalOut,
        example = json!({"id": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "object": "withdrawal",
            "status": "queued", "final": false, "cancellable": true, "funds": "held",
            "account": "suspense:credits:INR",
            "amount": {"value": "750.00", "currency": "INR"},
            "fee": {"value": "0.00", "currency": "INR"},
            "bank_account": "ba_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "bank": "hdfc", "rail": "imps",
            "recorded_at": "2026-11-22T14:02:11.020Z", "position": 42}))),
)]
pub(super) async fn send_back(
    writer: Writer,
    Id(item): Id<Item>,
    key: Key,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<WithdrawalOut>, Problem> {
    admit(&writer.caller)?;
    let body: ReturnIn = payload.parse()?;
    let done = sending_back::send_back(&writer, &approver, &item, key, &body).await?;
    let accepted = &done.accepted;
    let out = WithdrawalOut::of(&accepted.receipt, accepted.recorded_at, accepted.position)?;
    let location = format!("/v1/withdrawals/{}", out.id);
    Ok(Reply::created(out, &location).at(done.position).replayed(done.replayed))
}
