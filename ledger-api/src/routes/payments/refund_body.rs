//! Refunds on the wire.

use chrono::{DateTime, Utc};
use ledger_core::{
    command::Receipt,
    ids::{AccountId, PaymentId, RefundId},
    log::Position,
};
use projections::RefundRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::{
        Problem,
        wire::Amount,
        writer::{Done, wrong_receipt},
    },
    payments::{RefundAt, RefundState, shop_of},
    shops::MerchantId,
};

/// A refund.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Refund)]
pub(super) struct RefundOut {
    /// Its id. The transaction that moves the money has the same digits.
    #[schema(value_type = String, example = "rf_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) id: RefundId,
    /// Always `refund`.
    #[schema(example = "refund")]
    pub(super) object: String,
    /// Where it is.
    pub(super) status: RefundState,
    /// Whether nothing more can become of it.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// Where the money is: `moved` (the payer has it), `in_transit` (the shop has given it, and the
    /// payer's bank does not have it) or `not_moved`.
    #[schema(example = "moved")]
    pub(super) funds: String,
    /// Of which payment.
    #[schema(value_type = String, example = "pay_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) payment: PaymentId,
    /// The shop that gives it back.
    #[schema(value_type = Option<String>, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) merchant: Option<MerchantId>,
    /// Who gets it: a wallet.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// How much.
    pub(super) amount: Amount,
    /// Why, or why it failed; not in the answer to the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Where it is on its way to the payer's bank, where that is how it was paid: the status of the
    /// withdrawal that sends it, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "completed")]
    pub(super) bank_status: Option<String>,
    /// When it was asked for; not in answers to a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<DateTime<Utc>>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

impl RefundOut {
    /// What a row says, and where it is.
    pub(super) fn of(row: RefundRow, at: RefundAt, position: Position) -> Self {
        Self {
            id: row.id,
            object: "refund".to_owned(),
            status: at.state,
            is_final: at.is_final,
            funds: at.funds().to_owned(),
            payment: row.payment,
            merchant: shop_of(&row.merchant),
            account: row.payer,
            amount: Amount::new(row.amount, row.currency),
            reason: row.reason,
            bank_status: at.at_bank.map(|status| status.as_str().to_owned()),
            created_at: Some(row.requested_at),
            recorded_at: row.changed_at,
            position,
        }
    }

    /// The refund after a command, from the stored outcome alone.
    pub(super) fn after(done: &Done) -> Result<Self, Problem> {
        let accepted = &done.accepted;
        let Receipt::Refund { refund_id, payment_id, status, payer, merchant, amount } =
            &accepted.receipt
        else {
            return Err(wrong_receipt(&accepted.receipt));
        };
        let at = RefundAt::after(*status, payer);
        let currency = payer.currency().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            id: *refund_id,
            object: "refund".to_owned(),
            status: at.state,
            is_final: at.is_final,
            funds: at.funds().to_owned(),
            payment: *payment_id,
            merchant: shop_of(merchant),
            account: payer.clone(),
            amount: Amount::new(*amount, currency),
            reason: None,
            bank_status: None,
            created_at: None,
            recorded_at: accepted.recorded_at,
            position: accepted.position,
        })
    }
}
