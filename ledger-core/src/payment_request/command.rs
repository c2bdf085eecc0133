//! What can be asked of a payment request: by its shop, by who pays it, or by the sweeper.

use rust_decimal::Decimal;

use crate::{
    clock::Timestamp,
    ids::{AccountId, MerchantCode, PaymentId, PaymentRequestId, Reference},
    money::{CurrencyCode, Money},
};

/// One thing that can be asked of a payment request by itself. It is paid by a payment, in the
/// append of that payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentRequestOperation {
    /// Make one.
    Create(CreatePaymentRequest),
    /// Take it back.
    Close(PaymentRequestId),
    /// End it because its time has come.
    Expire(PaymentRequestId),
}

impl PaymentRequestOperation {
    /// The request that it is about.
    pub const fn request_id(&self) -> PaymentRequestId {
        match self {
            Self::Create(create) => create.request_id,
            Self::Close(request_id) | Self::Expire(request_id) => *request_id,
        }
    }
}

/// A payment request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePaymentRequest {
    /// Its id.
    pub request_id: PaymentRequestId,
    /// The shop.
    pub merchant: MerchantCode,
    /// The currency that it is paid in.
    pub currency: CurrencyCode,
    /// How much; nothing = as much as the payer says.
    pub amount: Option<Money>,
    /// The shop's own number of the order.
    pub order: Option<Reference>,
    /// In which of the shop's stores.
    pub store: Option<Reference>,
    /// At which of the store's terminals.
    pub terminal: Option<Reference>,
    /// Whether one payment ends it.
    pub single_use: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Words to keep beside the log, erasable; 200 characters at most.
    pub description: Option<String>,
}

/// What the aggregate is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequestCommand {
    /// What is asked.
    pub ask: PaymentRequestAsk,
    /// The moment of the decision.
    pub now: Timestamp,
}

/// What is asked of the aggregate: an operation of its own, or a payment's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentRequestAsk {
    /// An operation of its own.
    Operation(PaymentRequestOperation),
    /// Be paid.
    Pay(PayRequest),
}

/// A payment that would pay it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayRequest {
    /// The payment.
    pub payment_id: PaymentId,
    /// Where its money comes from; says the currency.
    pub payer: AccountId,
    /// The shop that is paid.
    pub merchant: MerchantCode,
    /// How much.
    pub amount: Decimal,
}
