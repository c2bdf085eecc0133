//! Why a transfer refuses.

use super::state::TransferStatus;

/// Why a transfer refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// There is none.
    #[error("the transfer does not exist")]
    NotFound,
    /// It was made before.
    #[error("the transfer exists already")]
    Exists,
    /// The tax is more than the fee that it is a part of, or the sum does not fit.
    #[error("the tax is a part of the fee, and amount and fee together must fit")]
    FeeInvalid,
    /// It would end before it begins.
    #[error("the transfer would expire in the past")]
    ExpiryPast,
    /// The number that was proved is not the one that it was sent to.
    #[error("the transfer was sent to another number")]
    AnotherNumber,
    /// It has ended: exactly one end wins.
    #[error("the transfer is {} already", .status.as_str())]
    NotClaimable {
        /// Where it is.
        status: TransferStatus,
    },
    /// It has ended: exactly one end wins.
    #[error("the transfer is {} already", .status.as_str())]
    NotCancellable {
        /// Where it is.
        status: TransferStatus,
    },
    /// Nobody has to decide about a claim of it.
    #[error("no claim of the transfer is in review; it is {}", .status.as_str())]
    NotInReview {
        /// Where it is.
        status: TransferStatus,
    },
    /// Its time has come, whether or not the sweeper was there yet.
    #[error("the transfer has expired")]
    Expired,
    /// Its time has not come.
    #[error("the transfer has not expired")]
    NotExpired,
    /// Sender and receiver are one.
    #[error("nobody claims what they have sent themselves")]
    SelfClaim,
    /// The sender's account is frozen, or something else came before.
    #[error("the sender's account cannot give the money now")]
    SenderBlocked,
    /// The receiver's account is frozen, closed or full.
    #[error("the receiver's account cannot take the money now")]
    ReceiverBlocked,
}

impl TransferError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "transfer_not_found",
            Self::Exists => "transfer_exists",
            Self::FeeInvalid => "fee_invalid",
            Self::ExpiryPast => "transfer_expiry_past",
            Self::AnotherNumber => "claim_of_another",
            Self::NotClaimable { .. } => "not_claimable",
            Self::NotCancellable { .. } => "not_cancellable",
            Self::NotInReview { .. } => "transfer_not_in_review",
            Self::Expired => "transfer_expired",
            Self::NotExpired => "transfer_not_expired",
            Self::SelfClaim => "self_claim",
            Self::SenderBlocked => "sender_blocked",
            Self::ReceiverBlocked => "receiver_blocked",
        }
    }
}
