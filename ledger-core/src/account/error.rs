//! Why an account refuses, in order of precedence.

use rust_decimal::Decimal;

use crate::{chart::PostingClass, ids::Reference, tier::LimitExceeded};

/// A refusal of an account. The order of the variants is the order in which they are looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// It was never opened.
    #[error("the account does not exist")]
    NotFound,
    /// It was opened before.
    #[error("the account exists already")]
    Exists,
    /// It was closed.
    #[error("the account is closed")]
    Closed,
    /// The command may not move accounts of this class.
    #[error("accounts of class {} are not moved by this kind of request", .class.as_str())]
    NotPermitted {
        /// The account's class.
        class: PostingClass,
    },
    /// A leg on an itemised account names no item.
    #[error("a leg on this account must name the item that it belongs to")]
    ItemRequired,
    /// A leg on another account names one.
    #[error("legs on this account carry no item")]
    ItemNotAllowed,
    /// A freeze stops this side.
    #[error("the account is frozen under reference {reference}")]
    Frozen {
        /// The order behind the freeze.
        reference: Reference,
    },
    /// There is a freeze or lien under this reference already.
    #[error("there is a freeze under reference {reference} already")]
    FreezeExists {
        /// The reference.
        reference: Reference,
    },
    /// There is no freeze or lien under this reference.
    #[error("there is no freeze under reference {reference}")]
    FreezeNotFound {
        /// The reference.
        reference: Reference,
    },
    /// An account has a bounded number of freezes.
    #[error("the account has {} freezes already", super::FREEZES_MAX)]
    TooManyFreezes,
    /// The floor would be above the ceiling.
    #[error("the floor is above the ceiling")]
    FloorAboveCeiling,
    /// Only accounts of class open are on a tier: a limit must not refuse what a bank did.
    #[error("only an account of class open can be on a tier")]
    TierNotAllowed,
    /// The account's sequence is another than the command expects.
    #[error("the account is at sequence {actual}, not at {expected}")]
    UnexpectedSequence {
        /// What the command expects.
        expected: u64,
        /// What it is.
        actual: u64,
    },
    /// The result would have more digits than an amount can have.
    #[error("the account's balance would be too large")]
    Overflow,
    /// The account cannot give that much.
    #[error("the account has {available} available")]
    InsufficientFunds {
        /// What it could give.
        available: Decimal,
    },
    /// The account would hold more than it may.
    #[error("the account may hold {ceiling} at most")]
    CeilingExceeded {
        /// The most it may hold.
        ceiling: Decimal,
    },
    /// A limit of the account's tier.
    #[error("the tier's limit of {} a {} ({}) leaves {}", .0.maximum, .0.limit.as_str(),
        .0.flow.as_str(), .0.left)]
    LimitExceeded(Box<LimitExceeded>),
    /// The balance after the transaction is below what the command asks for.
    #[error("the balance would be {balance}, below the minimum of {minimum}")]
    BelowMinimum {
        /// What it would be.
        balance: Decimal,
        /// What the command asks for.
        minimum: Decimal,
    },
    /// Only an account without money can be closed.
    #[error("the account's balance is not zero")]
    BalanceNotZero,
    /// Only an account without holds can be closed.
    #[error("the account has open holds")]
    HoldsOpen,
    /// Only an account without freezes can be closed: an order stands behind each.
    #[error("the account is under a freeze or lien")]
    FreezesOpen,
}

impl AccountError {
    /// The stable code of this refusal on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "account_not_found",
            Self::Exists => "account_exists",
            Self::Closed => "account_closed",
            Self::NotPermitted { .. } => "posting_not_permitted",
            Self::ItemRequired => "item_required",
            Self::ItemNotAllowed => "item_not_allowed",
            Self::Frozen { .. } => "account_frozen",
            Self::FreezeExists { .. } => "freeze_exists",
            Self::FreezeNotFound { .. } => "freeze_not_found",
            Self::TooManyFreezes => "too_many_freezes",
            Self::FloorAboveCeiling => "floor_above_ceiling",
            Self::TierNotAllowed => "tier_not_allowed",
            Self::UnexpectedSequence { .. } => "unexpected_sequence",
            Self::Overflow => "amount_overflow",
            Self::InsufficientFunds { .. } => "insufficient_funds",
            Self::CeilingExceeded { .. } => "balance_limit_exceeded",
            Self::LimitExceeded(_) => "limit_exceeded",
            Self::BelowMinimum { .. } => "minimum_balance_not_met",
            Self::BalanceNotZero => "balance_not_zero",
            Self::HoldsOpen => "holds_open",
            Self::FreezesOpen => "freezes_open",
        }
    }

    /// What the account could have given, where that is the reason.
    pub const fn available(&self) -> Option<Decimal> {
        if let Self::InsufficientFunds { available } = self { Some(*available) } else { None }
    }

    /// The limit that stands in the way, where that is the reason.
    pub fn limit(self) -> Option<Box<LimitExceeded>> {
        if let Self::LimitExceeded(limit) = self { Some(limit) } else { None }
    }
}
