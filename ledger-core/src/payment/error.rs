//! Why a payment refuses.

use rust_decimal::Decimal;

use super::RefundStatus;

/// Why a payment refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// There is none.
    #[error("the payment does not exist")]
    NotFound,
    /// It was made before.
    #[error("the payment exists already")]
    Exists,
    /// The rates are none, or the amount is too large for them.
    #[error("the shop's terms do not fit the payment")]
    TermsInvalid,
    /// The shop's account is not open or takes nothing.
    #[error("the shop cannot be paid now")]
    ShopBlocked,
    /// It is another shop's, or in another currency.
    #[error("the payment is another shop's or in another currency")]
    AnotherMerchant,
    /// Another settlement has it.
    #[error("the payment was settled before")]
    Settled,
    /// Its day has not come.
    #[error("the payment settles on a later day")]
    NotDue,
    /// There is a refund of this id, of another amount.
    #[error("the refund exists already")]
    RefundExists,
    /// There is none.
    #[error("the payment has no such refund")]
    RefundNotFound,
    /// It does not wait.
    #[error("the refund is {} already", .status.as_str())]
    RefundNotPending {
        /// Where it is.
        status: RefundStatus,
    },
    /// More refunds than a payment may have.
    #[error("a payment has at most {} refunds", super::REFUNDS_MAX)]
    TooManyRefunds,
    /// More than is left of the payment: refunds that wait and the dispute count.
    #[error("only {left} of the payment is left")]
    ExceedsPayment {
        /// What is left.
        left: Decimal,
    },
    /// There was one before.
    #[error("the payment was disputed before")]
    DisputeExists,
    /// There is none.
    #[error("the payment is not disputed")]
    DisputeNotFound,
    /// It was decided otherwise.
    #[error("the dispute was decided otherwise")]
    DisputeDecided,
    /// The payer's wallet is frozen, closed or full.
    #[error("the payer's wallet cannot take the money now")]
    PayerBlocked,
}

impl PaymentError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "payment_not_found",
            Self::Exists => "payment_exists",
            Self::TermsInvalid => "terms_invalid",
            Self::ShopBlocked => "shop_blocked",
            Self::AnotherMerchant => "payment_of_another",
            Self::Settled => "payment_settled",
            Self::NotDue => "payment_not_due",
            Self::RefundExists => "refund_exists",
            Self::RefundNotFound => "refund_not_found",
            Self::RefundNotPending { .. } => "refund_not_pending",
            Self::TooManyRefunds => "too_many_refunds",
            Self::ExceedsPayment { .. } => "refund_exceeds_payment",
            Self::DisputeExists => "dispute_exists",
            Self::DisputeNotFound => "dispute_not_found",
            Self::DisputeDecided => "dispute_decided",
            Self::PayerBlocked => "payer_blocked",
        }
    }
}
