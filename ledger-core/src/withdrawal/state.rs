//! Where a withdrawal is in its life, where its money is, and what is known of each attempt.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{BankCode, Rail, Reference};

/// Where a withdrawal is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawalStatus {
    /// A person has to look at it.
    PendingReview,
    /// It waits for its bank.
    Queued,
    /// It is sent, or about to be.
    Processing,
    /// Whether the bank paid is not known. Only questions help, never another attempt.
    OutcomeUnknown,
    /// Questions did not help; people have to.
    NeedsAttention,
    /// The bank paid. It can still come back.
    Completed,
    /// The bank paid, and the money came back.
    Returned,
    /// The bank refused it for good.
    Failed,
    /// A person refused it.
    Rejected,
    /// It was given up before it was sent.
    Cancelled,
}

impl WithdrawalStatus {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::PendingReview,
        Self::Queued,
        Self::Processing,
        Self::OutcomeUnknown,
        Self::NeedsAttention,
        Self::Completed,
        Self::Returned,
        Self::Failed,
        Self::Rejected,
        Self::Cancelled,
    ];

    /// The status in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PendingReview => "pending_review",
            Self::Queued => "queued",
            Self::Processing => "processing",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::NeedsAttention => "needs_attention",
            Self::Completed => "completed",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it can still be given up.
    pub const fn is_cancellable(self) -> bool {
        matches!(self, Self::PendingReview | Self::Queued)
    }

    /// Whether nothing more is to come unless a bank contradicts itself or sends the money back.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Returned | Self::Failed | Self::Rejected | Self::Cancelled
        )
    }
}

/// Where the amount of a withdrawal is: in exactly one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Funds {
    /// On the wallet: it was never requested.
    #[default]
    Untouched,
    /// `withdrawals:reserved`.
    Reserved,
    /// `withdrawals:in_flight`.
    InFlight,
    /// Paid: `bank:…:clearing_out`, until the statement shows it.
    Out,
    /// On the wallet again, or in `returns:unapplied` if the wallet cannot take it.
    GivenBack,
}

/// What became of the fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeState {
    /// `fees:held`.
    #[default]
    Held,
    /// Income and tax.
    Earned,
    /// Earned, and due back together with what came back.
    DueBack,
    /// Given back, tax included.
    GivenBack,
}

/// Who says what became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The bank's answer to the sending itself.
    Submit,
    /// A message of the bank.
    Webhook,
    /// The bank's answer to a question.
    Enquiry,
    /// The bank's statement.
    Statement,
    /// A person, with evidence.
    Person,
}

/// One sending, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// What the bank knows it by.
    pub reference: Reference,
    /// The bank.
    pub bank: BankCode,
    /// The way.
    pub rail: Rail,
    /// What is known of it.
    pub state: AttemptState,
    /// What came back of it, by the bank's reference of the credit.
    #[serde(default)]
    pub returns: BTreeMap<Reference, Decimal>,
    /// Those of the returns that a line of the statement was the first to tell of.
    #[serde(default)]
    pub stated: BTreeSet<Reference>,
    /// What of it was proved paid in parts, by the bank's number of each.
    #[serde(default)]
    pub parts: BTreeMap<Reference, Decimal>,
}

impl Attempt {
    /// What came back of it.
    pub fn returned(&self) -> Decimal {
        self.returns.values().copied().fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// Whether a line of the statement has brought `amount` back, under whatever reference.
    pub fn is_stated_back(&self, amount: Decimal) -> bool {
        let mut stated = self.stated.iter().filter_map(|line| self.returns.get(line));
        stated.any(|known| *known == amount)
    }

    /// What of it was proved paid in parts: nothing where it was paid at once.
    pub fn in_parts(&self) -> Decimal {
        self.parts.values().copied().fold(Decimal::ZERO, Decimal::saturating_add)
    }

    /// What was paid of `amount` that was sent, as far as it is proved.
    pub fn paid(&self, amount: Decimal) -> Decimal {
        match self.state {
            AttemptState::Paid { .. } => amount,
            AttemptState::Open | AttemptState::Refused { .. } => self.in_parts(),
        }
    }
}

/// What is known of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Sent, or about to be; what became of it is not known.
    Open,
    /// Refused: nothing was paid.
    Refused {
        /// Whether it may be tried again.
        retryable: bool,
    },
    /// Paid.
    Paid {
        /// The bank's own reference.
        bank_reference: Reference,
    },
}
