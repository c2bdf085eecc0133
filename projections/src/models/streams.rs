//! The streams of business objects that a run of events touches, each whole up to the run's end.
//!
//! Such a stream is short, and a row of a read model is the aggregate itself, folded from all of
//! it: the rules of what follows from what stand in one place, the aggregate. A stream that begins
//! in the run is all there; only the others are read again, once for all models that show them.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use ledger_core::{
    clock::Timestamp,
    deposit::{Deposit, DepositEvent},
    ids::{DepositId, PaymentId, PaymentRequestId, TransferId, WithdrawalId},
    log::{self, Position},
    payment::{Payment, PaymentEvent},
    payment_request::{PaymentRequest, PaymentRequestEvent},
    transfer::{Transfer, TransferEvent},
    withdrawal::{Withdrawal, WithdrawalEvent},
};
use serde::de::DeserializeOwned;
use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{EventRow, ReadModel, bigint, decode};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    reads::unsigned,
};

/// A business object with a stream of its own.
pub(super) trait Object {
    /// The kind of its streams.
    const TYPE: &'static str;
    type Id: Copy + Ord + Display + FromStr;
    type Event: Clone + DeserializeOwned;

    /// The object that these events made.
    fn of(events: impl Iterator<Item = Self::Event>) -> Self;
}

/// Names the parts of an object whose aggregate has an inherent `of`.
macro_rules! object {
    ($aggregate:ident, $event:ident, $id:ident, $type:literal) => {
        impl Object for $aggregate {
            const TYPE: &'static str = $type;
            type Id = $id;
            type Event = $event;

            fn of(events: impl Iterator<Item = $event>) -> Self {
                Self::of(events)
            }
        }
    };
}

object!(Deposit, DepositEvent, DepositId, "deposit");
object!(Payment, PaymentEvent, PaymentId, "payment");
object!(PaymentRequest, PaymentRequestEvent, PaymentRequestId, "payment_request");
object!(Transfer, TransferEvent, TransferId, "transfer");
object!(Withdrawal, WithdrawalEvent, WithdrawalId, "withdrawal");

/// When something happened: where in the log, and by the clock.
pub(super) type Place = (Position, Timestamp);

/// An event of an object, and when it happened.
pub(super) struct Fact<E> {
    pub(super) place: Place,
    pub(super) event: E,
}

type Facts<O> = Vec<Fact<<O as Object>::Event>>;

/// The objects of a kind that a run of events touches: with all that happened to them, if they
/// begin in the run.
pub(super) struct Touched<O: Object>(BTreeMap<O::Id, Option<Facts<O>>>);

impl<O: Object> Default for Touched<O> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<O: Object> Touched<O> {
    fn apply(&mut self, row: EventRow<'_>) -> Result<(), PoisonReason> {
        let event = decode(&row)?;
        let id = row.aggregate_id.parse().map_err(|_| PoisonReason::MalformedId)?;
        let begins = || (row.sequence == 1).then(Vec::new);
        if let Some(facts) = self.0.entry(id).or_insert_with(begins) {
            facts.push(Fact { place: (row.position, row.recorded_at), event });
        }
        Ok(())
    }

    /// The objects, each by its whole stream up to a position, in the order of their ids.
    async fn lives(
        self,
        db: &mut PgConnection,
        upto: Position,
    ) -> Result<Vec<Lived<O>>, ProjectionError> {
        let (begun_here, begun_before): (Vec<_>, Vec<_>) =
            self.0.into_iter().partition(|(_, facts)| facts.is_some());
        let mut streams: BTreeMap<O::Id, Facts<O>> =
            begun_here.into_iter().filter_map(|(id, facts)| Some((id, facts?))).collect();
        if !begun_before.is_empty() {
            let names: Vec<String> = begun_before.iter().map(|(id, _)| id.to_string()).collect();
            let sql = "
                select aggregate_id, position, recorded_at, event_type, event_version, payload
                from events
                where aggregate_type = $1 and aggregate_id = any($2) and position <= $3
                order by aggregate_id, sequence";
            let rows = sqlx::query(sql).bind(O::TYPE).bind(names).bind(bigint(upto)?);
            for row in &rows.fetch_all(db).await? {
                let (id, fact) = fact::<O>(row)?;
                streams.entry(id).or_default().push(fact);
            }
        }
        Ok(streams.into_iter().filter_map(|(id, facts)| Lived::of(id, facts)).collect())
    }
}

