//! The read models: what one run of events changes in each, and how that is written.
//!
//! [`Changes`] folds a run of events in memory, per account, item and hold only what is new in the
//! end, so that a hot account costs one row per run and not one per leg. Each model then writes
//! with one or two set-based statements. Nothing is kept between runs: a projector in another
//! process, or a rebuild that swaps the tables, needs to tell nobody.

mod accounts;
mod activity;
mod deposits;
mod event;
mod flows;
mod holds;
mod open_items;
mod payment_requests;
mod payments;
mod refunds;
mod sales;
mod settlements;
mod streams;
mod transactions;
mod transfers;
mod withdrawals;

use ledger_core::{
    account::{AccountEvent, Leg},
    bank_line::BankLineEvent,
    book::BookEvent,
    chart::Direction,
    hold::HoldEvent,
    log::{self, CodecError, EVENT_VERSION, Position},
    reversal::ReversalEvent,
};
use rust_decimal::Decimal;
use sqlx::PgConnection;

pub use activity::ActivityStatus;
pub(crate) use activity::{is_plain, is_wallet, object_of};
pub(crate) use event::{EventRow, read_events};

use crate::error::{Poison, PoisonReason, ProjectionError};

/// Events that are folded without a pause: about a millisecond's work.
const FOLDED_AT_ONCE: Position = 500;

/// One of the read models, each of which can be rebuilt alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadModel {
    /// Accounts with their balances.
    Accounts,
    /// What the owners of wallets see.
    Activity,
    /// Deposits.
    Deposits,
    /// Money in and out per account and day.
    Flows,
    /// Holds and their state.
    Holds,
    /// What is open on itemised accounts.
    OpenItems,
    /// What shops ask to be paid.
    PaymentRequests,
    /// What shops were paid.
    Payments,
    /// What shops give back.
    Refunds,
    /// What shops sold, by the quarter of an hour, and what settles on which day.
    Sales,
    /// What shops can spend of what they were paid.
    Settlements,
    /// Transactions.
    Transactions,
    /// Transfers that wait to be claimed, or have waited.
    Transfers,
    /// Withdrawals and their attempts.
    Withdrawals,
}

impl ReadModel {
    /// All of them, by name.
    pub const ALL: [Self; 14] = [
        Self::Accounts,
        Self::Activity,
        Self::Deposits,
        Self::Flows,
        Self::Holds,
        Self::OpenItems,
        Self::PaymentRequests,
        Self::Payments,
        Self::Refunds,
        Self::Sales,
        Self::Settlements,
        Self::Transactions,
        Self::Transfers,
        Self::Withdrawals,
    ];

    /// The tables.
    pub(crate) const fn tables(self) -> &'static [&'static str] {
        match self {
            Self::Accounts => &["accounts"],
            Self::Activity => &["activity"],
            Self::Deposits => &["deposits"],
            Self::Flows => &["flows"],
            Self::Holds => &["holds"],
            Self::OpenItems => &["open_items"],
            Self::PaymentRequests => &["payment_requests"],
            Self::Payments => &["payments"],
            Self::Refunds => &["refunds"],
            Self::Sales => &["sales", "settling_days"],
            Self::Settlements => &["settlements"],
            Self::Transactions => &["transactions", "transaction_days"],
            Self::Transfers => &["transfers"],
            Self::Withdrawals => &["withdrawals", "withdrawal_attempts"],
        }
    }

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Activity => "activity",
            Self::Deposits => "deposits",
            Self::Flows => "flows",
            Self::Holds => "holds",
            Self::OpenItems => "open_items",
            Self::PaymentRequests => "payment_requests",
            Self::Payments => "payments",
            Self::Refunds => "refunds",
            Self::Sales => "sales",
            Self::Settlements => "settlements",
            Self::Transactions => "transactions",
            Self::Transfers => "transfers",
            Self::Withdrawals => "withdrawals",
        }
    }
}

impl std::str::FromStr for ReadModel {
    type Err = UnknownReadModel;

    fn from_str(text: &str) -> Result<Self, UnknownReadModel> {
        Self::ALL.into_iter().find(|model| model.name() == text).ok_or(UnknownReadModel)
    }
}

