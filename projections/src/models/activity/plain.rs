//! Plain transfers: two legs between two accounts, and no object that they belong to.
//!
//! They are nearly all that happens, and their legs say everything that a wallet's list shows. So
//! they have no rows: a row and its three entries in indexes would cost the projector more than
//! all else that it does for a transfer. Who reads a list reads them from the account's own stream.
//! Only what was reversed gets rows, since no leg says that.

use ledger_core::{
    account::Leg,
    chart::Direction,
    clock::Timestamp,
    ids::{TransactionId, TransferId},
    log::Position,
    posting::Kind,
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row as _, postgres::PgRow, types::Uuid};

use super::{
    ActivityStatus, Reversed, is_wallet,
    rows::{IN, OUT, Row},
};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    models::{
        Schema, decode_leg,
        event::{EventRow, read_events},
    },
    reads::unsigned,
};

/// Whether a leg is one of a plain transfer.
pub(crate) fn is_plain(leg: &Leg) -> bool {
    leg.legs == 2 && leg.cause.is_none() && leg.kind.as_str() == Kind::TRANSFER
}

/// How a plain transfer is known.
pub(crate) fn object_of(transaction: TransactionId) -> String {
    TransferId::from_uuid(transaction.uuid()).to_string()
}

/// A leg of a plain transfer that was reversed.
pub(in crate::models) struct Undone {
    pub(in crate::models) account: String,
    other: String,
    side: Direction,
    amount: Decimal,
    transaction: TransactionId,
    began: (Position, Timestamp),
    changed: (Position, Timestamp),
}

impl Undone {
    /// What the account sees of it, if it is a wallet.
    pub(super) fn row(&self) -> Option<Row> {
        let (_, currency) = self.account.rsplit_once(':')?;
        is_wallet(&self.account).then(|| Row {
            account: self.account.clone(),
            object: object_of(self.transaction),
            kind: Kind::TRANSFER.to_owned(),
            direction: match self.side {
                Direction::Credit => IN,
                Direction::Debit => OUT,
            },
            status: ActivityStatus::Returned,
            object_status: "reversed",
            currency: currency.to_owned(),
            amount: self.amount,
            fee: Decimal::ZERO,
            counterparty: Some(self.other.clone()),
            utr: None,
            began: self.began,
            changed: self.changed,
        })
    }
}

/// The legs of those of the reversed transactions that were plain transfers.
///
/// Where they lie is asked of the transactions, which must be written up to here: those of the
/// schema, or of the one that is read if only other models are made anew.
pub(in crate::models) async fn undone(
    reversed: &[Reversed],
    db: &mut PgConnection,
    schema: Schema,
) -> Result<Vec<Undone>, ProjectionError> {
    if reversed.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = reversed.iter().map(|reversed| reversed.original.uuid()).collect();
    let sql = format!(
        "select id, first_position, last_position from {}.transactions where id = any($1)
         union
         select id, first_position, last_position from read.transactions where id = any($1)",
        schema.name()
    );
    let places = sqlx::query(&sql).bind(&ids).fetch_all(&mut *db).await?;
    let mut undone = Vec::new();
    for reversed in reversed {
        let id = reversed.original.uuid();
        let place = places.iter().find(|row| row.try_get::<Uuid, _>("id").is_ok_and(|at| at == id));
        let Some(place) = place else {
            let reason = PoisonReason::Contradiction { constraint: "transactions".to_owned() };
            return Err(Poison { position: reversed.position, reason }.into());
        };
        let first = unsigned(place, "first_position")?.saturating_sub(1);
        let events = read_events(db, first, unsigned(place, "last_position")?).await?;
        undone.extend(legs(&events, reversed)?);
    }
    Ok(undone)
}

fn legs(events: &[PgRow], reversed: &Reversed) -> Result<Vec<Undone>, ProjectionError> {
    let mut legs = Vec::new();
    for event in events {
        let event = EventRow::of(event)?;
        let poison = |error| Poison { position: event.position, reason: PoisonReason::from(error) };
        let leg = decode_leg(event.event_type, event.event_version, event.payload);
        let leg = leg.map_err(poison)?;
        if is_plain(&leg) {
            legs.push((event, leg));
        }
    }
    let [(one, of_one), (two, of_two)] = legs.as_slice() else { return Ok(Vec::new()) };
    let undone = |event: &EventRow<'_>, leg: &Leg, other: &EventRow<'_>| Undone {
        account: event.aggregate_id.to_owned(),
        other: other.aggregate_id.to_owned(),
        side: match event.event_type {
            "debited" => Direction::Debit,
            _ => Direction::Credit,
        },
        amount: leg.amount,
        transaction: leg.transaction_id,
        began: (event.position, event.recorded_at),
        changed: (reversed.position, reversed.recorded_at),
    };
    Ok(vec![undone(one, of_one, two), undone(two, of_two, one)])
}
