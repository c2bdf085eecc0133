//! Activity on the wire.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use ledger_core::{
    chart::Direction,
    ids::{AccountId, TransactionId},
};
use projections::{ActivityStatus, Towards};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    http::wire::Amount,
    people::PublicFace,
    routes::transactions::body::DirectionWord,
    wallet::{ActivityItem, Detail, Entry, Step},
};

/// A person as others see them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PersonFace)]
pub(super) struct FaceOut {
    /// Who it is.
    #[schema(example = "usr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    pub(super) id: String,
    /// What they are found by.
    #[schema(example = "asha")]
    pub(super) handle: String,
    /// What they are called.
    #[schema(example = "Asha Rao")]
    pub(super) name: String,
}

impl From<PublicFace> for FaceOut {
    fn from(face: PublicFace) -> Self {
        Self {
            id: face.id.to_string(),
            handle: face.handle.to_string(),
            name: face.name.expose().to_owned(),
        }
    }
}

/// One thing that happened on a wallet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Activity)]
pub(super) struct ActivityOut {
    /// The object: `dep_…`, `wd_…`, `tr_…`, `txn_…`.
    #[schema(example = "tr_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    id: String,
    /// Always `activity`.
    #[schema(example = "activity")]
    object: String,
    /// `deposit`, `withdrawal`, `transfer`, `payment`, `adjustment` or another kind.
    #[schema(example = "transfer")]
    kind: String,
    /// Whether money comes or goes.
    #[schema(value_type = TowardsWord)]
    direction: Towards,
    /// Where it is.
    #[schema(value_type = ActivityStatusWord)]
    status: ActivityStatus,
    /// The object's own word for where it is.
    #[schema(example = "completed")]
    object_status: String,
    /// Whether nothing more is expected.
    #[serde(rename = "final")]
    is_final: bool,
    /// How much, without the fee.
    amount: Amount,
    /// What it costs.
    fee: Amount,
    /// The person on the other side.
    counterparty: Option<FaceOut>,
    /// The account on the other side, if it is one.
    #[schema(value_type = Option<String>)]
    counterparty_account: Option<AccountId>,
    /// The bank's reference of the payment.
    utr: Option<String>,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When something last happened to it.
    changed_at: DateTime<Utc>,
    /// Where that stands in the log.
    position: u64,
}

impl From<ActivityItem> for ActivityOut {
    fn from(item: ActivityItem) -> Self {
        let row = item.row;
        Self {
            id: row.object,
            object: "activity".to_owned(),
            kind: row.kind,
            direction: row.direction,
            status: row.status,
            object_status: row.object_status,
            is_final: row.status.is_final(),
            amount: item.amount.into(),
            fee: item.fee.into(),
            counterparty: item.other.map(FaceOut::from),
            counterparty_account: row.counterparty,
            utr: row.utr,
            created_at: row.began_at,
            changed_at: row.changed_at,
            position: row.last_position,
        }
    }
}

/// A page of a wallet's activity.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityList)]
pub(super) struct ActivityListOut {
    /// The newest first.
    pub(super) data: Vec<ActivityOut>,
    /// How many there are of each status, whatever status was asked for: up to 1,000 of each, and
    /// no more than are found among the last 5,000.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(super) counts: BTreeMap<ActivityStatus, u64>,
    /// Whether `counts` has everything. If not, there may be more of each status.
    pub(super) counts_are_exact: bool,
    /// Whether there are older ones. A page can be short, even empty, and the list go on: a filter
    /// that matches rarely is not searched without bound.
    pub(super) has_more: bool,
    /// What to send as `cursor` for older ones.
    pub(super) next_cursor: Option<String>,
    /// What to send as `cursor` for newer ones.
    pub(super) previous_cursor: Option<String>,
}

impl ActivityListOut {
    /// Nothing at all.
    pub(super) const fn none() -> Self {
        Self {
            data: Vec::new(),
            counts: BTreeMap::new(),
            counts_are_exact: true,
            has_more: false,
            next_cursor: None,
            previous_cursor: None,
        }
    }
}

