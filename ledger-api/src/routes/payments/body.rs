//! Payments on the wire.

use chrono::{DateTime, NaiveDate, Utc};
use ledger_core::{
    command::Receipt,
    ids::{AccountId, PaymentId, PaymentRequestId, SettlementId, WithdrawalId},
    log::Position,
    money::CurrencyCode,
    payment::PaymentStatus,
};
use projections::PaymentRow;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::refund_body::RefundOut;
use crate::{
    deposits::{Incoming, IncomingState},
    http::{
        Problem,
        reach::Reach,
        wire::Amount,
        writer::{Done, wrong_receipt},
    },
    payments::shop_of,
    shops::MerchantId,
};

/// A payment to a shop.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Payment)]
pub(super) struct PaymentOut {
    /// Its id. The transaction that moves the money has the same digits.
    #[schema(value_type = String, example = "pay_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) id: PaymentId,
    /// Always `payment`.
    #[schema(example = "payment")]
    pub(super) object: String,
    /// Where it is in its life, the dispute aside.
    pub(super) status: PaymentState,
    /// Whether nothing more can become of it.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    /// Where the money is: `moved`, or `in_transit` while it comes from another bank or goes back
    /// there.
    #[schema(example = "moved")]
    pub(super) funds: String,
    /// The shop.
    #[schema(value_type = Option<String>, example = "mer_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) merchant: Option<MerchantId>,
    /// Who paid: a wallet.
    #[schema(value_type = String, example = "wallet:asha:INR")]
    pub(super) account: AccountId,
    /// What was paid.
    pub(super) amount: Amount,
    /// What it costs the shop, without the tax in it. Not for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fee: Option<Amount>,
    /// The tax. Not for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tax: Option<Amount>,
    /// What the shop has of it. Not for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) net: Option<Amount>,
    /// What has gone back.
    pub(super) refunded: Amount,
    /// What can still go back: refunds that wait and a dispute count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refundable: Option<Amount>,
    /// Why the shop cannot have it, of one that failed: a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "payment_request_not_payable")]
    pub(super) reason: Option<String>,
    /// The withdrawal that sends one that failed back to its payer, once there is one. Not for the
    /// payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) returned_by: Option<WithdrawalId>,
    /// Where its dispute is: `open`, or who has won it: `payer`, `merchant`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) dispute: Option<String>,
    /// The request that it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) request: Option<PaymentRequestId>,
    /// What the shop knows it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) order_id: Option<String>,
    /// In which store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) store: Option<String>,
    /// At which terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) terminal: Option<String>,
    /// On which day the shop can spend it. Not for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) settles_on: Option<NaiveDate>,
    /// The settlement that it went into, once it did. Not for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) settlement: Option<SettlementId>,
    /// What that settlement moved of it. Not for the payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) settled: Option<Amount>,
    /// Its refunds, the first first; only where one payment is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refunds: Option<Vec<RefundOut>>,
    /// Where the proof is that its debit of the payer's wallet, or its credit of the shop's
    /// account, is in the signed log; only where its payer or its shop asks for the one payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/statements/proofs/48213")]
    pub(super) proof: Option<String>,
    /// When it was paid.
    pub(super) created_at: DateTime<Utc>,
    /// When this was recorded.
    pub(super) recorded_at: DateTime<Utc>,
    /// The position that the answer reflects.
    pub(super) position: u64,
}

/// What is left of a payment.
fn left(row: &PaymentRow) -> Decimal {
    let gone = [row.refunded, row.pending, row.disputed].into_iter();
    gone.fold(row.gross, Decimal::saturating_sub)
}

/// An amount with as many decimals as the payment has.
fn amount(value: Decimal, (scale, currency): (u32, CurrencyCode)) -> Amount {
    let mut value = value;
    value.rescale(scale);
    Amount::new(value, currency)
}

impl PaymentOut {
    /// What a row says to whoever reaches so far.
    pub(super) fn of(row: PaymentRow, reach: Reach, position: Position) -> Self {
        let of_payer = reach.person().is_some();
        let left = left(&row);
        let unit = (row.gross.scale(), row.currency);
        let money = |value| amount(value, unit);
        let for_shop = |value: Decimal| (!of_payer).then(|| money(value));
        Self {
            id: row.id,
            object: "payment".to_owned(),
            status: row.status.into(),
            is_final: row.status == PaymentStatus::Refunded,
            funds: "moved".to_owned(),
            merchant: shop_of(&row.merchant),
            amount: money(row.gross),
            fee: for_shop(row.fee),
            tax: for_shop(row.tax),
            net: for_shop(row.net),
            refunded: money(row.refunded),
            refundable: for_shop(left),
            reason: None,
            returned_by: None,
            dispute: row.dispute,
            request: row.request,
            order_id: row.order_id,
            store: row.store,
            terminal: row.terminal,
            settles_on: (!of_payer).then_some(row.settles_on),
            settlement: row.settlement.filter(|_| !of_payer),
            settled: row.settled.filter(|_| !of_payer).map(money),
            refunds: None,
            proof: None,
            account: row.payer,
            created_at: row.paid_at,
            recorded_at: row.changed_at,
            position,
        }
    }

