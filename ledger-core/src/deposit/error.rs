//! Why a deposit refuses.

use super::state::DepositStatus;

/// Why a deposit refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DepositError {
    /// It does not exist.
    #[error("the deposit does not exist")]
    NotFound,
    /// It exists already.
    #[error("the deposit exists already")]
    Exists,
    /// Its time to be paid would be over before it began.
    #[error("the deposit would have expired already")]
    ExpiryPast,
    /// Money was told of, or it has ended.
    #[error("the deposit is {} already", .status.as_str())]
    NotCancellable {
        /// Where it is.
        status: DepositStatus,
    },
    /// Its time has not come.
    #[error("the deposit can still be paid")]
    NotExpired,
    /// The same credit was told of with other particulars.
    #[error("the credit is known with other particulars")]
    CreditDiffers,
    /// A statement does not say who paid, and that matters here: the bank has to be asked.
    #[error("who paid is not known, and only one payer may")]
    PayerUnknown,
    /// The charges are not a part of what arrived.
    #[error("charges and tax must be less than what arrived")]
    ChargesInvalid,
    /// So many credits came already.
    #[error("a deposit has at most {} credits", super::CREDITS_MAX)]
    TooManyCredits,
    /// There is no such credit.
    #[error("the deposit has no such credit")]
    CreditNotFound,
    /// The credit waits for no decision.
    #[error("the credit is not under review")]
    NotInReview,
    /// The bank asks for the money back, which is to be decided first.
    #[error("the bank asks for the money back, which is not decided yet")]
    RecallOpen,
    /// Its money was sent back already: nothing is left that a bank could take.
    #[error("the credit was sent back already")]
    SentBack,
    /// Its money was of other deposits, and is theirs: nothing is left that a bank could take.
    #[error("the credit was a lump of other deposits, which have it")]
    Divided,
    /// A line shows it already, alone or as a part of another lump.
    #[error("the credit is on the statement already")]
    CreditSettled,
    /// No line shows it yet, so it can settle nothing.
    #[error("the credit is not on the statement yet")]
    CreditNotSettled,
    /// The parts make no lump of this amount.
    #[error("the parts, less charges and tax, do not come to the credit")]
    LumpDiffers,
    /// Nobody asks for the money back.
    #[error("nobody asks for the credit's money back")]
    RecallNotFound,
    /// It was decided otherwise.
    #[error("the recall was decided already")]
    RecallDecided,
    /// The money cannot be put there.
    #[error("the wallet cannot take the money now")]
    WalletBlocked,
}

impl DepositError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "deposit_not_found",
            Self::Exists => "deposit_exists",
            Self::ExpiryPast => "deposit_expiry_past",
            Self::NotCancellable { .. } => "deposit_not_cancellable",
            Self::NotExpired => "deposit_not_expired",
            Self::CreditDiffers => "credit_differs",
            Self::PayerUnknown => "payer_unknown",
            Self::ChargesInvalid => "charges_invalid",
            Self::TooManyCredits => "too_many_credits",
            Self::CreditNotFound => "credit_not_found",
            Self::NotInReview => "credit_not_in_review",
            Self::RecallOpen => "recall_open",
            Self::SentBack => "credit_sent_back",
            Self::Divided => "credit_divided",
            Self::CreditSettled => "credit_settled",
            Self::CreditNotSettled => "credit_not_settled",
            Self::LumpDiffers => "lump_differs",
            Self::RecallNotFound => "recall_not_found",
            Self::RecallDecided => "recall_decided",
            Self::WalletBlocked => "wallet_blocked",
        }
    }
}
