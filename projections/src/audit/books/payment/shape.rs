//! The payloads of payments and payment requests, as docs/events.md has them.

use serde::Deserialize;

use super::super::super::text::Text;

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct Terms {
    pub version: u32,
    pub fee_bps: u16,
    pub tax_bps: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Completed<'a> {
    #[serde(borrow)]
    pub payer: Text<'a>,
    #[serde(borrow)]
    pub merchant: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow)]
    pub fee: Text<'a>,
    #[serde(borrow)]
    pub tax: Text<'a>,
    pub terms: Terms,
    #[serde(borrow, default)]
    pub request: Option<Text<'a>>,
    #[serde(borrow)]
    pub settles_on: Text<'a>,
    #[serde(borrow, default, rename = "order")]
    pub _order: Option<Text<'a>>,
    #[serde(borrow, default, rename = "store")]
    pub _store: Option<Text<'a>>,
    #[serde(borrow, default, rename = "terminal")]
    pub _terminal: Option<Text<'a>>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settled<'a> {
    #[serde(borrow)]
    pub settlement_id: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow)]
    pub repaid: Text<'a>,
    #[serde(borrow, default)]
    pub transaction_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundRequested<'a> {
    #[serde(borrow)]
    pub refund_id: Text<'a>,
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow, default, rename = "reason")]
    pub _reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sources<'a> {
    #[serde(borrow)]
    pub unsettled: Text<'a>,
    #[serde(borrow)]
    pub available: Text<'a>,
    #[serde(borrow)]
    pub receivable: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundCompleted<'a> {
    #[serde(borrow)]
    pub refund_id: Text<'a>,
    #[serde(borrow)]
    pub from: Sources<'a>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
}

/// Of `refund_failed` and `refund_cancelled`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RefundEnded<'a> {
    #[serde(borrow)]
    pub refund_id: Text<'a>,
    #[serde(borrow, default, rename = "reason")]
    pub _reason: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisputeOpened<'a> {
    #[serde(borrow)]
    pub amount: Text<'a>,
    #[serde(borrow)]
    pub from: Sources<'a>,
    #[serde(borrow, default, rename = "reason")]
    pub _reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DisputeDecided<'a> {
    #[serde(borrow)]
    pub won_by: Text<'a>,
    #[serde(borrow, default, rename = "reason")]
    pub _reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub from_payer: Text<'a>,
    #[serde(borrow)]
    pub repaid: Text<'a>,
    #[serde(borrow)]
    pub transaction_id: Text<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Created<'a> {
    #[serde(borrow)]
    pub merchant: Text<'a>,
    #[serde(borrow)]
    pub currency: Text<'a>,
    #[serde(borrow, default)]
    pub amount: Option<Text<'a>>,
    #[serde(borrow, default, rename = "order")]
    pub _order: Option<Text<'a>>,
    #[serde(borrow, default, rename = "store")]
    pub _store: Option<Text<'a>>,
    #[serde(borrow, default, rename = "terminal")]
    pub _terminal: Option<Text<'a>>,
    pub single_use: bool,
    #[serde(borrow, default)]
    pub expires_at: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paid<'a> {
    #[serde(borrow)]
    pub payment_id: Text<'a>,
}
