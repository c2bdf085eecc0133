//! What can happen to an account: the facts of its stream, which is also its statement.
//!
//! These shapes are contracts. A stored payload is the inner struct as JSON, its `event_type` is
//! the variant's name in snake_case. A change of shape is a new `event_version` and an upcaster;
//! golden files of every version stand in `tests/fixtures/events`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use cqrs_es::DomainEvent;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{
    chart::{AccountType, Direction, PostingClass},
    clock::Timestamp,
    ids::{AccountId, HoldId, Item, Owner, Reference, TierName, TransactionId},
    log::event_names,
    posting::Kind,
};

/// One fact of an account's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AccountEvent {
    /// The account exists from here on.
    Opened(Opened),
    /// A leg on the debit side.
    Debited(Leg),
    /// A leg on the credit side.
    Credited(Leg),
    /// An amount was reserved.
    HoldPlaced(HoldChange),
    /// A hold grew.
    HoldIncreased(HoldChange),
    /// A hold ended because (a part of) it was posted; the leg follows.
    HoldCaptured(HoldChange),
    /// A hold ended and nothing was posted.
    HoldReleased(HoldChange),
    /// A hold ended because its time had come.
    HoldExpired(HoldChange),
    /// Floor or ceiling changed.
    LimitsChanged(LimitsChanged),
    /// The account was put on a tier, or taken off.
    TierSet(TierSet),
    /// A freeze or lien was put on the account.
    Frozen(Freeze),
    /// The freeze or lien of a reference was lifted.
    Unfrozen(Unfrozen),
    /// The account is closed for good.
    Closed {},
}

impl AccountEvent {
    /// The leg that it is, with its side; nothing if it is something else.
    pub const fn leg(&self) -> Option<(Direction, &Leg)> {
        match self {
            Self::Debited(leg) => Some((Direction::Debit, leg)),
            Self::Credited(leg) => Some((Direction::Credit, leg)),
            Self::Opened(_)
            | Self::HoldPlaced(_)
            | Self::HoldIncreased(_)
            | Self::HoldCaptured(_)
            | Self::HoldReleased(_)
            | Self::HoldExpired(_)
            | Self::LimitsChanged(_)
            | Self::TierSet(_)
            | Self::Frozen(_)
            | Self::Unfrozen(_)
            | Self::Closed {} => None,
        }
    }
}

/// The account's fixed properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// Code and currency; the stream's id as well.
    pub account: AccountId,
    /// Decimals of the currency, 0 to 18.
    pub scale: u8,
    /// Whose account it is.
    pub owner: Owner,
    /// Which of the five types.
    #[serde(rename = "type")]
    pub account_type: AccountType,
    /// Who may move it.
    pub class: PostingClass,
    /// Whether every leg names an item.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub itemised: bool,
    /// The lowest balance, on the normal side, that a decrease may leave; nothing = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Decimal>,
    /// The highest balance that an increase may leave; nothing = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<Decimal>,
    /// Opaque key and value pairs of the client. No personal data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// One leg of a transaction, as it stands in its account's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The transaction that the leg is a part of.
    pub transaction_id: TransactionId,
    /// Which leg, from 1. The legs of a transaction lie side by side in the log.
    pub leg: u16,
    /// How many legs the transaction has.
    pub legs: u16,
    /// What kind of transaction it is.
    pub kind: Kind,
    /// How much, in the account's currency and at its scale; above zero.
    pub amount: Decimal,
    /// The account's posted balance after this leg, on its normal side.
    pub balance_after: Decimal,
    /// The sum of the account's holds after this leg; left out when zero.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub held_after: Decimal,
    /// The business date, a day of the book's time zone.
    pub effective_on: NaiveDate,
    /// The bank's date, if a bank stated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    /// The item the leg belongs to; itemised accounts only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// The object that caused the transaction (a hold, the transaction that it reverses). If
    /// nothing, the request that the metadata of the first leg names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Reference>,
    /// The book's day on which it counts against the limits of the account's tier; left out where
    /// the account is on none or the kind is exempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_on: Option<NaiveDate>,
    /// The version of the fee that a transfer at once was charged by; on its first leg only, and
    /// left out where the book has no version, for then it costs nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_version: Option<u32>,
}

/// A change to one hold of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldChange {
    /// The hold.
    pub hold_id: HoldId,
    /// By how much the sum of holds changed; above zero.
    pub amount: Decimal,
    /// The account's posted balance, on its normal side; a hold does not move it.
    pub balance_after: Decimal,
    /// The sum of the account's holds after this event.
    pub held_after: Decimal,
    /// When the hold ends by itself; on `hold_placed` only, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The limits from here on; nothing = no limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsChanged {
    /// The lowest balance that a decrease may leave.
    pub floor: Option<Decimal>,
    /// The highest balance that an increase may leave.
    pub ceiling: Option<Decimal>,
}

/// The tier from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierSet {
    /// Its name; nothing = on none, and what was counted is forgotten.
    pub tier: Option<TierName>,
    /// The version that is in force at this moment; later ones hold from their own events on.
    pub version: Option<u32>,
}

/// What a freeze stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FreezeMode {
    /// No debit.
    Debit,
    /// No credit.
    Credit,
    /// Neither.
    Both,
    /// An amount stays on the account.
    Lien,
}

/// A freeze or a lien, named by the reference of the order behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// The order behind it; one freeze per reference.
    pub reference: Reference,
    /// What it stops.
    pub mode: FreezeMode,
    /// How much stays; liens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Decimal>,
}

/// The end of a freeze or lien.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfrozen {
    /// The reference it was put under.
    pub reference: Reference,
}

event_names!(AccountEvent {
    Opened(_) => "opened",
    Debited(_) => "debited",
    Credited(_) => "credited",
    HoldPlaced(_) => "hold_placed",
    HoldIncreased(_) => "hold_increased",
    HoldCaptured(_) => "hold_captured",
    HoldReleased(_) => "hold_released",
    HoldExpired(_) => "hold_expired",
    LimitsChanged(_) => "limits_changed",
    TierSet(_) => "tier_set",
    Frozen(_) => "frozen",
    Unfrozen(_) => "unfrozen",
    Closed {} => "closed",
});

impl DomainEvent for AccountEvent {
    fn event_type(&self) -> String {
        self.name().to_owned()
    }

    fn event_version(&self) -> String {
        crate::log::EVENT_VERSION.to_owned()
    }
}
