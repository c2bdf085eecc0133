//! The words by which a wallet's owner is told where something is: the same for all kinds.

use ledger_core::{deposit::DepositStatus, transfer::TransferStatus, withdrawal::WithdrawalStatus};
use serde::{Deserialize, Serialize};

/// Where something is, in the words of the wallet's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityStatus {
    /// Somebody has to pay or to claim it.
    Waiting,
    /// It waits for its bank.
    Queued,
    /// It is on its way.
    Processing,
    /// The bank has not confirmed it.
    Unknown,
    /// A person has to look at it.
    InReview,
    /// It is done.
    Done,
    /// It came back, or was taken back.
    Returned,
    /// It failed; what was set aside is back.
    Failed,
    /// A person refused it; what was set aside is back.
    Rejected,
    /// It was given up.
    Cancelled,
    /// Its time is over.
    Expired,
}

impl ActivityStatus {
    /// All of them, in the order of tabs.
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::Queued,
        Self::Processing,
        Self::Unknown,
        Self::InReview,
        Self::Done,
        Self::Returned,
        Self::Failed,
        Self::Rejected,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The status as a code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::Unknown => "unknown",
            Self::InReview => "in_review",
            Self::Done => "done",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing more is expected, as far as the wallet's owner is concerned.
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Waiting | Self::Queued | Self::Processing | Self::Unknown | Self::InReview
        )
    }
}

impl From<DepositStatus> for ActivityStatus {
    fn from(status: DepositStatus) -> Self {
        match status {
            DepositStatus::AwaitingPayment => Self::Waiting,
            DepositStatus::Received => Self::Processing,
            DepositStatus::Completed | DepositStatus::Settled => Self::Done,
            DepositStatus::InReview | DepositStatus::ToReturn | DepositStatus::RecallRequested => {
                Self::InReview
            }
            DepositStatus::Recalled | DepositStatus::SentBack | DepositStatus::Divided => {
                Self::Returned
            }
            DepositStatus::Expired => Self::Expired,
            DepositStatus::Failed => Self::Failed,
            DepositStatus::Cancelled => Self::Cancelled,
        }
    }
}

impl From<TransferStatus> for ActivityStatus {
    fn from(status: TransferStatus) -> Self {
        match status {
            TransferStatus::PendingClaim => Self::Waiting,
            TransferStatus::ClaimInReview => Self::InReview,
            TransferStatus::Completed => Self::Done,
            TransferStatus::Cancelled => Self::Cancelled,
            TransferStatus::Expired => Self::Expired,
        }
    }
}

impl From<WithdrawalStatus> for ActivityStatus {
    fn from(status: WithdrawalStatus) -> Self {
        match status {
            WithdrawalStatus::PendingReview => Self::InReview,
            WithdrawalStatus::Queued => Self::Queued,
            WithdrawalStatus::Processing => Self::Processing,
            WithdrawalStatus::OutcomeUnknown | WithdrawalStatus::NeedsAttention => Self::Unknown,
            WithdrawalStatus::Completed => Self::Done,
            WithdrawalStatus::Returned => Self::Returned,
            WithdrawalStatus::Failed => Self::Failed,
            WithdrawalStatus::Rejected => Self::Rejected,
            WithdrawalStatus::Cancelled => Self::Cancelled,
        }
    }
}
