//! Why a payment request refuses.

use rust_decimal::Decimal;

use super::PaymentRequestStatus;

/// Why a payment request refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PaymentRequestError {
    /// There is none.
    #[error("the payment request does not exist")]
    NotFound,
    /// It was made before.
    #[error("the payment request exists already")]
    Exists,
    /// It would end before it begins.
    #[error("the payment request would expire in the past")]
    ExpiryPast,
    /// It is another shop's, or in another currency.
    #[error("the payment request is another shop's or in another currency")]
    AnotherMerchant,
    /// It has ended: exactly one end wins.
    #[error("the payment request is {} already", .status.as_str())]
    NotPayable {
        /// Where it is.
        status: PaymentRequestStatus,
    },
    /// It has ended: exactly one end wins.
    #[error("the payment request is {} already", .status.as_str())]
    NotClosable {
        /// Where it is.
        status: PaymentRequestStatus,
    },
    /// Its time has come, whether or not the sweeper was there yet.
    #[error("the payment request has expired")]
    Expired,
    /// Its time has not come.
    #[error("the payment request has not expired")]
    NotExpired,
    /// It asks for another amount.
    #[error("the payment request asks for {amount}")]
    AmountDiffers {
        /// What it asks for.
        amount: Decimal,
    },
}

impl PaymentRequestError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "payment_request_not_found",
            Self::Exists => "payment_request_exists",
            Self::ExpiryPast => "payment_request_expiry_past",
            Self::AnotherMerchant => "payment_request_of_another",
            Self::NotPayable { .. } => "payment_request_not_payable",
            Self::NotClosable { .. } => "payment_request_not_closable",
            Self::Expired => "qr_expired",
            Self::NotExpired => "payment_request_not_expired",
            Self::AmountDiffers { .. } => "payment_request_amount",
        }
    }
}
