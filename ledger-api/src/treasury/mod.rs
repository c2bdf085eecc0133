//! Moves of our own money that a day's close asks for: a top-up of escrow where customers' money is
//! not backed, a sweep where more is there than is owed.
//!
//! They are proposed by themselves, from a day's certificate, and decided by people. The bank is
//! then told to make the transfer, once, with the move's reference; where no bank can be called,
//! people make it. The lines of the statements with that reference are what moves our accounts, and
//! need nobody's word any more: the move has it. What a bank answers to an order moves nothing, so
//! an answer that is wrong costs nothing.

mod orders;
mod store;

pub(crate) use orders::{Open, Order, OrderStatus, Orders, Wanted};
pub(crate) use store::{Decision, Moves};

use std::{fmt, str::FromStr};

use chrono::NaiveDate;
use ledger_core::clock::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

const PREFIX: &str = "tm_";

/// Which move: `tm_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MoveId(pub(crate) Uuid);

/// A text that names no move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id of a move is tm_ and 32 hexadecimal digits")]
pub(crate) struct MoveIdError;

impl MoveId {
    /// What people put on the transfer at the bank: short, in capitals and digits, because banks
    /// cut words off and write them large. The random half of the id.
    pub(crate) fn reference(self) -> String {
        let digits = self.0.simple().to_string().to_uppercase();
        let (_, random) = digits.split_at(16);
        format!("TM{random}")
    }
}

impl fmt::Display for MoveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.simple())
    }
}

impl FromStr for MoveId {
    type Err = MoveIdError;

    fn from_str(text: &str) -> Result<Self, MoveIdError> {
        let digits = text.strip_prefix(PREFIX).ok_or(MoveIdError)?;
        let id = Self(Uuid::try_parse(digits).map_err(|_| MoveIdError)?);
        if id.to_string() == text { Ok(id) } else { Err(MoveIdError) }
    }
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TreasuryDirection)]
pub(crate) enum Way {
    /// From our own account to escrow.
    TopUp,
    /// From escrow to our own account.
    Sweep,
}

impl Way {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TopUp => "top_up",
            Self::Sweep => "sweep",
        }
    }

    fn parse(text: &str) -> Self {
        if text == "top_up" { Self::TopUp } else { Self::Sweep }
    }

    /// From which of our accounts to which, by their names in the bank's contract.
    pub(crate) const fn accounts(self) -> (&'static str, &'static str) {
        match self {
            Self::TopUp => ("own", "escrow"),
            Self::Sweep => ("escrow", "own"),
        }
    }
}

/// Where a move is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TreasuryMoveStatus)]
pub(crate) enum MoveStatus {
    /// It waits for people.
    Proposed,
    /// It is to be made at the bank, and the statements do not have both lines yet.
    Approved,
    /// Both lines are there.
    Moved,
    /// The bank refused it. A later day's close asks again.
    Refused,
    /// People said no.
    Rejected,
    /// A later day asks for something else.
    Superseded,
}

/// A move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) id: MoveId,
    pub(crate) reference: String,
    pub(crate) day: NaiveDate,
    pub(crate) currency: String,
    pub(crate) way: Way,
    pub(crate) bank: String,
    pub(crate) amount: Decimal,
    /// What was there beyond what was owed, at the close that asked for it; below zero if short.
    pub(crate) headroom: Decimal,
    pub(crate) status: MoveStatus,
    pub(crate) proposed_at: Timestamp,
    pub(crate) decided_at: Option<Timestamp>,
    pub(crate) decided_by: Option<String>,
    pub(crate) approved_by: Option<String>,
    /// How many of its two lines were stated.
    pub(crate) lines: u32,
    /// What its bank was told.
    pub(crate) order: Option<Order>,
}

/// What a close asks for, given what is kept beyond what is owed: nothing while escrow is neither
/// short nor over twice that.
pub(crate) fn asked_for(headroom: Decimal, buffer: Decimal) -> Option<(Way, Decimal)> {
    if headroom < Decimal::ZERO {
        return Some((Way::TopUp, buffer.saturating_sub(headroom)));
    }
    let over = headroom.saturating_sub(buffer);
    (over > buffer).then_some((Way::Sweep, over))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_asks_for_what_brings_escrow_back_to_its_buffer() {
        let asked = |headroom: i64, buffer: i64| {
            let asked = asked_for(Decimal::from(headroom), Decimal::from(buffer));
            asked.map(|(way, amount)| format!("{} {amount}", way.as_str()))
        };
        assert_eq!(asked(-60, 100).as_deref(), Some("top_up 160"));
        assert_eq!(asked(-60, 0).as_deref(), Some("top_up 60"));
        assert_eq!(asked(0, 100), None);
        assert_eq!(asked(200, 100), None, "a little over is not worth a transfer");
        assert_eq!(asked(201, 100).as_deref(), Some("sweep 101"));
        assert_eq!(asked(0, 0), None);
        assert_eq!(asked(1, 0).as_deref(), Some("sweep 1"));
    }

    #[test]
    fn a_reference_is_short_and_survives_a_banks_capitals() {
        let id: MoveId = "tm_01935c3a5e7c7d3e8f00a1b2c3d4e5f6".parse().unwrap();
        assert_eq!(id.reference(), "TM8F00A1B2C3D4E5F6");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in
            ["tm_", "01935c3a5e7c7d3e8f00a1b2c3d4e5f6", "tm_01935C3A5E7C7D3E8F00A1B2C3D4E5F6"]
        {
            assert_eq!(bad.parse::<MoveId>(), Err(MoveIdError), "{bad}");
        }
    }
}
