//! What can happen to a payment.

use chrono::NaiveDate;
use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{DisputeWinner, Terms};
use crate::{
    ids::{
        AccountId, MerchantCode, PaymentRequestId, Reference, RefundId, SettlementId, TransactionId,
    },
    log::event_names,
};

/// One fact of a payment's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PaymentEvent {
    /// The shop was paid.
    Completed(Completed),
    /// The shop can dispose of what is left of it.
    Settled(Settled),
    /// The shop wants to give something back.
    RefundRequested(RefundRequested),
    /// It was given back.
    RefundCompleted(RefundCompleted),
    /// It cannot be given back.
    RefundFailed(RefundFailed),
    /// The shop gave the refund up while it waited.
    RefundCancelled(RefundCancelled),
    /// The payer says that the money is theirs: it is held, and the payer is lent the same.
    DisputeOpened(DisputeOpened),
    /// It was decided whose it is.
    DisputeDecided(DisputeDecided),
}

/// The payment's fixed properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completed {
    /// Where the money comes from; its currency is the payment's.
    pub payer: AccountId,
    /// The shop.
    pub merchant: MerchantCode,
    /// What the payer paid.
    pub amount: Decimal,
    /// What of it is our fee, tax included.
    pub fee: Decimal,
    /// How much of the fee is tax.
    pub tax: Decimal,
    /// What the fee was computed by.
    pub terms: Terms,
    /// The request that was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<PaymentRequestId>,
    /// From which day on the shop can dispose of the money.
    pub settles_on: NaiveDate,
    /// The shop's own number of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Reference>,
    /// In which of the shop's stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<Reference>,
    /// At which of the store's terminals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

impl Completed {
    /// What the shop gets. That it is no less than zero was checked when it was made.
    pub fn net(&self) -> Decimal {
        self.amount.saturating_sub(self.fee)
    }
}

/// What was left of a payment is the shop's to dispose of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// The settlement.
    pub settlement_id: SettlementId,
    /// What was left; zero if all of it was given back before.
    pub amount: Decimal,
    /// How much of that repays what the shop owed us.
    pub repaid: Decimal,
    /// The settlement's transaction, if something of this payment is in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
}

/// A refund waits; unless the append goes on with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundRequested {
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Decimal,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
}

/// Where the shop's money came from; the parts add up to what was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Of this payment, as far as it is not settled.
    pub unsettled: Decimal,
    /// Of what the shop can dispose of.
    pub available: Decimal,
    /// Lent by us: the shop owes it.
    pub receivable: Decimal,
}

/// The payer has the refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundCompleted {
    /// The refund.
    pub refund_id: RefundId,
    /// Where its money came from.
    pub from: Sources,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// The payer cannot have the refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundFailed {
    /// The refund.
    pub refund_id: RefundId,
    /// Why.
    pub reason: Reference,
}

/// The refund is given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefundCancelled {
    /// The refund.
    pub refund_id: RefundId,
}

/// The shop's money is held, and the payer is lent the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputeOpened {
    /// How much.
    pub amount: Decimal,
    /// Where the shop's money came from.
    pub from: Sources,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// The transaction.
    pub transaction_id: TransactionId,
}

/// What was held is the payer's or the shop's again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisputeDecided {
    /// Whose it is.
    pub won_by: DisputeWinner,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reference>,
    /// What of the loan the payer's wallet gave back; zero if the payer has won.
    pub from_payer: Decimal,
    /// How much of what the shop gets back repays what it owed us; zero if the payer has won.
    pub repaid: Decimal,
    /// The transaction.
    pub transaction_id: TransactionId,
}

event_names!(PaymentEvent {
    Completed(_) => "completed",
    Settled(_) => "settled",
    RefundRequested(_) => "refund_requested",
    RefundCompleted(_) => "refund_completed",
    RefundFailed(_) => "refund_failed",
    RefundCancelled(_) => "refund_cancelled",
    DisputeOpened(_) => "dispute_opened",
    DisputeDecided(_) => "dispute_decided",
});

impl DomainEvent for PaymentEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
