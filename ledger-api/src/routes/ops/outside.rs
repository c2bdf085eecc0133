//! `/v1/ops/outside`: money of payers with apps of other banks that is neither a shop's nor back at
//! their banks, and sending it once more by two persons' word.

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, RefundId, WithdrawalId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    deposits::{Mark, Stuck},
    desk::outside::{self, SendAgainIn},
    http::{
        Problem,
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
    shops::MerchantId,
};

/// Which part of the list.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct OutsideQuery {
    /// How many at most; 1 to 100, 25 if left out.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "crate::http::query::not_a_filter")]
    cursor: Option<String>,
}

/// Money of a payer from outside that waits for people.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutsideStuck)]
pub(super) struct StuckOut {
    /// The account that it lies on.
    #[schema(value_type = String, example = "wallet:upi-01935c3a5e7c7d3e8f00a1b2c3d4e5f6:INR")]
    account: AccountId,
    /// How much lies there.
    amount: Amount,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The shop whose code was paid.
    #[schema(value_type = String, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    merchant: MerchantId,
    /// The refund, if it is one.
    #[schema(value_type = Option<String>)]
    refund: Option<RefundId>,
    /// Why the shop does not have it: a code.
    reason: Option<String>,
    /// The withdrawal that did not arrive.
    #[schema(value_type = Option<String>)]
    withdrawal: Option<WithdrawalId>,
    /// How that ended.
    #[schema(example = "failed")]
    withdrawal_status: Option<String>,
    /// Whether it can be sent once more.
    can_be_sent: bool,
}

impl StuckOut {
    fn of(one: Stuck) -> Result<Self, Problem> {
        let currency = one.account.currency().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            can_be_sent: one.can_be_sent_after().is_some(),
            account: one.account,
            amount: Amount::new(one.amount, currency),
            since: one.since,
            merchant: one.merchant,
            refund: one.refund,
            reason: one.reason,
            withdrawal: one.withdrawal.map(|(id, _)| id),
            withdrawal_status: one.withdrawal.map(|(_, status)| status.as_str().to_owned()),
        })
    }
}

/// List money of payers from outside that waits for people
///
/// What is neither a shop's nor back at its payer's bank: what that bank did not take, and what
/// nothing has happened to for ten minutes. The oldest first.
#[utoipa::path(
    get,
    path = "/v1/ops/outside",
    tag = "Payments",
    params(OutsideQuery),
    responses((status = 200, description = "A page of it.", body = Listed<StuckOut>,
        example = json!({"has_more": false, "next_cursor": null, "data": [{
            "account": "wallet:upi-01935c3a5e7c7d3e8f00a1b2c3d4e5f6:INR",
            "amount": {"value": "50.00", "currency": "INR"}, "since": "2026-11-23T10:00:00Z",
            "merchant": "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6",
            "refund": "rf_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "reason": null,
            "withdrawal": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "withdrawal_status": "failed",
            "can_be_sent": true}]}))),
)]
pub(super) async fn list(
    reader: Reader,
    Params(query): Params<OutsideQuery>,
) -> Result<Reply<Listed<StuckOut>>, Problem> {
    reader.admit(&[Scope::OpsRead], None).await?;
    let limit = limit(query.limit)?;
    let list = reader.list("outside", &query);
    let behind: Option<Mark> = list.resume(query.cursor.as_deref())?;
    let waiting = outside::stuck(&reader.state, behind.as_ref(), limit).await?;
    let data = waiting.stuck.into_iter().map(StuckOut::of).collect::<Result<_, _>>()?;
    reader.page(&list, data, waiting.next, waiting.position)
}

/// Send back to a payer from outside once more
///
/// After a withdrawal that is over (`failed`, `rejected`, `cancelled`, `returned`), with its money
/// on the payer's account again; by another withdrawal, to the same bank account. Always takes a
/// second person with `ops:approve`: `Approver-Authorization`, and `evidence_sha256`. Asked again
/// for the same withdrawal it is 404: once it is sent, nothing is left of it.
#[utoipa::path(
    post,
    path = "/v1/ops/outside/{id}/send-again",
    tag = "Payments",
    params(("id" = String, Path, description = "The withdrawal that did not arrive")),
    request_body(content = SendAgainIn, example = json!({
        "reason": "payer_bank_is_back",
        "evidence_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"})),
    responses((status = 200, description = "It is on its way once more.", body = StuckOut,
        example = json!({"account": "wallet:upi-01935c3a5e7c7d3e8f00a1b2c3d4e5f6:INR",
            "amount": {"value": "50.00", "currency": "INR"}, "since": "2026-11-23T10:00:00Z",
            "merchant": "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "refund": null, "reason": null,
            "withdrawal": "wd_01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "withdrawal_status": "failed",
            "can_be_sent": true}))),
)]
pub(super) async fn send_again(
    writer: Writer,
    Id(withdrawal): Id<WithdrawalId>,
    approver: Approver,
    payload: Payload,
) -> Result<Reply<StuckOut>, Problem> {
    writer.caller.require(&[Scope::OpsApprove])?;
    let body: SendAgainIn = payload.parse()?;
    let sent = outside::send_again(&writer, &approver, withdrawal, &body).await?;
    Ok(Reply::ok(StuckOut::of(sent)?))
}