/// A name that no read model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such read model: one of accounts, activity, deposits, flows, holds, open_items, \
     payment_requests, payments, refunds, sales, settlements, transactions, transfers, \
     withdrawals"
)]
pub struct UnknownReadModel;

/// Which set of tables is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// The tables that are read.
    Live,
    /// The tables that a rebuild fills.
    Shadow,
    /// The tables that are made to be compared with the live ones.
    Replay,
}

impl Schema {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Live => "read",
            Self::Shadow => "read_next",
            Self::Replay => "read_replay",
        }
    }
}

/// A leg with the place where it stands.
#[derive(Clone, Copy)]
struct PlacedLeg<'e, 'l> {
    event: EventRow<'e>,
    side: Direction,
    leg: &'l Leg,
}

impl PlacedLeg<'_, '_> {
    /// The amount on its side: (debit, credit).
    fn sides(&self) -> (Decimal, Decimal) {
        match self.side {
            Direction::Debit => (self.leg.amount, Decimal::ZERO),
            Direction::Credit => (Decimal::ZERO, self.leg.amount),
        }
    }
}

/// What a run of events changes.
pub(crate) struct Changes<'e> {
    accounts: accounts::Changes<'e>,
    activity: activity::Changes<'e>,
    flows: flows::Changes<'e>,
    holds: holds::Changes<'e>,
    open_items: open_items::Changes<'e>,
    transactions: transactions::Changes<'e>,
    touches: streams::Touches,
    after: Position,
    upto: Position,
}

impl<'e> Changes<'e> {
    /// Folds the events of positions `after + 1 ..= upto`, which must be whole batches. Lets others
    /// have the thread every now and then: requests are answered on it as well.
    pub(crate) async fn fold(
        events: impl Iterator<Item = sqlx::Result<EventRow<'e>>>,
        after: Position,
        upto: Position,
    ) -> Result<Self, ProjectionError> {
        let mut changes = Self {
            accounts: accounts::Changes::default(),
            activity: activity::Changes::default(),
            flows: flows::Changes::default(),
            holds: holds::Changes::default(),
            open_items: open_items::Changes::default(),
            transactions: transactions::Changes::default(),
            touches: streams::Touches::default(),
            after,
            upto,
        };
        let mut expected = after;
        for event in events {
            let event = event?;
            expected += 1;
            let poison = |reason| Poison { position: expected, reason };
            if event.position != expected {
                return Err(poison(PoisonReason::Gap).into());
            }
            changes.apply(event).map_err(poison)?;
            if expected.is_multiple_of(FOLDED_AT_ONCE) {
                tokio::task::yield_now().await;
            }
        }
        let end = |reason| Poison { position: expected, reason };
        if expected != upto {
            return Err(ProjectionError::Poison(Poison {
                position: expected + 1,
                reason: PoisonReason::Gap,
            }));
        }
        changes.transactions.finish().map_err(end)?;
        Ok(changes)
    }

    fn apply(&mut self, event: EventRow<'e>) -> Result<(), PoisonReason> {
        match (event.aggregate_type, event.event_type) {
            ("account", "debited") => return self.leg(event, Direction::Debit),
            ("account", "credited") => return self.leg(event, Direction::Credit),
            _ => self.transactions.expect_none_open()?,
        }
        match event.aggregate_type {
            "account" => self.accounts.apply(event, decode::<AccountEvent>(&event)?),
            "hold" => self.holds.apply(event, decode::<HoldEvent>(&event)?),
            "reversal" => {
                let ReversalEvent::Reversed(reversed) = decode(&event)?;
                self.activity.reversed(event)?;
                self.transactions.reversed(event, reversed.by)
            }
            // What these move are their legs.
            "deposit" => self.touches.deposit(event),
            "payment" => self.touches.payment(event),
            "payment_request" => self.touches.payment_request(event),
            "transfer" => self.touches.transfer(event),
            "withdrawal" => self.touches.withdrawal(event),
            // What a line of a bank's statement moves are its legs.
            "bank_line" => decode::<BankLineEvent>(&event).map(drop),
            // The book is always in the engine's memory; nothing of it is read from here.
            "book" => decode::<BookEvent>(&event).map(drop),
            other => Err(PoisonReason::UnknownStream(other.to_owned())),
        }
    }

