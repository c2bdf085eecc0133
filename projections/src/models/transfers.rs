//! `transfers`: where each transfer that waits or has waited is, for lists, for the sweeper and for
//! those who prove a number.
//!
//! A row is the aggregate itself, folded from its whole stream up to the end of the run: streams
//! are short, and the rules of what follows from what stand in one place.

use std::collections::BTreeSet;

use ledger_core::{
    clock::Timestamp,
    ids::{AccountId, Reference, TransferId},
    log::{self, Position},
    transfer::{Transfer, TransferEvent},
};
use rust_decimal::Decimal;
use sqlx::{PgConnection, Row, postgres::PgRow, types::Uuid};

use super::{EventRow, Schema, bigint};
use crate::{
    error::{Poison, PoisonReason, ProjectionError},
    reads::unsigned,
};

/// Which transfers a run of events changes.
#[derive(Default)]
pub(super) struct Changes(BTreeSet<TransferId>);

impl Changes {
    pub(super) fn apply(&mut self, event: EventRow<'_>) -> Result<(), PoisonReason> {
        let id = event.aggregate_id.parse().map_err(|_| PoisonReason::MalformedId)?;
        self.0.insert(id);
        Ok(())
    }

    pub(super) async fn write_in_tx(
        &self,
        db: &mut PgConnection,
        schema: Schema,
        upto: Position,
    ) -> Result<(), ProjectionError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::default();
        for lived in lives(db, &self.0, upto).await? {
            rows.push(&lived)?;
        }
        rows.upsert(db, schema).await
    }
}

/// A transfer, and when it began and last changed.
struct Lived {
    id: TransferId,
    transfer: Transfer,
    sequence: i64,
    first: (Position, Timestamp),
    last: (Position, Timestamp),
}

/// The transfers, from their whole streams up to a position.
async fn lives(
    db: &mut PgConnection,
    ids: &BTreeSet<TransferId>,
    upto: Position,
) -> Result<Vec<Lived>, ProjectionError> {
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = "
        select aggregate_id, sequence, position, recorded_at, event_type, event_version, payload
        from events
        where aggregate_type = 'transfer' and aggregate_id = any($1) and position <= $2
        order by aggregate_id, sequence";
    let rows = sqlx::query(sql).bind(names).bind(bigint(upto)?).fetch_all(db).await?;
    let mut found: Vec<Lived> = Vec::with_capacity(ids.len());
    for row in &rows {
        let (id, place, event) = fact(row)?;
        match found.last_mut() {
            Some(lived) if lived.id == id => lived.transfer = lived.transfer.clone().after(event),
            _ => found.push(Lived {
                id,
                transfer: Transfer::default().after(event),
                sequence: 0,
                first: place,
                last: place,
            }),
        }
        if let Some(lived) = found.last_mut() {
            lived.sequence = row.try_get("sequence")?;
            lived.last = place;
        }
    }
    Ok(found)
}

type Fact = (TransferId, (Position, Timestamp), TransferEvent);

fn fact(row: &PgRow) -> Result<Fact, ProjectionError> {
    let position = unsigned(row, "position")?;
    let poison = |reason| ProjectionError::Poison(Poison { position, reason });
    let id: &str = row.try_get("aggregate_id")?;
    let id = id.parse().map_err(|_| poison(PoisonReason::MalformedId))?;
    let (name, version) = (row.try_get("event_type")?, row.try_get("event_version")?);
    let event = log::decode(name, version, row.try_get("payload")?);
    let event = event.map_err(|error| poison(error.into()))?;
    Ok((id, (position, row.try_get("recorded_at")?), event))
}

#[derive(Default)]
struct Rows {
    id: Vec<Uuid>,
    account: Vec<String>,
    currency: Vec<String>,
    amount: Vec<Decimal>,
    fee: Vec<Decimal>,
    phone_hash: Vec<String>,
    status: Vec<&'static str>,
    receiver: Vec<Option<String>>,
    reason: Vec<Option<String>>,
    expires_at: Vec<Timestamp>,
    held_at: Vec<Timestamp>,
    held_position: Vec<i64>,
    changed_at: Vec<Timestamp>,
    sequence: Vec<i64>,
    last_position: Vec<i64>,
}

impl Rows {
    fn push(&mut self, lived: &Lived) -> Result<(), ProjectionError> {
        let transfer = &lived.transfer;
        let known = transfer.properties().zip(transfer.status());
        let known = known.and_then(|(held, status)| {
            let currency = held.account.currency().ok()?;
            Some((held, status, currency))
        });
        let Some((held, status, currency)) = known else {
            let (position, reason) = (lived.first.0, PoisonReason::Sequence);
            return Err(ProjectionError::Poison(Poison { position, reason }));
        };
        self.id.push(lived.id.uuid());
        self.account.push(held.account.as_str().to_owned());
        self.currency.push(currency.as_str().to_owned());
        self.amount.push(held.amount);
        self.fee.push(held.fee);
        self.phone_hash.push(held.phone_hash.as_str().to_owned());
        self.status.push(status.as_str());
        self.receiver.push(transfer.receiver().map(AccountId::as_str).map(str::to_owned));
        self.reason.push(transfer.reason().map(Reference::as_str).map(str::to_owned));
        self.expires_at.push(held.expires_at);
        self.held_at.push(lived.first.1);
        self.held_position.push(bigint(lived.first.0)?);
        self.changed_at.push(lived.last.1);
        self.sequence.push(lived.sequence);
        self.last_position.push(bigint(lived.last.0)?);
        Ok(())
    }

    async fn upsert(self, db: &mut PgConnection, schema: Schema) -> Result<(), ProjectionError> {
        let sql = format!(
            "insert into {}.transfers (id, account_id, currency, amount, fee, phone_hash, status,
                 receiver_id, reason, expires_at, held_at, held_position, changed_at, sequence,
                 last_position)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[],
                 $5::numeric[], $6::text[], $7::text[], $8::text[], $9::text[],
                 $10::timestamptz[], $11::timestamptz[], $12::bigint[], $13::timestamptz[],
                 $14::bigint[], $15::bigint[])
             on conflict (id) do update set
                 status = excluded.status, receiver_id = excluded.receiver_id,
                 reason = excluded.reason, changed_at = excluded.changed_at,
                 sequence = excluded.sequence, last_position = excluded.last_position",
            schema.name()
        );
        sqlx::query(&sql)
            .bind(self.id)
            .bind(self.account)
            .bind(self.currency)
            .bind(self.amount)
            .bind(self.fee)
            .bind(self.phone_hash)
            .bind(self.status)
            .bind(self.receiver)
            .bind(self.reason)
            .bind(self.expires_at)
            .bind(self.held_at)
            .bind(self.held_position)
            .bind(self.changed_at)
            .bind(self.sequence)
            .bind(self.last_position)
            .execute(db)
            .await?;
        Ok(())
    }
}
