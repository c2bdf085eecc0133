//! Why a withdrawal refuses.

use rust_decimal::Decimal;

use super::state::WithdrawalStatus;

/// Why a withdrawal refuses, in order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WithdrawalError {
    /// It was never requested.
    #[error("the withdrawal does not exist")]
    NotFound,
    /// It was requested before.
    #[error("the withdrawal exists already")]
    Exists,
    /// The tax is more than the fee that it is a part of, or the sum does not fit.
    #[error("the tax is a part of the fee, and amount and fee together must fit")]
    FeeInvalid,
    /// It has been sent, or has ended.
    #[error("the withdrawal is {} already", .status.as_str())]
    NotCancellable {
        /// Where it is.
        status: WithdrawalStatus,
    },
    /// It waits for no decision.
    #[error("the withdrawal is not under review but {}", .status.as_str())]
    NotInReview {
        /// Where it is.
        status: WithdrawalStatus,
    },
    /// It waits for no bank: it must not be sent.
    #[error("the withdrawal is not queued but {}", .status.as_str())]
    NotQueued {
        /// Where it is.
        status: WithdrawalStatus,
    },
    /// The payee is not the one of the request any more.
    #[error("the payee is not the one that was requested")]
    PayeeMismatch,
    /// Another attempt is next.
    #[error("attempt {expected} is next")]
    AttemptOutOfTurn {
        /// Which one.
        expected: u32,
    },
    /// An earlier attempt has this reference: the bank would take it for that one.
    #[error("the reference was used by an earlier attempt")]
    ReferenceUsed,
    /// It was tried as often as a withdrawal can be.
    #[error("a withdrawal has at most {} attempts", super::ATTEMPTS_MAX)]
    TooManyAttempts,
    /// No such attempt was begun.
    #[error("the withdrawal has no such attempt")]
    AttemptNotFound,
    /// Another amount than the withdrawal's: what it proves is for people to find out.
    #[error("the withdrawal is of {amount}; proof of another amount is not taken")]
    PaidAmountDiffers {
        /// The withdrawal's amount.
        amount: Decimal,
    },
    /// The attempt was paid under another reference of the bank's.
    #[error("the attempt was paid under another reference of the bank")]
    BankReferenceDiffers,
    /// The attempt was paid, so it cannot have been refused.
    #[error("the attempt was paid")]
    AttemptPaid,
    /// The attempt was refused in another way.
    #[error("the attempt was refused in another way")]
    RefusalDiffers,
    /// Nothing can come back of what was not paid: the payment has to be recorded first.
    #[error("no payment of this attempt is known")]
    AttemptNotPaid,
    /// The same credit came with another amount.
    #[error("the credit is known with another amount")]
    ReturnDiffers,
    /// More came back than was sent.
    #[error("more came back than was sent; {left} could")]
    ReturnExceedsAmount {
        /// What could still come back.
        left: Decimal,
    },
    /// It came back in more pieces than can be.
    #[error("an attempt comes back in at most {} pieces", super::RETURNS_MAX)]
    TooManyReturns,
    /// Nothing of it is in suspense: it never was, or went elsewhere.
    #[error("nothing of the withdrawal lies in suspense")]
    NotInSuspense,
    /// Another amount lies there.
    #[error("{amount} of the withdrawal lies in suspense")]
    SuspenseAmountDiffers {
        /// How much does.
        amount: Decimal,
    },
    /// The wallet is frozen, closed or full.
    #[error("the wallet cannot take the money now")]
    WalletBlocked,
}

impl WithdrawalError {
    /// The stable code of this refusal on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "withdrawal_not_found",
            Self::Exists => "withdrawal_exists",
            Self::FeeInvalid => "fee_invalid",
            Self::NotCancellable { .. } => "not_cancellable",
            Self::NotInReview { .. } => "withdrawal_not_in_review",
            Self::NotQueued { .. } => "withdrawal_not_queued",
            Self::PayeeMismatch => "payee_mismatch",
            Self::AttemptOutOfTurn { .. } => "attempt_out_of_turn",
            Self::ReferenceUsed => "attempt_reference_used",
            Self::TooManyAttempts => "too_many_attempts",
            Self::AttemptNotFound => "attempt_not_found",
            Self::PaidAmountDiffers { .. } => "paid_amount_differs",
            Self::BankReferenceDiffers => "bank_reference_differs",
            Self::AttemptPaid => "attempt_paid",
            Self::RefusalDiffers => "refusal_differs",
            Self::AttemptNotPaid => "attempt_not_paid",
            Self::ReturnDiffers => "return_differs",
            Self::ReturnExceedsAmount { .. } => "return_exceeds_amount",
            Self::TooManyReturns => "too_many_returns",
            Self::NotInSuspense => "not_in_suspense",
            Self::SuspenseAmountDiffers { .. } => "suspense_amount_differs",
            Self::WalletBlocked => "wallet_blocked",
        }
    }
}