    /// A payment from outside that the shop does not have, with the currency's scale.
    ///
    /// # Errors
    /// Never: its account has a currency.
    pub(super) fn incoming(
        coming: &Incoming,
        scale: u8,
        position: Position,
    ) -> Result<Self, Problem> {
        let account = coming.credit.account.clone();
        let currency = account.currency().map_err(|error| Problem::internal(&error))?;
        let money = |value| amount(value, (u32::from(scale), currency));
        let failed = coming.state == IncomingState::Failed;
        Ok(Self {
            id: coming.payment,
            object: "payment".to_owned(),
            status: if failed { PaymentState::Failed } else { PaymentState::Processing },
            is_final: failed,
            funds: "in_transit".to_owned(),
            merchant: Some(coming.credit.merchant),
            account,
            amount: money(coming.amount.unwrap_or_default()),
            fee: None,
            tax: None,
            net: None,
            refunded: money(Decimal::ZERO),
            refundable: None,
            reason: coming.reason.clone(),
            returned_by: coming.back.map(|(withdrawal, _)| withdrawal),
            dispute: None,
            request: coming.credit.request,
            order_id: coming.order_id.clone(),
            store: coming.store.clone(),
            terminal: coming.terminal.clone(),
            settles_on: None,
            settlement: None,
            settled: None,
            refunds: None,
            proof: None,
            created_at: coming.told_at,
            recorded_at: coming.told_at,
            position,
        })
    }

    /// The payment that was just made, from the stored outcome alone.
    pub(super) fn made(done: &Done) -> Result<Self, Problem> {
        let accepted = &done.accepted;
        let Receipt::Payment {
            payment_id, status, payer, merchant, amount, refunded, request, ..
        } = &accepted.receipt
        else {
            return Err(wrong_receipt(&accepted.receipt));
        };
        let currency = payer.currency().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            id: *payment_id,
            object: "payment".to_owned(),
            status: (*status).into(),
            is_final: *status == PaymentStatus::Refunded,
            funds: "moved".to_owned(),
            merchant: shop_of(merchant),
            account: payer.clone(),
            amount: Amount::new(*amount, currency),
            fee: None,
            tax: None,
            net: None,
            refunded: Amount::new(*refunded, currency),
            refundable: None,
            reason: None,
            returned_by: None,
            dispute: None,
            request: *request,
            order_id: None,
            store: None,
            terminal: None,
            settles_on: None,
            settlement: None,
            settled: None,
            refunds: None,
            proof: None,
            created_at: accepted.recorded_at,
            recorded_at: accepted.recorded_at,
            position: accepted.position,
        })
    }
}

/// Where a payment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentStatus)]
pub(super) enum PaymentState {
    /// Somebody pays by another bank's app: the bank has told of it, and the shop does not have it
    /// yet.
    Processing,
    /// The shop was paid.
    Completed,
    /// A part of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
    /// Somebody paid by another bank's app what the shop cannot have: it goes back to that bank.
    Failed,
}

impl PaymentState {
    /// What of money from outside is in it, if it is no state of the ledger's payments.
    pub(super) const fn outside(self) -> Option<IncomingState> {
        match self {
            Self::Processing => Some(IncomingState::Processing),
            Self::Failed => Some(IncomingState::Failed),
            Self::Completed | Self::PartiallyRefunded | Self::Refunded => None,
        }
    }

    /// The ledger's word for it, if it is a state of its payments.
    pub(super) const fn of_ledger(self) -> Option<PaymentStatus> {
        match self {
            Self::Completed => Some(PaymentStatus::Completed),
            Self::PartiallyRefunded => Some(PaymentStatus::PartiallyRefunded),
            Self::Refunded => Some(PaymentStatus::Refunded),
            Self::Processing | Self::Failed => None,
        }
    }
}

impl From<PaymentStatus> for PaymentState {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Completed => Self::Completed,
            PaymentStatus::PartiallyRefunded => Self::PartiallyRefunded,
            PaymentStatus::Refunded => Self::Refunded,
        }
    }
}
