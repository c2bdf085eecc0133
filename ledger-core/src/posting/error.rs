//! Why a transaction is refused whatever its accounts say.

use crate::{ids::AccountId, money::Money};

/// What is wrong with a transaction as it was asked for, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// A transaction moves money from somewhere to somewhere.
    #[error("a transaction has at least two legs")]
    TooFewLegs,
    /// More legs than a transaction may have.
    #[error("a transaction has at most {} legs", super::LEGS_MAX)]
    TooManyLegs,
    /// An amount is zero or less.
    #[error("the amount of a leg must be above zero")]
    AmountNotPositive {
        /// Which leg, from 0.
        leg: usize,
    },
    /// An amount is in another currency than its account.
    #[error("the amount is in another currency than the account")]
    CurrencyMismatch {
        /// Which leg, from 0.
        leg: usize,
    },
    /// An account stands on both sides.
    #[error("account {account} stands on both sides of the transaction")]
    SameAccount {
        /// The account.
        account: AccountId,
    },
    /// A sum does not fit.
    #[error("the sum of the legs is too large")]
    Overflow,
    /// Debits and credits differ in a currency.
    #[error("debits of {debits} and credits of {credits} do not balance")]
    Unbalanced {
        /// Sum of the debits.
        debits: Money,
        /// Sum of the credits.
        credits: Money,
    },
    /// A condition names an account that has no leg.
    #[error("a condition names account {account}, which has no leg")]
    ConditionWithoutLeg {
        /// The account.
        account: AccountId,
    },
    /// Two conditions name one account: it would not be clear which of them counts.
    #[error("two conditions name account {account}")]
    ConditionRepeated {
        /// The account.
        account: AccountId,
    },
}

impl PostingError {
    /// The stable code of this error on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooFewLegs => "too_few_legs",
            Self::TooManyLegs => "too_many_legs",
            Self::AmountNotPositive { .. } => "amount_not_positive",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::SameAccount { .. } => "same_account",
            Self::Overflow => "amount_overflow",
            Self::Unbalanced { .. } => "unbalanced",
            Self::ConditionWithoutLeg { .. } => "condition_without_leg",
            Self::ConditionRepeated { .. } => "condition_repeated",
        }
    }
}
