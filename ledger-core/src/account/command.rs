//! What can be asked of one account. The engine makes these out of a whole command
//! (`crate::planning`); each is decided by the account alone.

use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::event::Freeze;
use crate::{
    chart::{Authority, Direction},
    clock::Timestamp,
    command::OpenAccount,
    ids::{HoldId, Item, Reference, TierName, TransactionId},
    posting::Kind,
    tier::Tiers,
};

/// One thing that can be asked of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// Open it.
    Open(OpenAccount),
    /// Post one leg of a transaction.
    Post(PostLeg),
    /// Reserve an amount.
    PlaceHold {
        /// The hold.
        hold_id: HoldId,
        /// How much.
        amount: Decimal,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// What the command may move.
        authority: Authority,
    },
    /// Reserve more under a hold.
    IncreaseHold {
        /// The hold.
        hold_id: HoldId,
        /// How much more.
        amount: Decimal,
        /// What the command may move.
        authority: Authority,
    },
    /// Free what a hold reserved.
    EndHold {
        /// The hold.
        hold_id: HoldId,
        /// All that it reserves.
        amount: Decimal,
        /// Why.
        end: HoldEnd,
    },
    /// Change floor and ceiling.
    ChangeLimits {
        /// The floor from here on.
        floor: Option<Decimal>,
        /// The ceiling from here on.
        ceiling: Option<Decimal>,
    },
    /// Put it on a tier, or take it off.
    SetTier {
        /// The tier as it is in force; nothing = on none.
        tier: Option<(TierName, u32)>,
    },
    /// Put a freeze or lien on it.
    Freeze(Freeze),
    /// Lift one.
    Unfreeze {
        /// The reference it was put under.
        reference: Reference,
    },
    /// Close it.
    Close,
}

/// How a hold ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldEnd {
    /// It is posted; the leg follows.
    Captured,
    /// Nothing is posted.
    Released,
    /// Its time has come.
    Expired,
}

/// One leg to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostLeg {
    /// The transaction.
    pub transaction_id: TransactionId,
    /// Which leg, from 1.
    pub leg: u16,
    /// How many there are.
    pub legs: u16,
    /// The transaction's kind.
    pub kind: Kind,
    /// The side.
    pub direction: Direction,
    /// How much; above zero, at the currency's scale.
    pub amount: Decimal,
    /// The business date.
    pub effective_on: NaiveDate,
    /// The bank's date.
    pub value_date: Option<NaiveDate>,
    /// The item.
    pub item: Option<Item>,
    /// The object that caused the transaction.
    pub cause: Option<Reference>,
    /// The version of the fee that the transaction is charged by; its first leg names it.
    pub fee_version: Option<u32>,
    /// What the command may move.
    pub authority: Authority,
    /// The account's sequence must be this one.
    pub expected_sequence: Option<u64>,
    /// The posted balance after this leg must be at least this.
    pub minimum_balance: Option<Decimal>,
    /// The book's day.
    pub today: NaiveDate,
    /// The book's tiers, as they are in force.
    pub tiers: Arc<Tiers>,
}
