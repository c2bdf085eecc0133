//! Where a deposit is in its life, and what is known of each credit.

use serde::{Deserialize, Serialize};

use super::credit::Credit;
use crate::ids::{AccountId, HoldId, Reference, WithdrawalId};

/// Where a deposit is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DepositStatus {
    /// Nobody has paid yet, as far as is known.
    AwaitingPayment,
    /// The bank told of money; it is being checked.
    Received,
    /// The money is on the wallet.
    Completed,
    /// The money is on the wallet, and on the bank's statement.
    Settled,
    /// Money arrived that a person has to look at.
    InReview,
    /// Money arrived that a person decided to send back; it waits in suspense.
    ToReturn,
    /// The bank asks for money back that is on the wallet or in suspense; a person decides.
    RecallRequested,
    /// All of it went back, because the bank asked for it.
    Recalled,
    /// All of it was in suspense, and was sent back to whom it came from.
    SentBack,
    /// All of it was the lump of other deposits, which it has settled.
    Divided,
    /// Nobody paid in time. Late money is taken.
    Expired,
    /// The bank declined. Late money is taken.
    Failed,
    /// It was given up. Late money is taken.
    Cancelled,
}

impl DepositStatus {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::AwaitingPayment,
        Self::Received,
        Self::Completed,
        Self::Settled,
        Self::InReview,
        Self::ToReturn,
        Self::RecallRequested,
        Self::Recalled,
        Self::SentBack,
        Self::Divided,
        Self::Expired,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The status in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting_payment",
            Self::Received => "received",
            Self::Completed => "completed",
            Self::Settled => "settled",
            Self::InReview => "in_review",
            Self::ToReturn => "to_return",
            Self::RecallRequested => "recall_requested",
            Self::Recalled => "recalled",
            Self::SentBack => "sent_back",
            Self::Divided => "divided",
            Self::Expired => "expired",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it can still be given up.
    pub const fn is_cancellable(self) -> bool {
        matches!(self, Self::AwaitingPayment)
    }

    /// Whether nothing more is expected; money can still come.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Settled
                | Self::Recalled
                | Self::SentBack
                | Self::Divided
                | Self::Expired
                | Self::Failed
                | Self::Cancelled
        )
    }
}

/// How an intent ended without money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentEnd {
    /// Nobody paid in time.
    Expired,
    /// The bank declined.
    Declined,
    /// It was given up.
    Cancelled,
}

/// Where the money of a credit is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditPlace {
    /// Nowhere: the bank told of it, and nothing has confirmed it yet.
    Told,
    /// On the wallet.
    Wallet,
    /// In suspense, until a person decides.
    Review {
        /// Why.
        reason: Reference,
    },
    /// In suspense, until it is sent back.
    ToReturn,
    /// Given back to the bank, which asked for it.
    Recalled,
    /// With the withdrawal that sends it back.
    SentBack {
        /// Which one.
        withdrawal_id: WithdrawalId,
    },
    /// With the other deposits whose lump it was.
    Divided,
}

/// A bank's wish to have a credit's money back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// The hold that keeps what was on the wallet.
    pub hold_id: Option<HoldId>,
    /// Whether the bank gets it; nothing until a person decides.
    pub granted: Option<bool>,
}

/// A credit, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownCredit {
    /// What the bank says of it.
    pub credit: Credit,
    /// Where its money is.
    pub place: CreditPlace,
    /// Whether the bank's statement shows it.
    pub settled: bool,
    /// The wallet that a person assigned it to.
    pub assigned_to: Option<AccountId>,
    /// Whether the bank asks for it back.
    pub recall: Option<Recall>,
}

impl KnownCredit {
    /// Whether it is money, and not only told of.
    pub fn is_booked(&self) -> bool {
        self.place != CreditPlace::Told
    }

    /// Whether the bank asks for it back and nobody has decided.
    pub fn is_recall_open(&self) -> bool {
        self.recall.as_ref().is_some_and(|recall| recall.granted.is_none())
    }

    /// Whether its money is in suspense.
    pub const fn is_aside(&self) -> bool {
        matches!(self.place, CreditPlace::Review { .. } | CreditPlace::ToReturn)
    }
}
