//! What can be asked of a payment: by its payer, its shop, a person of ours, or a worker.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{DisputeWinner, Terms};
use crate::{
    ids::{
        AccountId, MerchantCode, PaymentId, PaymentRequestId, Reference, RefundId, SettlementId,
        TransactionId,
    },
    money::{CurrencyCode, Money},
};

/// The most payments of one settlement.
pub const SETTLED_MAX: usize = 100;

/// One thing that can be asked of a payment. Each is one append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentOperation {
    /// Pay a shop.
    Pay(PayMerchant),
    /// Give back a part, or all of it.
    Refund(RefundPayment),
    /// Try again to give back what the shop was short of.
    RetryRefund(RetryRefund),
    /// Give up a refund that still waits.
    CancelRefund {
        /// The payment.
        payment_id: PaymentId,
        /// The refund.
        refund_id: RefundId,
    },
    /// Take the money from the shop and lend it to the payer, until it is decided whose it is.
    OpenDispute(OpenDispute),
    /// Say whose it is.
    DecideDispute(DecideDispute),
}

impl PaymentOperation {
    /// The payment that it is about.
    pub const fn payment_id(&self) -> PaymentId {
        match self {
            Self::Pay(pay) => pay.payment_id,
            Self::Refund(refund) => refund.payment_id,
            Self::RetryRefund(retry) => retry.payment_id,
            Self::CancelRefund { payment_id, .. } => *payment_id,
            Self::OpenDispute(open) => open.payment_id,
            Self::DecideDispute(decide) => decide.payment_id,
        }
    }

    /// The refund that it is about.
    pub const fn refund_id(&self) -> Option<RefundId> {
        match self {
            Self::Refund(refund) => Some(refund.refund_id),
            Self::RetryRefund(retry) => Some(retry.refund_id),
            Self::CancelRefund { refund_id, .. } => Some(*refund_id),
            Self::Pay(_) | Self::OpenDispute(_) | Self::DecideDispute(_) => None,
        }
    }
}

/// A payment from a wallet to a shop. Its transaction has the payment's own UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayMerchant {
    /// Its id.
    pub payment_id: PaymentId,
    /// Where the money comes from: a wallet.
    pub payer: AccountId,
    /// The shop.
    pub merchant: MerchantCode,
    /// What the payer pays.
    pub amount: Money,
    /// What the shop pays for it.
    pub terms: Terms,
    /// The request that is paid, if there is one.
    pub request: Option<PaymentRequestId>,
    /// From which day on the shop can dispose of the money.
    pub settles_on: NaiveDate,
    /// The shop's own number of the order; the request's, if it is left out.
    pub order: Option<Reference>,
    /// In which of the shop's stores; the request's, if it is left out.
    pub store: Option<Reference>,
    /// At which of the store's terminals; the request's, if it is left out.
    pub terminal: Option<Reference>,
}

/// Payments of a shop whose money it can dispose of now. All of them, or nothing happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    /// Its id, made for this settlement alone: its transaction has the same UUID.
    pub settlement_id: SettlementId,
    /// The shop.
    pub merchant: MerchantCode,
    /// The currency of the payments.
    pub currency: CurrencyCode,
    /// The day: payments that settle later are refused.
    pub day: NaiveDate,
    /// The payments, 1 to [`SETTLED_MAX`] of them, each once.
    pub payments: Vec<PaymentId>,
}

/// What the shop gives back. Its transaction has the refund's own UUID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundPayment {
    /// The payment.
    pub payment_id: PaymentId,
    /// The refund.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<Reference>,
    /// The most that the shop may owe us; zero = the refund waits until the shop has the money.
    pub receivable_limit: Decimal,
}

/// A refund to try again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryRefund {
    /// The payment.
    pub payment_id: PaymentId,
    /// The refund.
    pub refund_id: RefundId,
    /// The most that the shop may owe us.
    pub receivable_limit: Decimal,
}

/// A dispute to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDispute {
    /// The payment.
    pub payment_id: PaymentId,
    /// How much of it.
    pub amount: Money,
    /// Why.
    pub reason: Option<Reference>,
    /// The id of the transaction that holds the shop's money and lends the payer the same.
    pub transaction_id: TransactionId,
}

/// A decision about a dispute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecideDispute {
    /// The payment.
    pub payment_id: PaymentId,
    /// Whose the money is.
    pub won_by: DisputeWinner,
    /// Why.
    pub reason: Option<Reference>,
    /// The id of the transaction that says so.
    pub transaction_id: TransactionId,
}

/// What the aggregate is asked: the operation, and what the accounts could give and take at that
/// moment, which it cannot see by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// An operation on this payment alone.
    Operation {
        /// The operation.
        operation: PaymentOperation,
        /// The accounts.
        standing: PaymentStanding,
    },
    /// This payment's part in a settlement.
    Settle {
        /// The settlement.
        settlement_id: SettlementId,
        /// The shop.
        merchant: MerchantCode,
        /// The currency.
        currency: CurrencyCode,
        /// The day.
        day: NaiveDate,
        /// What the shop owes us, after the settlement's payments before this one.
        owed: Decimal,
    },
}

/// What the shop and the payer could give and take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PaymentStanding {
    /// Whether the shop can be paid: its account is open and takes money.
    pub shop_open: bool,
    /// The most that could leave what is not settled; nothing = no limit.
    pub unsettled: Option<Decimal>,
    /// The most that could leave what the shop can dispose of; nothing = no limit.
    pub available: Option<Decimal>,
    /// What the shop owes us.
    pub owed: Decimal,
    /// Whether the shop is closed for good: it is lent nothing more.
    pub shop_closed: bool,
    /// Whether the payer's wallet is closed for good.
    pub payer_closed: bool,
    /// The most that the payer's wallet could take, tiers aside; nothing = no limit.
    pub payer_room: Option<Decimal>,
    /// The most that the payer's wallet could give; nothing = no limit.
    pub payer_spendable: Option<Decimal>,
}
