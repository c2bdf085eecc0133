//! Why a bank's line refuses.

use rust_decimal::Decimal;

use super::PARTS_MAX;
use crate::ids::Item;

/// Why a bank's line refuses, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BankLineError {
    /// It was never booked.
    #[error("the bank's line is not booked")]
    NotFound,
    /// The stream belongs to a line of another key.
    #[error("the line is another one")]
    IdentityDiffers,
    /// It was booked with another amount: the bank contradicts itself.
    #[error("the line was booked with {amount}")]
    AmountDiffers {
        /// What was booked.
        amount: Decimal,
    },
    /// Another object booked its money already.
    #[error("the line is of {item}")]
    OfAnotherItem {
        /// Whose it is.
        item: Item,
    },
    /// Nothing of it lies in suspense.
    #[error("nothing of the line lies in suspense")]
    NothingUnexplained,
    /// What it is said to be makes no sense.
    #[error("{0}")]
    Parts(PartsError),
    /// Less of it lies in suspense.
    #[error("{left} of the line lies in suspense")]
    ExceedsUnexplained {
        /// How much.
        left: Decimal,
    },
}

/// What is wrong with what a line is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PartsError {
    /// None, or too many.
    #[error("a line has 1 to {PARTS_MAX} parts")]
    Count,
    /// A purpose that needs an object lacks it, or one has it that has none.
    #[error("payments, arrivals, treasury and reversals name an item, the others none")]
    Item,
    /// A wallet is missing, or one too many.
    #[error("a wallet is named by parts for a wallet, and by no others")]
    Wallet,
    /// It does not go with this line.
    #[error("a part's purpose does not go with the line")]
    Purpose,
    /// Zero, less, at another scale, or too much.
    #[error("the parts' amounts are above zero and at the currency's scale")]
    Amount,
    /// They are not the line's amount.
    #[error("the parts do not come to the line's amount")]
    Sum,
    /// A line never goes to a wallet by itself.
    #[error("only what lies in suspense is put on a wallet")]
    WalletAtOnce,
}

impl From<PartsError> for BankLineError {
    fn from(error: PartsError) -> Self {
        Self::Parts(error)
    }
}

impl BankLineError {
    /// The stable code of this refusal on the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "bank_line_not_found",
            Self::IdentityDiffers => "bank_line_differs",
            Self::AmountDiffers { .. } => "bank_line_amount_differs",
            Self::OfAnotherItem { .. } => "bank_line_of_another_item",
            Self::NothingUnexplained => "nothing_unexplained",
            Self::Parts(_) => "bank_line_parts_invalid",
            Self::ExceedsUnexplained { .. } => "exceeds_unexplained",
        }
    }
}
