//! Where a payment, its refunds and its dispute are in their lives.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{Reference, RefundId};

/// Where a payment is in its life, the dispute aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// The shop was paid.
    Completed,
    /// A part of it was given back.
    PartiallyRefunded,
    /// All of it was given back.
    Refunded,
}

impl PaymentStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Completed, Self::PartiallyRefunded, Self::Refunded];

    /// The status in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
        }
    }
}

/// Where a refund is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The shop is short, or the payer's wallet takes nothing for now.
    Pending,
    /// The payer has it.
    Completed,
    /// The payer cannot have it.
    Failed,
    /// The shop gave it up.
    Cancelled,
}

impl RefundStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Completed, Self::Failed, Self::Cancelled];

    /// The status in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it counts against what is left of the payment.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Completed)
    }
}

/// A refund of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub refund_id: RefundId,
    /// How much.
    pub amount: Decimal,
    /// Where it is.
    pub status: RefundStatus,
    /// Why it was asked for, or why it failed.
    pub reason: Option<Reference>,
}

/// Who wins a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisputeWinner {
    /// The payer keeps the money.
    Payer,
    /// The shop gets it back.
    Merchant,
}

impl DisputeWinner {
    /// The winner in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payer => "payer",
            Self::Merchant => "merchant",
        }
    }
}

/// The dispute of a payment: there is one at most.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dispute {
    /// How much of the payment.
    pub amount: Decimal,
    /// Who has won it, once it is decided.
    pub won_by: Option<DisputeWinner>,
}

impl Dispute {
    /// Whether nobody has decided it yet.
    pub const fn is_open(&self) -> bool {
        self.won_by.is_none()
    }

    /// What of the payment is the payer's by it, or may become so.
    pub fn counts(&self) -> Decimal {
        if self.won_by == Some(DisputeWinner::Merchant) { Decimal::ZERO } else { self.amount }
    }
}