/// One thing that happened on a wallet, in full.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityDetail)]
pub(super) struct DetailOut {
    #[serde(flatten)]
    activity: ActivityOut,
    /// Amount and fee together.
    total: Amount,
    /// What happens next; null if it is final.
    #[schema(example = "It waits for the receiver to prove the phone number.")]
    next: Option<String>,
    /// The words that its sender put on it.
    note: Option<String>,
    /// What happened, the first first.
    timeline: Vec<StepOut>,
    /// The debits and credits behind it.
    entries: Vec<EntryOut>,
}

/// One step of it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityStep)]
struct StepOut {
    /// The event.
    #[schema(example = "completed")]
    event: String,
    /// The same in words.
    #[schema(example = "Paid")]
    words: String,
    /// When.
    at: DateTime<Utc>,
    /// The bank's reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

/// A transaction of the ledger, as far as it concerns the wallet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityEntry)]
struct EntryOut {
    /// The transaction.
    #[schema(value_type = String, example = "txn_01935c3a5e7c7d3e8f00a1b2c3d4e5f6")]
    transaction: TransactionId,
    /// Its kind.
    #[schema(example = "transfer")]
    kind: String,
    /// When.
    at: DateTime<Utc>,
    /// Its debits and credits.
    legs: Vec<LegOut>,
}

/// A debit or a credit, in plain words.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityLeg)]
struct LegOut {
    /// The account, in words.
    #[schema(example = "Your wallet")]
    account: String,
    /// Whether it is the wallet itself.
    own: bool,
    /// On which side.
    #[schema(value_type = DirectionWord)]
    direction: Direction,
    /// How much.
    amount: Amount,
    /// What is on the wallet after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance_after: Option<Amount>,
}

impl From<Detail> for DetailOut {
    fn from(detail: Detail) -> Self {
        let item = ActivityItem {
            row: detail.row,
            amount: detail.amount,
            fee: detail.fee,
            other: detail.other,
        };
        Self {
            activity: item.into(),
            total: detail.total.into(),
            next: detail.next.map(str::to_owned),
            note: detail.note,
            timeline: detail.timeline.into_iter().map(StepOut::from).collect(),
            entries: detail.entries.into_iter().map(EntryOut::from).collect(),
        }
    }
}

impl From<Step> for StepOut {
    fn from(step: Step) -> Self {
        Self {
            event: step.event.to_owned(),
            words: step.words,
            at: step.at,
            reference: step.reference,
        }
    }
}

impl From<Entry> for EntryOut {
    fn from(entry: Entry) -> Self {
        let legs = entry.legs.into_iter().map(|leg| LegOut {
            account: leg.account,
            own: leg.own,
            direction: leg.direction,
            amount: leg.amount.into(),
            balance_after: leg.balance_after.map(Amount::from),
        });
        Self {
            transaction: entry.transaction,
            kind: entry.kind,
            at: entry.at,
            legs: legs.collect(),
        }
    }
}

/// Whether money comes or goes.
#[derive(ToSchema)]
#[schema(as = Towards, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum TowardsWord {
    /// It comes.
    In,
    /// It goes.
    Out,
}

/// Where something is, in the words of the wallet's owner.
#[derive(ToSchema)]
#[schema(as = ActivityStatus, rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum ActivityStatusWord {
    /// Somebody has to pay or to claim it.
    Waiting,
    /// It waits for its bank.
    Queued,
    /// It is on its way.
    Processing,
    /// The bank has not confirmed it.
    Unknown,
    /// A person has to look at it.
    InReview,
    /// It is done.
    Done,
    /// It came back, or was taken back.
    Returned,
    /// It failed; what was set aside is back.
    Failed,
    /// A person refused it; what was set aside is back.
    Rejected,
    /// It was given up.
    Cancelled,
    /// Its time is over.
    Expired,
}
