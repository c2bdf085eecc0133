//! Where a transfer is in its life.

use serde::{Deserialize, Serialize};

/// Where a transfer is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferStatus {
    /// It waits for the one who proves the number.
    PendingClaim,
    /// It was claimed and cannot be paid out yet.
    ClaimInReview,
    /// The receiver has it.
    Completed,
    /// The sender gave it up, or its claim was refused.
    Cancelled,
    /// Nobody claimed it in time.
    Expired,
}

impl TransferStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PendingClaim, Self::ClaimInReview, Self::Completed, Self::Cancelled, Self::Expired];

    /// The status in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingClaim => "pending_claim",
            Self::ClaimInReview => "claim_in_review",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing more can become of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Expired)
    }
}