fn fact<O: Object>(row: &PgRow) -> Result<(O::Id, Fact<O::Event>), ProjectionError> {
    let position = unsigned(row, "position")?;
    let poison = |reason| ProjectionError::Poison(Poison { position, reason });
    let id: &str = row.try_get("aggregate_id")?;
    let id = id.parse().map_err(|_| poison(PoisonReason::MalformedId))?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event = log::decode(name, version, row.try_get("payload")?);
    let event = event.map_err(|error| poison(error.into()))?;
    Ok((id, Fact { place: (position, row.try_get("recorded_at")?), event }))
}

/// An object and all that happened to it.
pub(super) struct Lived<O: Object> {
    pub(super) id: O::Id,
    pub(super) object: O,
    pub(super) facts: Facts<O>,
    pub(super) first: Place,
    pub(super) last: Place,
}

impl<O: Object> Lived<O> {
    /// Nothing for a stream without events.
    fn of(id: O::Id, facts: Facts<O>) -> Option<Self> {
        let (first, last) = (facts.first()?.place, facts.last()?.place);
        let object = O::of(facts.iter().map(|fact| fact.event.clone()));
        Some(Self { id, object, facts, first, last })
    }

    /// How many events it has.
    pub(super) fn sequence(&self) -> i64 {
        i64::try_from(self.facts.len()).unwrap_or(i64::MAX)
    }

    /// The stream does not begin as such a stream must.
    pub(super) fn malformed(&self) -> ProjectionError {
        let (position, reason) = (self.first.0, PoisonReason::Sequence);
        ProjectionError::Poison(Poison { position, reason })
    }
}

/// All objects that a run of events touches.
#[derive(Default)]
pub(super) struct Touches {
    deposits: Touched<Deposit>,
    payments: Touched<Payment>,
    payment_requests: Touched<PaymentRequest>,
    transfers: Touched<Transfer>,
    withdrawals: Touched<Withdrawal>,
}

/// All objects that a run of events touched, whole.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) deposits: Vec<Lived<Deposit>>,
    pub(super) payments: Vec<Lived<Payment>>,
    pub(super) payment_requests: Vec<Lived<PaymentRequest>>,
    pub(super) transfers: Vec<Lived<Transfer>>,
    pub(super) withdrawals: Vec<Lived<Withdrawal>>,
}

impl Touches {
    pub(super) fn deposit(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        self.deposits.apply(event)
    }

    pub(super) fn payment(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        self.payments.apply(event)
    }

    pub(super) fn payment_request(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        self.payment_requests.apply(event)
    }

    pub(super) fn transfer(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        self.transfers.apply(event)
    }

    pub(super) fn withdrawal(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        self.withdrawals.apply(event)
    }

    /// The objects that `models` are made of.
    pub(super) async fn load(
        self,
        db: &mut PgConnection,
        upto: Position,
        models: &[ReadModel],
    ) -> Result<Objects, ProjectionError> {
        let are_wanted =
            |own| models.iter().any(|model| *model == own || *model == ReadModel::Activity);
        let mut objects = Objects::default();
        if are_wanted(ReadModel::Deposits) {
            objects.deposits = self.deposits.lives(db, upto).await?;
        }
        let of_payments =
            [ReadModel::Payments, ReadModel::Refunds, ReadModel::Sales, ReadModel::Settlements];
        if of_payments.into_iter().any(are_wanted) {
            objects.payments = self.payments.lives(db, upto).await?;
        }
        if models.contains(&ReadModel::PaymentRequests) {
            objects.payment_requests = self.payment_requests.lives(db, upto).await?;
        }
        if are_wanted(ReadModel::Transfers) {
            objects.transfers = self.transfers.lives(db, upto).await?;
        }
        if are_wanted(ReadModel::Withdrawals) {
            objects.withdrawals = self.withdrawals.lives(db, upto).await?;
        }
        Ok(objects)
    }
}
