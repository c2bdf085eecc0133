//! What kind of transaction it is: an open list of codes.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::IdError;

/// A kind of transaction: a snake_case code of 1 to 32 characters.
///
/// Open, because a new kind of business needs no new release of the ledger. The codes that the
/// ledger itself gives a meaning to are constants here.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(Arc<str>);

impl Kind {
    /// Money between wallets.
    pub const TRANSFER: &'static str = "transfer";
    /// Money in from a bank.
    pub const DEPOSIT: &'static str = "deposit";
    /// Money out to a bank.
    pub const WITHDRAWAL: &'static str = "withdrawal";
    /// What a withdrawal gives back to the wallet: it failed, was given up, or came back.
    pub const WITHDRAWAL_RETURNED: &'static str = "withdrawal_returned";
    /// What a withdrawal takes because the bank paid after it had said no.
    pub const WITHDRAWAL_LATE: &'static str = "withdrawal_late";
    /// A line of a bank's statement.
    pub const BANK_LINE: &'static str = "bank_line";
    /// What a line was that nobody could explain at first.
    pub const BANK_LINE_RESOLVED: &'static str = "bank_line_resolved";
    /// Money to a shop.
    pub const PAYMENT: &'static str = "payment";
    /// Money that a shop gives back.
    pub const REFUND: &'static str = "refund";
    /// What the owner of a wallet owed and repays. Made by the ledger only.
    pub const REPAYMENT: &'static str = "repayment";
    /// What nobody will repay. Made by the ledger only.
    pub const WRITE_OFF: &'static str = "write_off";
    /// What we pay a customer because a bank was late.
    pub const COMPENSATION: &'static str = "compensation";
    /// What a shop was paid and can dispose of from here on.
    pub const SETTLEMENT: &'static str = "settlement";
    /// Money that payer and shop both say is theirs.
    pub const DISPUTE: &'static str = "dispute";
    /// What we charge.
    pub const FEE: &'static str = "fee";
    /// The opposite of an earlier transaction. Made by the ledger only.
    pub const REVERSAL: &'static str = "reversal";
    /// A correction by hand: a reason, evidence and two people.
    pub const ADJUSTMENT: &'static str = "adjustment";

    /// A year's income and expense, moved to equity. Made by the ledger only.
    pub const YEAR_CLOSE: &'static str = "year_close";
    /// What an older system had. Made by an import only.
    pub const OPENING: &'static str = "opening";

    /// Whether tiers neither limit nor count it: money that comes or goes back, what a bank has
    /// done already, and corrections.
    pub fn is_exempt_from_limits(&self) -> bool {
        matches!(
            self.as_str(),
            Self::WITHDRAWAL_RETURNED
                | Self::WITHDRAWAL_LATE
                | Self::REFUND
                | Self::REPAYMENT
                | Self::COMPENSATION
                | Self::SETTLEMENT
                | Self::DISPUTE
                | Self::REVERSAL
                | Self::ADJUSTMENT
        )
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A kind that the ledger itself gives a meaning to: one of the constants.
    pub(crate) fn of(code: &'static str) -> Self {
        Self(Arc::from(code))
    }

    /// The kind of money between wallets.
    pub fn transfer() -> Self {
        Self(Arc::from(Self::TRANSFER))
    }

    /// The kind of transactions that undo others.
    pub fn reversal() -> Self {
        Self(Arc::from(Self::REVERSAL))
    }
}

impl FromStr for Kind {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let well_formed = (1..=32).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
            && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if well_formed {
            Ok(Self(Arc::from(text)))
        } else {
            Err(IdError { expected: "kind (a snake_case code of 1 to 32 characters)" })
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