    fn leg(&mut self, event: EventRow<'e>, side: Direction) -> Result<(), PoisonReason> {
        let leg = decode_leg(event.event_type, event.event_version, event.payload)?;
        if leg.amount <= Decimal::ZERO {
            return Err(PoisonReason::Amount);
        }
        let placed = PlacedLeg { event, side, leg: &leg };
        self.accounts.leg(placed)?;
        self.activity.leg(placed)?;
        self.flows.leg(placed)?;
        self.open_items.leg(placed);
        self.transactions.leg(placed)
    }

    /// Writes the changes of `models` into the tables of `schema`, in the caller's database
    /// transaction.
    pub(crate) async fn write_in_tx(
        self,
        db: &mut PgConnection,
        schema: Schema,
        models: &[ReadModel],
    ) -> Result<(), ProjectionError> {
        let objects = self.touches.load(db, self.upto, models).await?;
        // First: where what was reversed lies is asked of them.
        if models.contains(&ReadModel::Transactions) {
            self.transactions.write_in_tx(db, schema).await?;
        }
        let asked = [ReadModel::Accounts, ReadModel::Activity];
        let undone = if models.iter().any(|model| asked.contains(model)) {
            activity::undone(&self.activity.reversed, db, schema).await?
        } else {
            Vec::new()
        };
        for model in models {
            match model {
                ReadModel::Accounts => self.accounts.write_in_tx(&undone, db, schema).await?,
                ReadModel::Activity => {
                    self.activity.write_in_tx(&objects, &undone, db, schema).await?;
                }
                ReadModel::Deposits => {
                    deposits::write_in_tx(&objects.deposits, db, schema).await?;
                }
                ReadModel::Flows => self.flows.write_in_tx(db, schema).await?,
                ReadModel::Holds => self.holds.write_in_tx(db, schema).await?,
                ReadModel::OpenItems => self.open_items.write_in_tx(db, schema).await?,
                ReadModel::PaymentRequests => {
                    payment_requests::write_in_tx(&objects.payment_requests, db, schema).await?;
                }
                ReadModel::Payments => {
                    payments::write_in_tx(&objects.payments, db, schema).await?;
                }
                ReadModel::Refunds => refunds::write_in_tx(&objects.payments, db, schema).await?,
                ReadModel::Sales => {
                    sales::write_in_tx(&objects.payments, self.after, db, schema).await?;
                }
                ReadModel::Settlements => {
                    settlements::write_in_tx(&objects.payments, self.after, db, schema).await?;
                }
                ReadModel::Transactions => {}
                ReadModel::Transfers => {
                    transfers::write_in_tx(&objects.transfers, db, schema).await?;
                }
                ReadModel::Withdrawals => {
                    withdrawals::write_in_tx(&objects.withdrawals, db, schema).await?;
                }
            }
        }
        Ok(())
    }
}

fn decode<E: serde::de::DeserializeOwned>(event: &EventRow<'_>) -> Result<E, PoisonReason> {
    let event = log::decode(event.event_type, event.event_version, event.payload)?;
    Ok(event)
}

/// As [`log::decode`] does it, without the detour over the tagged form: legs are nearly all there
/// is to decode.
pub(crate) fn decode_leg(
    event_type: &str,
    version: &str,
    payload: &[u8],
) -> Result<Leg, CodecError> {
    if version != EVENT_VERSION {
        return Err(CodecError::UnknownVersion {
            event_type: event_type.to_owned(),
            version: version.to_owned(),
        });
    }
    serde_json::from_slice(payload)
        .map_err(|source| CodecError::Malformed { event_type: event_type.to_owned(), source })
}

/// Adds to a sum, exactly: a sum that would lose a digit is refused.
fn add_to(sum: &mut Decimal, amount: Decimal) -> Result<(), PoisonReason> {
    let next = sum.checked_add(amount).ok_or(PoisonReason::Amount)?;
    let exact = next.scale() >= amount.scale() && next.scale() >= sum.scale();
    if !exact && !next.is_zero() {
        return Err(PoisonReason::Amount);
    }
    *sum = next;
    Ok(())
}

/// A position or sequence as PostgreSQL's signed integer.
fn bigint(value: u64) -> Result<i64, ProjectionError> {
    log::read::signed(value).map_err(ProjectionError::from)
}
